//! What is whole after something broke, and what nobody notices of it.

/// Two instances behind a balancer, sharing one Redis.
mod balancer;
/// What is wrong with an installation, and what is not.
mod doctor;
/// The program, killed in the middle of its writes.
mod killed;
/// Redis, gone and back again.
mod redis_restart;
/// What a running instance is deprived of.
mod running;
/// Instances that were given different secrets.
mod secrets;
/// What it cannot start with.
mod starting;
/// An instance that is told to stop.
mod stopping;
/// What a collector of traces gets.
mod traces;
/// Sessions of which the database cannot be asked.
mod unasked;
