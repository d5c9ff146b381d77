//! Who decides about colours.

use std::{fmt, str::FromStr};

use super::{streams::Kind, style::Paint};

/// What `--color` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// As the environment and the stream say.
    #[default]
    Auto,
    /// Colours on every stream.
    Always,
    /// No colours.
    Never,
}

impl ColorChoice {
    /// Every choice with its word.
    pub const ALL: [(ColorChoice, &'static str); 3] =
        [(ColorChoice::Auto, "auto"), (ColorChoice::Always, "always"), (ColorChoice::Never, "never")];

    /// Decides for one stream. `variable` looks up the environment. First
    /// match wins: the choice, `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR=0`,
    /// `TERM=dumb`, whether the stream is a terminal.
    pub fn paint(self, stream: Kind, variable: impl Fn(&str) -> Option<String>) -> Paint {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        match self {
            ColorChoice::Always => Paint::Ansi,
            ColorChoice::Never => Paint::Plain,
            _ if set("NO_COLOR").is_some() => Paint::Plain,
            _ if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => Paint::Ansi,
            _ if set("CLICOLOR").is_some_and(|value| value == "0") => Paint::Plain,
            _ if set("TERM").is_some_and(|value| value == "dumb") => Paint::Plain,
            _ if stream == Kind::Terminal => Paint::Ansi,
            _ => Paint::Plain,
        }
    }
}

impl FromStr for ColorChoice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|(_, name)| *name == word);
        known.map(|(choice, _)| *choice).ok_or_else(|| "expected `auto`, `always` or `never`".to_owned())
    }
}

impl fmt::Display for ColorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(choice, _)| choice == self).map_or("auto", |(_, word)| word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paint(choice: ColorChoice, stream: Kind, environment: &str) -> Paint {
        let variables: Vec<_> =
            environment.split_whitespace().filter_map(|item| item.split_once('=')).collect();
        choice.paint(stream, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        use ColorChoice::{Always, Auto, Never};
        use Kind::{Other, Terminal};
        use Paint::{Ansi, Plain};
        let table = [
            (Auto, Terminal, "", Ansi),
            (Auto, Other, "", Plain),
            (Always, Other, "NO_COLOR=1", Ansi),
            (Never, Terminal, "CLICOLOR_FORCE=1", Plain),
            (Auto, Terminal, "NO_COLOR=1 CLICOLOR_FORCE=1", Plain),
            (Auto, Terminal, "NO_COLOR=", Ansi),
            (Auto, Other, "CLICOLOR_FORCE=1 CLICOLOR=0 TERM=dumb", Ansi),
            (Auto, Other, "CLICOLOR_FORCE=0", Plain),
            (Auto, Terminal, "CLICOLOR=0", Plain),
            (Auto, Terminal, "CLICOLOR=1 TERM=xterm", Ansi),
            (Auto, Terminal, "TERM=dumb", Plain),
            (Auto, Other, "CI=true", Plain),
        ];
        for (choice, stream, environment, expected) in table {
            assert_eq!(paint(choice, stream, environment), expected, "{choice} {stream:?} {environment}");
        }
    }

    #[test]
    fn every_choice_is_read_back() {
        for (choice, word) in ColorChoice::ALL {
            assert_eq!((word.parse(), choice.to_string()), (Ok(choice), word.to_owned()));
        }
    }
}
