//! The live state of the objects that a plan asks for.

pub mod attached;
pub mod collection_reader;
pub mod complete;
pub mod condition;
pub mod envelope;
pub mod get_reader;
pub mod list_reader;
pub mod observe;
pub mod pages;
pub mod prefetch;
pub mod reader;
pub mod record_objects;
