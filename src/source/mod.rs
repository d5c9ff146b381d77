//! The checkout: what Git declares.
