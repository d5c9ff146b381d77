//! One file for each verb: glue between the parts, no decisions.

pub mod attribution;
pub mod past;
pub mod pipeline;
