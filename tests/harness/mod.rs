//! Starts what the tests need.

/// Redis servers.
pub mod redis;
