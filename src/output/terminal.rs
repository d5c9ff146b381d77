//! The only writer to stdout and stderr.

use std::{
    io::{self, BufRead, BufWriter, Write},
    sync::Arc,
};

use super::{
    Problem,
    progress::Progress,
    streams::{Outlet, Screen},
    style::{Paint, Role},
    visible::visible,
};
pub use super::{
    color::ColorChoice,
    streams::{Kind, Streams},
};

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Errors only.
    Quiet,
    /// Warnings and what is being done.
    #[default]
    Normal,
    /// Every step.
    Verbose,
}

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Go on.
    Given,
    /// Anything but the expected word.
    Declined,
    /// There is nobody to ask: stdin or stderr is not a terminal.
    NobodyThere,
}

/// What a person is asked before a write.
#[derive(Clone, Copy, Debug)]
pub enum Question<'a> {
    /// Only the word `yes` will do.
    Apply {
        /// The target, as the plan names it.
        target: &'a str,
    },
    /// Only the target's name will do, since objects will be gone.
    Delete {
        /// The target's name.
        target: &'a str,
        /// How many objects.
        count: usize,
    },
}

/// stdout for the result, stderr for everything about the run.
pub struct Terminal {
    out: BufWriter<Outlet>,
    out_kind: Kind,
    out_paint: Paint,
    err: Arc<Screen>,
    err_kind: Kind,
    err_paint: Paint,
    input: Box<dyn BufRead + Send>,
    input_kind: Kind,
    level: Level,
}

impl Terminal {
    /// The terminal of this process, with colours by the rules of [`ColorChoice::paint`].
    pub fn new(color: ColorChoice, level: Level) -> Self {
        let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Terminal::on(Streams::standard(), color, level, variable)
    }

    /// A terminal on other streams, in another environment.
    pub fn on(
        streams: Streams,
        color: ColorChoice,
        level: Level,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        Terminal {
            out: BufWriter::with_capacity(64 * 1024, Outlet::Open(streams.out)),
            out_kind: streams.out_kind,
            out_paint: color.paint(streams.out_kind, &variable),
            err: Arc::new(Screen::new(streams.err)),
            err_kind: streams.err_kind,
            err_paint: color.paint(streams.err_kind, &variable),
            input: streams.input,
            input_kind: streams.input_kind,
            level,
        }
    }

    /// Where the result goes. A reader that went away is no error; a full disk is.
    pub fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Whether the result gets colours.
    pub fn paint(&self) -> Paint {
        self.out_paint
    }

    /// What stdout is connected to.
    pub fn out_kind(&self) -> Kind {
        self.out_kind
    }

    /// How much is said.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether a question can be answered.
    pub fn can_ask(&self) -> bool {
        self.input_kind == Kind::Terminal && self.err_kind == Kind::Terminal
    }

    /// Says what is being done.
    pub fn status(&mut self, text: &str) {
        if self.level >= Level::Normal {
            self.say(format!("{}\n", visible(text)));
        }
    }

    /// Says what only a curious person wants to know.
    pub fn detail(&mut self, text: &str) {
        if self.level >= Level::Verbose {
            self.say(format!("{}\n", self.err_paint.apply(Role::Aside, &visible(text))));
        }
    }

    /// Says what a person should know although the run goes on.
    pub fn warning(&mut self, text: &str) {
        if self.level >= Level::Normal {
            self.say(format!("{} {}\n", self.err_paint.apply(Role::Warning, "warning:"), visible(text)));
        }
    }

    /// Says what went wrong, at every level.
    pub fn problem(&mut self, problem: &Problem) {
        self.say(problem.render(self.err_paint));
    }

    /// Says something at any time, from any thread.
    pub fn teller(&self) -> impl Fn(&str) + Send + 'static {
        let err = self.err.clone();
        move |text| err.tell(&format!("{}\n", visible(text)))
    }

    /// An observer that shows progress on stderr: a bar on a screen, now and
    /// then a line elsewhere, nothing for short work or at [`Level::Quiet`].
    pub fn progress(&self) -> Progress {
        Progress::new(self.err.clone(), self.err_kind, self.level)
    }

    /// Asks on stderr and waits for the answer.
    ///
    /// # Errors
    /// The plan could not be shown, or the answer not be read.
    pub fn confirm(&mut self, question: Question<'_>) -> io::Result<Consent> {
        if !self.can_ask() {
            return Ok(Consent::NobodyThere);
        }
        self.out.flush()?;
        let (words, expected) = match question {
            Question::Apply { target } => {
                (format!("apply this to {}? only `yes` will do: ", visible(target)), "yes")
            }
            Question::Delete { target, count } => {
                let objects = if count == 1 { "object" } else { "objects" };
                let name = visible(target);
                (
                    format!(
                        "this deletes {count} {objects}; type the name of the target, `{name}`, to go on: "
                    ),
                    target,
                )
            }
        };
        self.err.tell(&self.err_paint.apply(Role::Heading, &words));
        let mut answer = String::new();
        self.input.read_line(&mut answer)?;
        let answer = answer.strip_suffix('\n').unwrap_or(&answer);
        let answer = answer.strip_suffix('\r').unwrap_or(answer);
        Ok(if answer == expected { Consent::Given } else { Consent::Declined })
    }

    /// Hands over everything that was written. To be called before the process ends.
    ///
    /// # Errors
    /// The result did not get out, for another reason than that nobody reads it.
    pub fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// On a screen, what was said before comes out before.
    fn say(&mut self, lines: String) {
        if self.out_kind == Kind::Terminal {
            // A failure stays in the buffer and shows up in `finish`.
            let _ = self.out.flush();
        }
        self.err.tell(&lines);
    }
}
