//! Who runs an apply, when and from where, as far as the environment says.

use std::env;

use jiff::{Timestamp, Unit};

use crate::model::record::Who;

/// The time now, RFC 3339, UTC, in whole seconds.
pub fn now() -> String {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now).to_string()
}

/// The day of today, UTC: `2027-01-31`.
pub fn today() -> String {
    Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// An id for an apply that begins now, which sorts by time.
pub fn apply_id() -> String {
    let now = Timestamp::now();
    format!(
        "{}-{:08x}",
        now.strftime("%Y%m%dT%H%M%SZ"),
        now.subsec_nanosecond() as u32 ^ std::process::id().rotate_left(20)
    )
}

/// Who runs this: the person behind a CI job, else the user of the system.
pub fn who() -> Who {
    let (actor, source, job) = from_environment(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    Who { actor, source, host: rustix::system::uname().nodename().to_string_lossy().into_owned(), job }
}

fn from_environment(variable: impl Fn(&str) -> Option<String>) -> (String, String, Option<String>) {
    let unknown = || "unknown".to_owned();
    if variable("GITLAB_CI").is_some() {
        let actor = variable("GITLAB_USER_LOGIN").unwrap_or_else(unknown);
        return (actor, "gitlab-ci".to_owned(), variable("CI_JOB_URL"));
    }
    if variable("GITHUB_ACTIONS").is_some() {
        let actor =
            variable("GITHUB_TRIGGERING_ACTOR").or_else(|| variable("GITHUB_ACTOR")).unwrap_or_else(unknown);
        let job = (|| {
            let server = variable("GITHUB_SERVER_URL")?;
            Some(format!(
                "{server}/{}/actions/runs/{}",
                variable("GITHUB_REPOSITORY")?,
                variable("GITHUB_RUN_ID")?
            ))
        })();
        return (actor, "github-actions".to_owned(), job);
    }
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    (
        user.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw())),
        "system user".to_owned(),
        None,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who_in(pairs: &[(&str, &str)]) -> (String, String, Option<String>) {
        from_environment(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_person_who_reran_a_job_is_named_before_its_author() {
        let (actor, source, job) = who_in(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "author"),
            ("GITHUB_TRIGGERING_ACTOR", "rerunner"),
            ("GITHUB_SERVER_URL", "https://forge.example"),
            ("GITHUB_REPOSITORY", "acme/web"),
            ("GITHUB_RUN_ID", "7"),
        ]);
        assert_eq!((actor.as_str(), source.as_str()), ("rerunner", "github-actions"));
        assert_eq!(job.as_deref(), Some("https://forge.example/acme/web/actions/runs/7"));
    }

    #[test]
    fn outside_ci_it_is_the_system_user() {
        assert_eq!(who_in(&[("USER", "alice")]), ("alice".to_owned(), "system user".to_owned(), None));
    }
}
