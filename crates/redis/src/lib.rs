//! Connections to Redis that mend themselves.
//!
//! [`Router`] takes an address (one server, a master that sentinels watch over, or a cluster) and carries commands to
//! the servers that have their keys. Underneath, a [`Link`] is one connection with a timeout for every request and a
//! circuit breaker: while a server does not answer, requests fail at once. Each answer says which server process gave
//! it, so that a caller can tell a server from the one that took its place. [`subscription`] hears what is published on
//! a channel.
//!
//! Knows nothing of what is kept in Redis.
#![warn(clippy::large_futures)]

/// Where Redis is.
pub mod address;
/// Redis Cluster: which member has which key.
mod cluster;
/// What can go wrong.
mod error;
/// What a server is.
mod identity;
/// One connection that mends itself.
mod link;
/// Waiting on a busy machine.
mod patience;
/// From commands to connections.
mod router;
/// Hearing what is published.
pub mod subscription;
/// What TLS connections go by.
mod tls;
/// Asking together.
mod together;

pub use address::Address;
pub use error::{ConnectError, RedactedUrl, RequestError};
pub use identity::info_field;
pub use link::{Link, LinkStatus};
pub use router::{Answer, Routed, Router};
pub use tls::Tls;
