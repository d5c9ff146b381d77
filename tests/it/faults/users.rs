//! Repositories and targets of other people.

use crate::{sandbox::Sandbox, skip};

#[test]
fn the_repository_of_somebody_else_is_read_only_if_git_trusts_it() {
    if skip::lacks_root() {
        return;
    }
    let sandbox = Sandbox::with_files(&[("motd", "one\n")]);
    sandbox.sh("chown -R 65534 .").expect(0);
    let refused = sandbox.trueup(&["plan", "-q"]).expect(77);
    assert!(refused.stderr.contains("safe.directory"), "{}", refused.stderr);
    sandbox.sh("git config --global --add safe.directory '*'").expect(0);
    sandbox.trueup(&["plan", "-q"]).expect(2);
}
