//! Zones and records of PowerDNS that are not of the everyday kind.

use super::{
    opening,
    powerdns::{alone, checkout, zone},
};
use crate::parts::PowerDns;

#[test]
fn the_name_servers_of_a_classless_zone_are_protected() {
    let Some(powerdns) = PowerDns::get() else { return };
    let _alone = alone();
    let name = "0/25.2.0.192.in-addr.arpa.";
    zone(powerdns, name);
    let checkout = checkout(powerdns, &format!("'{name}'"));
    let ptr = format!("  - {{name: '1.{name}', type: PTR, ttl: 60, records: [host.example.net]}}\n");
    let ns = format!("  - {{name: '{name}', type: NS, ttl: 3600, records: [ns.example.net]}}\n");
    checkout.commit("all.yaml", &format!("rrset:\n{ptr}{ns}"));
    checkout.apply(&["--adopt", "**"]);
    assert_eq!(powerdns.dig("1.0/25.2.0.192.in-addr.arpa", "PTR"), "host.example.net.");
    checkout.commit("all.yaml", &format!("rrset:\n{ptr}"));
    let refused = checkout.run(&["apply", "--yes"], 8);
    assert!(refused.stderr.contains("--allow-protected rrset/0%2F25"), "{}", refused.stderr);
    assert_eq!(powerdns.dig("0/25.2.0.192.in-addr.arpa", "NS"), "ns.example.net.");
}

#[test]
fn the_address_of_a_wildcard_record_means_no_other() {
    let Some(powerdns) = PowerDns::get() else { return };
    let _alone = alone();
    zone(powerdns, "wild.example.");
    let made = r#"{"rrsets": [
        {"name": "*.wild.example.", "type": "A", "ttl": 60, "changetype": "REPLACE", "records": [{"content": "192.0.2.1", "disabled": false}]},
        {"name": "www.wild.example.", "type": "A", "ttl": 60, "changetype": "REPLACE", "records": [{"content": "192.0.2.2", "disabled": false}]}]}"#;
    powerdns.curl("PATCH", "/zones/wild.example.", made).unwrap();
    let checkout =
        opening::powerdns(&powerdns.url, "scope: {zone: wild.example.}, state: ../target/state.json");
    checkout.commit("all.yaml", "rrset:\n  - {name: '*.wild.example', type: A, ttl: 60, records: [192.0.2.8]}\n  - {name: www.wild.example, type: A, ttl: 60, records: [192.0.2.9]}\n");
    let wildcard = "rrset/wild.example./%2A.wild.example./A";
    let refused = checkout.run(&["apply", "--yes", "--adopt", wildcard], 8);
    assert!(
        refused.stderr.contains("`rrset/wild.example./www.wild.example./A` is there"),
        "{}",
        refused.stderr
    );
    checkout.run(
        &["apply", "--yes", "--adopt", wildcard, "--keep", "rrset/wild.example./www.wild.example./A"],
        0,
    );
    assert_eq!(powerdns.dig("other.wild.example", "A"), "192.0.2.8");
    assert_eq!(powerdns.dig("www.wild.example", "A"), "192.0.2.2");
    // A record of before has the name as it is.
    checkout
        .sandbox
        .sh("sed -i 's/%2A/*/g' ../target/state.json && grep -q '[*]' ../target/state.json")
        .expect(0);
    checkout
        .commit("all.yaml", "rrset: [{name: '*.wild.example', type: A, ttl: 60, records: [192.0.2.8]}]\n");
    checkout.run(&["plan"], 0);
}

#[test]
fn what_the_server_writes_its_own_way_is_in_sync() {
    let Some(powerdns) = PowerDns::get() else { return };
    let _alone = alone();
    let checkout = opening::powerdns(&powerdns.url, "state: ../target/state.json");
    checkout.commit(
        "all.yaml",
        r#"zone:
  - {name: Catalog.example, kind: Producer, nameservers: [ns.example.net]}
  - {name: forms.example, kind: Native, nameservers: [ns.example.net], catalog: Catalog.example}
  - {name: copy.example, kind: Secondary, masters: [192.0.2.1, '2001:DB8::1', '[2001:DB8::2]:5300']}
---
scope: {zone: forms.example}
rrset:
  - {name: six.forms.example, type: AAAA, ttl: 60, records: ['::FFFF:192.0.2.1', '2001:DB8::1']}
  - {name: odd.forms.example, type: TYPE65280, ttl: 60, records: ['\# 2 AABB']}
  - {name: mac.forms.example, type: EUI48, ttl: 60, records: [AA-BB-CC-DD-EE-FF]}
  - {name: afs.forms.example, type: AFSDB, ttl: 60, records: [1 afs.example.net]}
"#,
    );
    checkout.apply(&[]);
    for (wrong, said) in [("192.0.2.1", "`records` is a list"), ("[]", "/disabled")] {
        let record = format!("  - {{name: no.forms.example, type: A, ttl: 60, records: {wrong}}}\n");
        checkout.commit("more.yaml", &format!("scope: {{zone: forms.example}}\nrrset:\n{record}"));
        let refused = checkout.run(&["plan"], 65);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    assert_eq!(powerdns.dig("six.forms.example", "AAAA"), "2001:db8::1 ::ffff:192.0.2.1");
}

const SIGNED: &str = "tsigkey:
  - {name: Transfer, algorithm: hmac-sha256, key: {$file: ../home/field}}
zone:
  - {name: signed.example, kind: Master, nameservers: [ns.example.net], master_tsig_key_ids: [transfer], dnssec: true}
---
scope: {zone: signed.example}
metadata:
  - {kind: allow-axfr-from, metadata: [AUTO-NS, 2001:db8::/48]}
";

#[test]
fn keys_and_who_may_transfer_are_declared_and_not_lost_without_consent() {
    let Some(powerdns) = PowerDns::get() else { return };
    let _alone = alone();
    let checkout = opening::powerdns(&powerdns.url, "state: ../target/state.json");
    checkout.sandbox.write("home/field", "Zmllby1jYW5hcnk=");
    checkout.commit("all.yaml", SIGNED);
    let plan = checkout.apply(&[]);
    assert!(!plan.stdout.contains("Zmllby1jYW5hcnk="));
    let held = |path: &str| powerdns.curl("GET", path, "").unwrap();
    assert!(held("/tsigkeys/transfer.").contains("Zmllby1jYW5hcnk="));
    assert!(held("/zones/signed.example./metadata/ALLOW-AXFR-FROM").contains("2001:db8::/48"));
    assert!(held("/zones/signed.example.?rrsets=false").contains(r#""master_tsig_key_ids": ["transfer."]"#));
    powerdns.curl("PUT", "/tsigkeys/transfer.", r#"{"key": "b3RoZXI="}"#).unwrap();
    let drift = checkout.run(&["drift"], 3);
    assert!(drift.stdout.contains("/key") && !drift.stdout.contains("b3RoZXI="), "{}", drift.stdout);
    checkout.apply(&[]);
    for less in [SIGNED.replace("AUTO-NS, ", ""), SIGNED.replace("dnssec: true", "dnssec: false")] {
        checkout.commit("all.yaml", &less);
        let refused = checkout.run(&["apply", "--yes"], 8);
        assert!(refused.stderr.contains("would be taken away"), "{}", refused.stderr);
    }
    checkout.apply(&["--allow-protected", "zone/signed.example."]);
    assert_eq!(held("/zones/signed.example./cryptokeys"), "[]");
    // What the zone itself says, and the record of what was applied, are not declared as such.
    let own = "scope: {zone: signed.example}\nmetadata: [{kind: X-TRUEUP, metadata: [x]}]\n";
    checkout.commit("more.yaml", own);
    checkout.run(&["apply", "--yes"], 77);
}
