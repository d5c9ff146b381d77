//! The live state of the objects that a plan asks for.

pub mod cluster;
pub mod explain;
pub mod list_filter;
pub mod list_order;
pub mod lists;
pub mod query;
pub mod sides;
