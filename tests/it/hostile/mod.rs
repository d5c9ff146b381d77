//! What somebody means ill with, and what must not come of it.

mod server;
