//! HTTP.

pub mod context;
