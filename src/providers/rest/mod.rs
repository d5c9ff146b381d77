//! Any API that speaks JSON over HTTP, by definition file.

pub mod condition;
pub mod definition;
pub mod json;
pub mod template;
pub mod yaml;
