//! APIs, against the bare requests sent by curl.

use std::fmt::Write as _;

use crate::{
    measure::{compare, peak, print_count, print_peak_of},
    parts::{Gitea, PowerDns},
    place::Place,
    proxy::{Answer, Proxy},
};

const REPOSITORIES: usize = 10;
const LABELS: usize = 100;
const PROTECTIONS: usize = 5;
/// The most objects that Gitea puts on a page.
const PAGE: usize = 50;
/// As many requests at a time as the definition allows.
const PARALLEL: &str = "4";
const RRSETS: usize = 10_000;
/// The most records that the definition puts into one request.
const BATCH: usize = 1000;
/// The most memory that a plan should take, in MiB.
const MEMORY: f64 = 100.0;

/// 1,000 labels and 50 branch protections over 10 repositories of Gitea.
pub fn gitea() {
    let Some(gitea) = Gitea::get() else { return };
    make_repositories(gitea);
    let direct = labels(&gitea.url, &gitea.token);
    direct.apply();
    let requests = requests();
    let curl = |path: &String| format!("{}/api/v1{path}", gitea.url);
    let urls: Vec<String> = requests.iter().map(curl).collect();
    let header = format!("Authorization: token {}", gitea.token);
    let mut args = vec!["-sS", "--fail", "--parallel", "--parallel-max", PARALLEL, "-H", &header];
    args.extend(urls.iter().map(String::as_str));
    let what = "plan of 1,000 labels and 50 protections, against curl";
    compare(what, 15, Some(1.3), direct.trueup(&["plan", "-q"]), direct.run("curl", &args));
    let proxy = Proxy::start(&gitea.url, |_| Answer::Forward);
    let counted = labels(&proxy.url, &gitea.token);
    assert_eq!(counted.trueup(&["plan", "-q"]).run(), Some(0));
    print_count("requests of that plan", proxy.requests().len(), requests.len());
    print_peak_of("plan of 1,000 labels", peak(&direct.trueup(&["plan", "-q"])), MEMORY);
}

fn make_repositories(gitea: &Gitea) {
    gitea.curl("POST", "/orgs", r#"{"username": "bench"}"#).unwrap();
    for number in 0..REPOSITORIES {
        gitea.curl("POST", "/orgs/bench/repos", &format!(r#"{{"name": "r{number}"}}"#)).unwrap();
    }
}

/// A checkout that declares them all.
fn labels(url: &str, token: &str) -> Place {
    let place = Place::new(&format!(
        "version: 1\ntargets:\n  forge: {{provider: gitea, path: forge, url: '{url}', scope: {{owner: bench}}, credentials: {{file: ../token}}, state: ../target/state.json}}\n"
    ));
    place.write("token", token);
    for number in 0..REPOSITORIES {
        let mut text = String::from("label:\n");
        for label in 0..LABELS {
            writeln!(text, "  - {{name: label-{label:03}, color: '{label:06}', description: Label {label}}}")
                .unwrap();
        }
        text.push_str("branch_protection:\n");
        for rule in 0..PROTECTIONS {
            writeln!(text, "  - {{rule_name: release/{rule}.*, enable_push: true, required_approvals: 2}}")
                .unwrap();
        }
        place.write(&format!("checkout/forge/repo=r{number}/all.yaml"), &text);
    }
    place.commit();
    place
}

/// What has to be asked to see them all.
fn requests() -> Vec<String> {
    let pages = LABELS.div_ceil(PAGE);
    let of_one = |number: usize| {
        let labels =
            (1..=pages).map(move |page| format!("/repos/bench/r{number}/labels?limit={PAGE}&page={page}"));
        labels.chain([format!("/repos/bench/r{number}/branch_protections")])
    };
    (0..REPOSITORIES).flat_map(of_one).collect()
}

/// A zone of 10,000 rrsets of PowerDNS.
pub fn powerdns() {
    let Some(server) = PowerDns::own() else { return };
    let body = r#"{"name": "bench.example.", "kind": "Native", "nameservers": ["ns.example.net."]}"#;
    server.curl("POST", "/zones", body).unwrap();
    let proxy = Proxy::start(&server.url, |_| Answer::Forward);
    let counted = zone(&proxy.url);
    counted.apply();
    let patches = proxy.requests().into_iter().filter(|request| request.starts_with("PATCH")).count();
    print_count("PATCHes of an apply of 10,000 rrsets", patches, RRSETS.div_ceil(BATCH));
    proxy.asked.lock().unwrap().clear();
    assert_eq!(counted.trueup(&["plan", "-q"]).run(), Some(0));
    print_count("requests of a plan of 10,000 rrsets", proxy.requests().len(), 2);
    // What is remembered there names the server by the address of the proxy.
    server.curl("DELETE", "/zones/bench.example./metadata/X-TRUEUP", "").unwrap();
    let direct = zone(&server.url);
    direct.apply();
    let header = format!("X-API-Key: {}", PowerDns::KEY);
    let url = format!("{}/api/v1/servers/localhost/zones/bench.example.", server.url);
    let curl = direct.run("curl", &["-sS", "--fail", "-H", &header, &url]);
    compare(
        "plan of 10,000 rrsets, against curl of the zone",
        7,
        Some(3.0),
        direct.trueup(&["plan", "-q"]),
        curl,
    );
    print_peak_of("plan of 10,000 rrsets", peak(&direct.trueup(&["plan", "-q"])), MEMORY);
    server.curl("DELETE", "/zones/bench.example./metadata/X-TRUEUP", "").unwrap();
    server.service.end();
}

fn zone(url: &str) -> Place {
    let place = Place::new(&format!(
        "version: 1\ntargets:\n  dns: {{provider: powerdns, path: dns, url: '{url}', scope: {{zone: bench.example.}}, credentials: {{file: ../key}}}}\n"
    ));
    place.write("key", PowerDns::KEY);
    let mut text = String::from("rrset:\n");
    for number in 0..RRSETS {
        let address = format!("192.0.{}.{}", number / 250, number % 250);
        writeln!(text, "  - {{name: h{number}.bench.example., type: A, ttl: 300, records: [{address}]}}")
            .unwrap();
    }
    place.write("checkout/dns/records.yaml", &text);
    place.commit();
    place
}
