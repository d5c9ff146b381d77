//! Text for people; free to change, so scripts read JSON.

mod log;
mod plan;
mod problem;
mod providers;
mod report;
mod why;

pub use log::logs;
pub use plan::plans;
pub use problem::problem;
pub use providers::providers;
pub use report::reports;
pub use why::whys;
