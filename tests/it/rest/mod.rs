//! The REST provider against real servers.

use crate::sandbox::{Ran, Sandbox};

mod again;
mod archived;
mod attached;
mod caddy;
mod canary;
mod classes;
mod couchdb;
mod crash;
mod definitions;
mod etcd;
mod everyday;
mod faults;
mod fingerprints;
mod forms;
mod gitea;
mod github;
mod identity;
mod imports;
mod keys;
mod kinds;
mod kinto;
mod language;
mod lists;
mod locked;
mod needs;
mod odd;
mod opening;
mod permissions;
mod powerdns;
pub mod proxy;
mod rabbitmq;
mod random;
mod readme;
mod refusals;
mod restarts;
mod sequences;
mod shapes;
pub mod small;
mod spelled;
pub mod store;
mod tls;
mod together;
mod values;
mod waits;
mod writes;
mod zones;

/// A checkout with one target, whose files are below `objects`.
pub struct Checkout {
    /// Its sandbox.
    pub sandbox: Sandbox,
    /// The name of the target.
    pub target: String,
}

impl Checkout {
    /// A checkout whose target `t` has the keys `options`, and the content of `home/secret`.
    pub fn new(options: &str, secret: &str) -> Checkout {
        Checkout::named("t", options, secret)
    }

    /// The same with a target of this name, by which some servers know what they remember.
    pub fn named(target: &str, options: &str, secret: &str) -> Checkout {
        let sandbox = Sandbox::new();
        sandbox.write(
            "checkout/trueup.yaml",
            format!("version: 1\ntargets:\n  {target}: {{path: objects, {options}}}\n"),
        );
        sandbox.write("home/secret", secret);
        sandbox.write("checkout/objects/README.md", "The objects of the target.\n");
        Checkout { sandbox, target: target.to_owned() }
    }

    /// Writes `objects/PATH` and commits everything.
    pub fn commit(&self, path: &str, content: &str) {
        self.sandbox.write(&format!("checkout/objects/{path}"), content);
        self.commit_all();
    }

    /// Commits everything.
    pub fn commit_all(&self) {
        self.sandbox.sh("git add -A && git commit -q -m change").expect(0);
    }

    /// Runs trueup and expects an exit code.
    #[track_caller]
    pub fn run(&self, args: &[&str], exit: i32) -> Ran {
        self.sandbox.trueup(args).expect(exit)
    }

    /// Applies, and makes sure that nothing is left to do.
    #[track_caller]
    pub fn apply(&self, more: &[&str]) -> Ran {
        let ran = self.run(&[&["apply", "--yes"], more].concat(), 0);
        self.run(&["plan"], 0);
        ran
    }
}
