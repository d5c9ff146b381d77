//! What somebody means ill with, and what must not come of it.

mod approval;
mod checkout;
mod ignorance;
mod server;
mod waits;
