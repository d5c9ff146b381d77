//! Certificates, and proxies on the way.

use super::{
    Checkout,
    proxy::{Answer, Proxy},
};
use crate::parts::{Caddy, Kinto};

/// Makes an authority, a certificate for `host` and one for us, in the folder `tls` of the sandbox.
const CERTIFICATES: &str = r#"
mkdir -p ../tls && cd ../tls
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }
signed() {
    key $1
    openssl req -new -key $1.key -subj "/CN=$1" -out $1.csr
    printf 'basicConstraints=CA:FALSE\n%s\n' "$2" > $1.ext
    openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem
}
{
    key ca
    openssl req -x509 -new -key ca.key -subj /CN=ca -days 2 -out ca.pem -addext basicConstraints=critical,CA:TRUE
    signed server "subjectAltName=$HOST"
    signed client extendedKeyUsage=clientAuth
    cat client.pem client.key > both.pem
} 2> log || { cat log >&2; exit 1; }
"#;

/// A checkout of one record behind TLS: the certificate is for `host`, the target has further keys `tls`.
fn checkout(name: &str, host: &str, clients: bool, tls: &str) -> Option<Checkout> {
    let kinto = Kinto::get()?;
    let checkout = Checkout::new(
        "provider: kinto, url: 'URL', TLS, credentials: {user: admin, file: ../home/secret}, state: ../target/state.json",
        "p4ssw0rd-canary",
    );
    checkout.sandbox.sh(&format!("HOST={host}; {CERTIFICATES}")).expect(0);
    let certificates = checkout.sandbox.path("tls");
    let host = host.split(':').next_back().unwrap();
    let port = Caddy::before(&kinto.url, &certificates, host, clients)?;
    let config = checkout.sandbox.read("checkout/trueup.yaml");
    let config = config.replace("URL", &format!("https://127.0.0.1:{port}")).replace("TLS", tls);
    checkout.sandbox.write("checkout/trueup.yaml", config);
    checkout.commit("all.yaml", &format!("bucket: [{{id: {name}}}]\n"));
    Some(checkout)
}

#[test]
fn an_authority_of_ones_own_is_trusted_where_the_target_says_so() {
    let Some(checkout) = checkout("own-ca", "IP:127.0.0.1", false, "tls: {ca_file: ../tls/ca.pem}") else {
        return;
    };
    checkout.apply(&[]);
}

#[test]
fn certificates_that_prove_nothing_are_no_answer() {
    let trusted = "tls: {ca_file: ../tls/ca.pem}";
    let cases = [
        ("unknown authority", "IP:127.0.0.1", false, "tls: {}", "certificate"),
        ("another name", "DNS:other.example", false, trusted, "certificate"),
        ("no certificate of ours", "IP:127.0.0.1", true, trusted, "certificate"),
    ];
    for (name, host, clients, tls, said) in cases {
        let Some(checkout) = checkout("nobody", host, clients, tls) else { return };
        let start = std::time::Instant::now();
        for verb in [&["plan"][..], &["apply", "--yes"]] {
            let ran = checkout.run(verb, 69);
            let said = ran.stderr.to_lowercase().contains(said);
            assert!(said && !ran.stderr.contains("p4ssw0rd"), "{name}: {}", ran.stderr);
        }
        assert!(start.elapsed().as_secs() < 10, "a certificate does not get better by waiting");
    }
}

#[test]
fn a_certificate_of_ours_opens_the_door() {
    let tls = "tls: {ca_file: ../tls/ca.pem, client_file: ../tls/both.pem}";
    let Some(checkout) = checkout("client", "IP:127.0.0.1", true, tls) else { return };
    checkout.apply(&[]);
}

#[test]
fn files_of_certificates_that_hold_none_are_refused_by_name() {
    for key in ["ca_file", "client_file"] {
        let tls = format!("tls: {{{key}: ../tls/log}}");
        let Some(checkout) = checkout("files", "IP:127.0.0.1", false, &tls) else { return };
        let ran = checkout.run(&["plan"], 78);
        assert!(ran.stderr.contains("tls/log"), "{}", ran.stderr);
    }
}

#[test]
fn the_proxy_of_the_environment_is_taken_unless_the_host_needs_none() {
    let Some(kinto) = Kinto::get() else { return };
    let Some(tls) = checkout("proxied", "IP:127.0.0.1", false, "tls: {ca_file: ../tls/ca.pem}") else {
        return;
    };
    let config = tls.sandbox.read("checkout/trueup.yaml");
    let port = config.split("https://127.0.0.1:").nth(1).unwrap().split('\'').next().unwrap();
    let secure = Proxy::start(&format!("127.0.0.1:{port}"), |_| Answer::Forward);
    let plain = Proxy::start(&kinto.url, |_| Answer::Forward);
    let run = |no_proxy: &str, authorities: Option<&str>| {
        let mut command = tls.sandbox.command_trueup(&["apply", "--yes"]);
        command.env("HTTPS_PROXY", &secure.url).env("http_proxy", &plain.url).env("NO_PROXY", no_proxy);
        command.envs(authorities.iter().flat_map(|none| [("SSL_CERT_FILE", none), ("SSL_CERT_DIR", none)]));
        assert_eq!(command.output().unwrap().status.code(), Some(0));
    };
    run("127.0.0.1", None);
    assert_eq!(secure.requests(), [""; 0]);
    run("other.example", None);
    let asked = secure.requests();
    assert!(!asked.is_empty() && asked.iter().all(|line| *line == format!("CONNECT 127.0.0.1:{port}")));
    // The tunnel hides what goes through it, credentials above all.
    assert!(secure.asked.lock().unwrap().iter().all(|asked| !asked.head.contains("uthorization: Basic")));
    // Without TLS the proxy is asked for whole addresses, and nobody needs authorities.
    let here = config.replace(&format!("https://127.0.0.1:{port}"), "http://kinto.invalid");
    tls.sandbox.write("checkout/trueup.yaml", here);
    tls.sandbox.sh("rm -f ../target/state.json*").expect(0);
    tls.commit_all();
    run("other.example", Some("/nonexistent"));
    assert!(
        plain.requests().iter().all(|line| line.contains(" http://kinto.invalid/v1/")),
        "{:?}",
        plain.requests()
    );
}
