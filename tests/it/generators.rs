//! Chance that is the same in every run: `TRUEUP_SEED` says which, `TRUEUP_TRIALS` how much of it.

use std::env;

/// A generator that is the same everywhere (xorshift64*).
pub struct Dice(u64);

impl Dice {
    /// One that begins at `seed`.
    pub fn new(seed: u64) -> Dice {
        Dice(seed.max(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    /// Whether something happens that does in so many percent of the cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    /// One of four words.
    pub fn word(&mut self) -> String {
        ["a", "b", "c", "d"][self.roll(4) as usize].to_owned()
    }

    /// Some of `all`, in a random order.
    pub fn some<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        let mut left = all.to_vec();
        let mut taken = Vec::new();
        for _ in 0..self.roll(all.len() as u64 + 1) {
            let index = self.roll(left.len() as u64) as usize;
            taken.push(left.remove(index));
        }
        taken
    }

    /// One of `all`.
    pub fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len() as u64) as usize]
    }
}

/// Texts that formats and servers have something to say about.
pub const TEXTS: [&str; 19] = [
    "red",
    "on",
    "0777",
    "1e3",
    "~",
    "",
    "null",
    " lead and trail ",
    "a: b # c",
    "- x",
    "two\nlines\n",
    "no end\nof line",
    "\n\nlate",
    "tab\there",
    "\"quoted\" 'twice' \\ once",
    "{{ not yaml }}",
    "100% /a?b=c&d",
    "Grüße ☃",
    "\u{200b}",
];

/// What the environment says of a random test: the generator, and how many trials, of which each costs as much as
/// `weight` of the cheapest ones.
pub fn throw(trials: usize, weight: usize) -> (Dice, usize) {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<usize>().unwrap());
    let trials = number("TRUEUP_TRIALS").map_or(trials, |count| count.div_ceil(weight));
    (Dice::new(number("TRUEUP_SEED").unwrap_or(7) as u64), trials)
}
