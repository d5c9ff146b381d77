//! PowerDNS: one request for many records, and answers checked with dig.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    Checkout, opening,
    proxy::{Answer, Proxy},
};
use crate::parts::PowerDns;

/// Keeps others out: its SQLite file takes one writer at a time and answers 500 to another.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A checkout for one zone.
pub fn checkout(powerdns: &PowerDns, zone: &str) -> Checkout {
    opening::powerdns(&powerdns.url, &format!("scope: {{zone: {zone}}}"))
}

/// Makes a zone.
pub fn zone(powerdns: &PowerDns, name: &str) {
    let body = format!(r#"{{"name": "{name}", "kind": "Native", "nameservers": ["ns.example.net."]}}"#);
    powerdns.curl("POST", "/zones", &body).unwrap();
}

const RECORDS: &str = "rrset:
  - {name: www.whole.example, type: a, ttl: 300, records: [192.0.2.2, 192.0.2.1]}
  - {name: whole.example., type: TXT, ttl: 300, records: [v=spf1 -all]}
  - {name: mail.whole.example., type: MX, ttl: 300, records: [10 mx.example.net]}
";

#[test]
fn powerdns_goes_the_whole_way() {
    let Some(powerdns) = PowerDns::get() else { return };
    let _alone = alone();
    zone(powerdns, "whole.example.");
    let checkout = checkout(powerdns, "whole.example.");
    checkout.commit("records.yaml", RECORDS);
    checkout.run(&["plan"], 2);
    checkout.apply(&[]);
    assert_eq!(powerdns.dig("www.whole.example", "A"), "192.0.2.1 192.0.2.2");
    assert_eq!(powerdns.dig("whole.example", "TXT"), "\"v=spf1 -all\"");
    checkout.commit("records.yaml", &RECORDS.replace("192.0.2.2, ", ""));
    checkout.apply(&[]);
    assert_eq!(powerdns.dig("www.whole.example", "A"), "192.0.2.1");
    let by_hand = r#"{"rrsets": [{"name": "www.whole.example.", "type": "A", "ttl": 60, "changetype": "REPLACE",
        "records": [{"content": "192.0.2.9", "disabled": false}]}]}"#;
    powerdns.curl("PATCH", "/zones/whole.example.", by_hand).unwrap();
    let drift = checkout.run(&["drift"], 3);
    assert!(drift.stdout.contains("192.0.2.9"), "{}", drift.stdout);
    checkout.apply(&[]);
    assert_eq!(powerdns.dig("www.whole.example", "A"), "192.0.2.1");
    let pruned: Vec<&str> = RECORDS.lines().filter(|line| !line.contains("MX")).collect();
    checkout.commit("records.yaml", &pruned.join("\n").replace("192.0.2.2, ", ""));
    checkout.apply(&[]);
    assert_eq!(powerdns.dig("mail.whole.example", "MX"), "");
    assert_eq!(powerdns.dig("whole.example", "NS"), "ns.example.net.");
}

#[test]
fn one_bad_record_keeps_the_whole_request_out() {
    let Some(powerdns) = PowerDns::get() else { return };
    let _alone = alone();
    zone(powerdns, "atomic.example.");
    let checkout = checkout(powerdns, "atomic.example.");
    checkout.commit("records.yaml", "rrset:\n  - {name: a.atomic.example., type: A, ttl: 60, records: [192.0.2.1]}\n  - {name: b.atomic.example., type: A, ttl: 60, records: [nonsense]}\n");
    let ran = checkout.sandbox.trueup(&["apply", "--yes"]);
    assert_ne!(ran.exit, 0);
    assert_eq!(powerdns.dig("a.atomic.example", "A"), "", "{}", ran.stdout);
}

#[test]
fn many_records_take_few_requests() {
    let Some(powerdns) = PowerDns::get() else { return };
    let _alone = alone();
    zone(powerdns, "many.example.");
    let proxy = Proxy::start(&powerdns.url, |_| Answer::Forward);
    let checkout = opening::powerdns(&proxy.url, "scope: {zone: many.example.}");
    let mut records = String::from("rrset:\n");
    for index in 0..2500 {
        let line = format!(
            "  - {{name: h{index}.many.example., type: A, ttl: 60, records: [192.0.2.{}]}}\n",
            index % 250
        );
        records.push_str(&line);
    }
    checkout.commit("records.yaml", &records);
    checkout.run(&["apply", "--yes"], 0);
    let patches = proxy.requests().into_iter().filter(|request| request.starts_with("PATCH")).count();
    assert_eq!(patches, 3);
    let kept = powerdns.curl("GET", "/zones/many.example./metadata/X-TRUEUP", "").unwrap();
    assert!(kept.len() < 40_000, "the server takes no more than 2 MiB at a time: {}", kept.len());
    proxy.asked.lock().unwrap().clear();
    checkout.run(&["plan"], 0);
    assert_eq!(proxy.requests().len(), 2, "the memory and the zone: {:?}", proxy.requests());
    // What is imported is what nobody declared: the server made it itself.
    checkout.run(&["import", "t", "rrset"], 0);
    let imported = checkout.sandbox.read("checkout/objects/rrset.yaml");
    assert_eq!(imported.matches("- name:").count(), 1, "the name servers");
}

#[test]
fn a_time_to_live_that_powerdns_would_store_as_another_one_is_refused() {
    let Some(powerdns) = PowerDns::get() else { return };
    let checkout = checkout(powerdns, "ttl.example.");
    for ttl in ["1h", "-1", "'300'", "1.5", "4294967295"] {
        let record = format!(
            "rrset:\n  - name: a.ttl.example.\n    type: A\n    ttl: {ttl}\n    records: [192.0.2.1]\n"
        );
        checkout.commit("records.yaml", &record);
        let ran = checkout.run(&["plan"], 65);
        assert!(
            ran.stderr.contains("objects/records.yaml:4") && ran.stderr.contains("`ttl`"),
            "{ttl}: {}",
            ran.stderr
        );
    }
    let _alone = alone();
    zone(powerdns, "ttl.example.");
    checkout.commit(
        "records.yaml",
        "rrset: [{name: a.ttl.example., type: A, ttl: 300.0, records: [192.0.2.1]}]\n",
    );
    checkout.apply(&[]);
}
