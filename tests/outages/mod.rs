//! What is whole after something broke, and what nobody notices of it.

/// Two instances behind a balancer, sharing one Redis.
mod balancer;
/// The program, killed in the middle of its writes.
mod killed;
/// Redis, gone and back again.
mod redis_restart;
