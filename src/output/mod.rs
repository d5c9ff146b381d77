//! Words and colours: what a run answers, in every format.
//!
//! Commands hand over [`Plans`], [`Reports`], [`Logs`] or [`Providers`], and
//! [`Outputs`] says where they go and in which format.

mod answer;
mod color;
mod format;
pub mod human;
mod hunks;
pub mod json;
pub mod markdown;
mod patch;
pub mod progress;
pub mod save;
mod streams;
pub mod style;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod unified;
mod view;
pub mod visible;
mod words;
mod yaml;

pub use answer::{
    Applied, Explain, Given, KindInfo, Log, Logs, Missing, Plans, Problem, ProviderInfo, Providers, Reports,
    Sheet, Verb, Why, Whys,
};
pub use format::{Bytes, Detail, Format, Look, Sink};
pub use view::{Outputs, View, apart, check};
pub use words::count;
