//! Everything that needs a server, a database, a Redis or HTTP. One binary: it links once.

/// The JSON API, route by route.
mod api;
/// The program, as it is run from a shell.
mod command_line;
/// One suite for every database and every store: what it promises holds on all of them.
mod contracts;
/// Two instances and more, over HTTP: writers, readers and faults.
mod faults;
/// The thinnest slice, from the address bar to the database and back.
mod first_light;
/// Starts what the tests need, each on a free port and in a folder of its own.
mod harness;
/// What holds for whatever is sent.
mod inputs;
/// What is whole after something broke.
mod outages;
/// The pages, as a browser without scripts gets them.
mod pages;
/// Random histories: what holds after any of them.
mod properties;
