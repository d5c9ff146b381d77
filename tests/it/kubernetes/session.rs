//! The session of the README with a cluster, played against the real one.

use std::{fs, os::unix::fs::symlink, path::Path};

use super::{server, share};
use crate::{
    cases,
    sandbox::{self, Sandbox},
    session,
};

#[test]
fn the_first_session_with_a_cluster_plays_as_expected() {
    let Some(server) = server() else { return };
    let _others_may_too = share();
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/first-cluster");
    let sandbox = Sandbox::new();
    fs::remove_dir(sandbox.path("target")).unwrap();
    sandbox::copy(&case.join("checkout"), &sandbox.path("checkout"));
    sandbox.sh("commit 'Declare the shop'").expect(0);
    sandbox.write("home/.kube/config", fs::read(server.kubeconfig("admin")).unwrap());
    symlink(server.programs.join("kubectl"), sandbox.path("home/kubectl")).unwrap();
    let steps = fs::read_to_string(case.join("steps.kubernetes")).unwrap();
    let mut played = session::run(&sandbox, &session::parse(&steps).unwrap());
    // Where the machine is slow, what takes long is said on standard error.
    let is_progress =
        |line: &&str| ["2> reading", "2> applying", "2> waiting"].iter().any(|word| line.starts_with(word));
    let lines = played.transcript.lines().filter(|line| !is_progress(line));
    played.transcript = lines.map(|line| format!("{line}\n")).collect();
    cases::compare(&case, &played).unwrap_or_else(|wrong| panic!("{wrong}"));
}
