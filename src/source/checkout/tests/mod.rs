//! The checkout against real repositories.

mod contents;
mod merging;
mod names;
mod opening;
mod random;
mod work_tree;
