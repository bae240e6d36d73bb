//! Starts what the tests need.
