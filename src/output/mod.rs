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
mod phrases;
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
mod yaml;

pub use answer::{
    Applied, Explain, KindInfo, Log, Logs, Missing, PlanView, Plans, Problem, ProviderInfo, Providers,
    Reports, SelectionArgs, Verb, Why, Whys,
};
pub use format::{Bytes, Detail, Format, Look, Sink};
pub use phrases::count;
pub use view::{Outputs, View, apart, check};
