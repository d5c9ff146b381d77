//! The three-tree comparison.
