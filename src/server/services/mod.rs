//! The only place where cache meets database: every read that may be cached, and every write with what it invalidates.

pub mod accounts;
pub mod analytics;
pub mod catalog;
pub mod orders;
