//! A text that grows as long as it stays within a budget.

use std::fmt::Write as _;

/// Room for the sentence that says what was left out.
const RESERVE: usize = 300;

/// A text within a budget.
pub struct Page {
    text: String,
    budget: usize,
    cut: Vec<String>,
}

impl Page {
    /// A page that starts with `head`, which is there whatever the budget is.
    pub fn new(head: String, budget: usize) -> Self {
        Page { text: head, budget: budget.saturating_sub(RESERVE), cut: Vec::new() }
    }

    /// How many bytes may still come.
    pub fn room(&self) -> usize {
        self.budget.saturating_sub(self.text.len())
    }

    /// Adds `piece` if it fits.
    pub fn add(&mut self, piece: &str) -> bool {
        let fits = piece.len() <= self.room();
        if fits {
            self.text.push_str(piece);
        }
        fits
    }

    /// Adds a list of items, each of whole lines, as far as they fit.
    pub fn list(&mut self, title: &str, noun: &str, items: impl Iterator<Item = String>) {
        let (mut shown, mut all) = (0, 0);
        for item in items {
            all += 1;
            let piece = if shown == 0 { format!("\n{title}\n\n{item}") } else { item };
            shown += usize::from(self.add(&piece));
        }
        self.count(noun, shown, all);
    }

    /// Notes how much of something is shown.
    pub fn count(&mut self, noun: &str, shown: usize, all: usize) {
        if shown < all {
            self.cut.push(format!("{} of {all} {noun}", all - shown));
        }
    }

    /// The text, with a sentence that counts what did not fit.
    pub fn finish(mut self, whole: &str) -> String {
        if !self.cut.is_empty() {
            let _ = write!(self.text, "\nCut for length: {}. All of it: `{whole}`.\n", self.cut.join(", "));
        }
        self.text
    }
}
