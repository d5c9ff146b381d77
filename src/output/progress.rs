//! Shows progress on stderr.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    streams::{Kind, Screen},
    terminal::Level,
    visible::visible,
};
use crate::model::{
    event::{Event, Observer},
    report::Verdict,
};

/// When something is shown.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Nothing before a phase took so long.
    first: Duration,
    /// And then so often.
    every: Duration,
}

impl Pace {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Terminal => Pace { first: Duration::from_millis(700), every: Duration::from_millis(100) },
            Kind::Other => Pace { first: Duration::from_secs(10), every: Duration::from_secs(10) },
        }
    }
}

/// Shows what a run is busy with: a bar on a screen, now and then a line
/// elsewhere. Short work shows nothing, so that its output is always the same.
/// What was drawn is gone once this is dropped.
pub struct Progress {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    screen: Arc<Screen>,
    kind: Kind,
    level: Level,
    now: Mutex<Now>,
    ended: Condvar,
}

/// What is going on.
struct Now {
    /// In the present tense; empty between phases.
    what: &'static str,
    total: usize,
    done: usize,
    /// What runs, and what it waits for.
    running: BTreeMap<String, String>,
    since: Instant,
    /// The run is over.
    over: bool,
}

impl Progress {
    pub(super) fn new(screen: Arc<Screen>, kind: Kind, level: Level) -> Self {
        Progress::paced(screen, kind, level, Pace::of(kind))
    }

    fn paced(screen: Arc<Screen>, kind: Kind, level: Level, pace: Pace) -> Self {
        let now =
            Now { what: "", total: 0, done: 0, running: BTreeMap::new(), since: Instant::now(), over: false };
        let shared = Arc::new(Shared { screen, kind, level, now: Mutex::new(now), ended: Condvar::new() });
        let ticking = shared.clone();
        // Without a thread there is no progress to see, and nothing else is lost.
        let ticker = (level > Level::Quiet).then(|| {
            std::thread::Builder::new().name("progress".to_owned()).spawn(move || ticking.tick(pace)).ok()
        });
        Progress { shared, ticker: ticker.flatten() }
    }
}

impl Observer for Progress {
    fn on(&self, event: Event<'_>) {
        let mut now = self.shared.now();
        match event {
            Event::Phase { what, total } => {
                self.shared.clear();
                let since = Instant::now();
                *now = Now { what, total, done: 0, running: BTreeMap::new(), since, over: now.over };
            }
            Event::Step(steps) => now.done += steps,
            Event::Applying(address, _) => _ = now.running.insert(address.to_string(), String::new()),
            Event::Awaiting(address, why) => _ = now.running.insert(address.to_string(), why.to_owned()),
            Event::Ready(address) => {
                now.finish(address.as_str());
                self.shared.log("ready", &visible(address.as_str()));
            }
            Event::Unready(address, why) => {
                now.finish(address.as_str());
                let what = format!("{}: {}", visible(address.as_str()), visible(why));
                self.shared.log(Verdict::Unready.words(), &what);
            }
            Event::Applied(address, action) => {
                now.finish(address.as_str());
                self.shared.log(Verdict::Done.words(), &format!("{action} {}", visible(address.as_str())));
            }
            Event::Failed(address, action, reason) => {
                now.finish(address.as_str());
                let (name, reason) = (visible(address.as_str()), visible(reason));
                self.shared.log(Verdict::Failed.words(), &format!("{action} {name}: {reason}"));
            }
            Event::Done => {
                now.what = "";
                self.shared.clear();
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shared.now().over = true;
        self.shared.ended.notify_all();
        if let Some(ticker) = self.ticker.take() {
            // A panic of the ticker was reported where it happened.
            let _ = ticker.join();
        }
        self.shared.clear();
    }
}

impl Now {
    fn finish(&mut self, address: &str) {
        self.running.remove(address);
        self.done += 1;
    }

    /// What runs at this moment.
    fn busy(&self) -> String {
        let Some((name, why)) = self.running.first_key_value() else { return String::new() };
        let why = if why.is_empty() { String::new() } else { format!(" ({})", visible(why)) };
        match self.running.len() {
            1 => format!("{}{why}", visible(name)),
            count => format!("{}{why} and {} more", visible(name), count - 1),
        }
    }

    /// The same in a sentence.
    fn line(&self) -> String {
        let done = match self.total {
            0 => format!("{} done", self.done),
            total => format!("{} of {total} done", self.done.min(total)),
        };
        let busy = self.busy();
        let busy = if busy.is_empty() { busy } else { format!(", now {busy}") };
        format!("{}: {done}{busy}\n", self.what)
    }
}

impl Shared {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows what is going on until the run is over.
    fn tick(&self, pace: Pace) {
        let mut now = self.now();
        while !now.over {
            now = self.ended.wait_timeout(now, pace.every).unwrap_or_else(PoisonError::into_inner).0;
            if now.over || now.what.is_empty() || now.since.elapsed() < pace.first {
                continue;
            }
            match self.kind {
                Kind::Terminal => self.draw(&now),
                Kind::Other => self.screen.tell(&now.line()),
            }
        }
    }

    fn draw(&self, now: &Now) {
        let mut slot = self.screen.bar();
        let bar = slot.get_or_insert_with(|| {
            let total = u64::try_from(now.total).ok().filter(|total| *total > 0);
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
            bar.with_style(style(now.total)).with_prefix(now.what)
        });
        bar.set_message(now.busy());
        bar.set_position(now.done as u64);
        bar.tick();
    }

    fn clear(&self) {
        if let Some(bar) = self.screen.bar().take() {
            bar.finish_and_clear();
        }
    }

    /// Says how one change ended, to those who want to see every step.
    fn log(&self, verdict: &str, what: &str) {
        if self.level >= Level::Verbose {
            self.screen.tell(&format!("{verdict} {what}\n"));
        }
    }
}

fn style(total: usize) -> ProgressStyle {
    let template = match total {
        0 => "{prefix} {spinner} {pos} {wide_msg}",
        _ => "{prefix} [{bar:24}] {pos}/{len} {wide_msg}",
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{address::Address, change::Action},
        output::tests::samples::Sink,
    };

    fn run(level: Level, pace: Pace, work: impl FnOnce(&Progress)) -> String {
        let sink = Sink::default();
        let screen = Arc::new(Screen::new(Box::new(sink.clone())));
        work(&Progress::paced(screen, Kind::Other, level, pace));
        sink.text()
    }

    fn short(progress: &Progress) {
        let address = Address::new("etc/\x1bmotd");
        progress.on(Event::Phase { what: "applying", total: 2 });
        progress.on(Event::Applying(&address, Action::Update));
        progress.on(Event::Applied(&address, Action::Update));
        progress.on(Event::Applying(&address, Action::Delete));
        progress.on(Event::Failed(&address, Action::Delete, "denied"));
        progress.on(Event::Done);
    }

    #[test]
    fn short_work_shows_nothing() {
        assert_eq!(run(Level::Normal, Pace::of(Kind::Other), short), "");
    }

    #[test]
    fn the_curious_see_every_change() {
        assert_eq!(
            run(Level::Verbose, Pace::of(Kind::Other), short),
            "done update etc/\\x1bmotd\nfailed delete etc/\\x1bmotd: denied\n"
        );
    }

    fn long(progress: &Progress) {
        progress.on(Event::Phase { what: "applying", total: 3 });
        for name in ["a", "b", "c"] {
            progress.on(Event::Applying(&Address::new(name), Action::Update));
        }
        progress.on(Event::Applied(&Address::new("a"), Action::Update));
        std::thread::sleep(Duration::from_millis(100));
    }

    #[test]
    fn long_work_names_what_runs() {
        let pace = Pace { first: Duration::ZERO, every: Duration::from_millis(5) };
        let lines = run(Level::Normal, pace, long);
        assert_eq!(lines.lines().next_back(), Some("applying: 1 of 3 done, now b and 1 more"));
        assert_eq!(run(Level::Quiet, pace, long), "");
    }
}
