//! An apply that does not come to its end: killed after any of its writes, or left by the server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Shop, is_write, many, proxy::Fault, share};

#[test]
fn a_kill_after_any_write_is_made_good_by_the_next_apply() {
    // Which of the writes to come is the last.
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let counted = left.clone();
    let decide = move |line: &str| match is_write(line) && counted.load(Ordering::SeqCst) > 0 {
        true if counted.fetch_sub(1, Ordering::SeqCst) == 1 => Fault::Held,
        _ => Fault::None,
    };
    let Some((shop, proxy)) = Shop::proxied(decide) else { return };
    shop.declare(&[("many.yaml", &many(40, "zero")), ("extra.yaml", &extra(0))]);
    shop.apply();
    let mut kills = 0;
    for last in 1.. {
        // Each round changes all, makes one object and deletes another.
        shop.declare(&[("many.yaml", &many(40, &format!("v{last}"))), ("extra.yaml", &extra(last))]);
        left.store(last, Ordering::SeqCst);
        let others_may_too = share();
        let mut child = shop.sandbox.command_trueup(&["apply", "-q", "--yes"]).spawn().unwrap();
        let killed = loop {
            if proxy.held.recv_timeout(Duration::from_millis(20)).is_ok() {
                let _ = child.kill();
                child.wait().unwrap();
                break true;
            }
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success());
                break false;
            }
        };
        drop(others_may_too);
        left.store(usize::MAX, Ordering::SeqCst);
        shop.unlock();
        if !killed {
            break;
        }
        kills += 1;
        shop.apply();
        shop.trueup(&["plan"]).expect(0);
        let names = shop.kubectl(&["get", "configmaps", "-o", "name"]);
        let ours: Vec<&str> = names.lines().filter(|name| !name.contains("kube-root-ca")).collect();
        assert_eq!(ours.len(), 40 + 1 + 1, "after write {last}: {names}");
        assert!(names.contains(&format!("extra-{last}")), "after write {last}: {names}");
    }
    // The lock, the attempt, 42 objects and the record; what gives the lock back comes after all of it.
    assert!(kills >= 45, "{kills} writes");
    let log = shop.trueup(&["log", "-n", "1000"]).expect(0).stdout;
    assert!(log.contains("did not end"), "{log}");
}

fn extra(round: usize) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: extra-{round}}}\n")
}

#[test]
fn an_apply_that_the_server_leaves_says_what_was_done_and_can_be_completed() {
    let mut writes = 0;
    let Some((shop, _proxy)) = Shop::proxied(move |line| {
        writes += usize::from(is_write(line));
        if writes > 15 { Fault::Gone } else { Fault::None }
    }) else {
        return;
    };
    shop.declare(&[("many.yaml", &many(40, "one"))]);
    let begun = Instant::now();
    let ran = shop.trueup(&["apply", "--yes"]).expect(7);
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    for said in ["\ndone  ", "\nnot attempted  ", "\nuncertain  "] {
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
    }
    assert!(ran.stderr.contains("writing the record"), "{}", ran.stderr);
    shop.directly();
    shop.unlock();
    shop.apply();
    shop.trueup(&["plan"]).expect(0);
    let log = shop.trueup(&["log"]).expect(0).stdout;
    assert!(log.contains("did not end"), "{log}");
}
