//! Starts what the tests need: applications, databases, Redis, each on a free port and in a folder of its own, and gone
//! with the value that stands for it.

/// The application itself, over a database and stores that a test chooses.
mod app;
/// HAProxy in front of several instances.
mod balancer;
/// A private authority and certificates.
mod certificates;
/// A browser without a screen: requests that keep their cookies.
mod client;
/// A database of a test's own, SQLite or PostgreSQL.
mod database;
/// PostgreSQL that asks for a password and speaks TLS.
mod guarded_postgres;
/// What goes on until enough has happened.
mod lasting;
/// A marketplace small enough to reckon by hand.
mod market;
/// PgBouncer in front of a database.
mod pgbouncer;
/// PostgreSQL: the test run's, or one of this process.
mod postgres;
/// The program as a process of its own.
mod program;
/// The marketplace's OpenID Connect provider.
mod provider;
/// A TCP proxy that can be told to misbehave.
#[path = "../../crates/cache/tests/suite/proxy.rs"]
pub mod proxy;
/// Redis on a free port.
#[allow(dead_code)]
#[path = "../../crates/cache/tests/suite/redis_server.rs"]
pub mod redis;
/// An SMTP server.
mod smtp;
/// What many tests begin with, made once in a run.
mod template;

pub use app::{PASSWORD, TestApp};
pub use balancer::Balancer;
pub use certificates::Certificates;
pub use client::Client;
pub use database::{TestDatabase, databases};
pub use guarded_postgres::GuardedPostgres;
pub use lasting::Lasting;
pub use market::{Market, contents};
pub use pgbouncer::PgBouncer;
pub use program::{NotStarted, Program, SECRET, write_browser_half};
pub use provider::Provider;
pub use redis::{RedisCluster, RedisSentinel, RedisServer};
pub use smtp::Smtp;

use std::{
    io::Read,
    path::PathBuf,
    time::{Duration, Instant},
};

pub use redis::free_port;
use vendorscope::server::import::Progress;

/// Asks until there is an answer, for far longer than anything here takes.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The Northwind bundle, which is part of the project.
pub fn northwind() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/northwind")
}

/// The Complete Journey bundle, which is not. A test that needs it fails without it, and says how to get it.
pub fn complete_journey() -> PathBuf {
    let data = std::env::var_os("VENDORSCOPE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let folder = data.join("complete-journey");
    assert!(
        folder.join("order_items.csv.gz").exists(),
        "the Complete Journey bundle is not at {}: put the folder complete-journey with its five .csv.gz files into \
         ../shared/data beside \
         the checkout, or set VENDORSCOPE_DATA to the folder that holds it (docs/development.md says where it comes \
         from)",
        folder.display()
    );
    folder
}

/// Progress that nobody watches.
pub struct Unwatched;

impl Progress for Unwatched {
    fn phase(&self, _: &str, _: u64) {}
    fn done(&self, _: u64) {}
}

/// A body as it was before it was encoded in this form, `identity` among them.
pub fn decoded(form: &str, body: &[u8]) -> String {
    let mut text = String::new();
    let mut reader: Box<dyn Read + '_> = match form {
        "br" => Box::new(brotli::Decompressor::new(body, 4096)),
        "gzip" => Box::new(flate2::read::GzDecoder::new(body)),
        "zstd" => Box::new(zstd::Decoder::new(body).expect("a decoder")),
        _ => Box::new(body),
    };
    reader.read_to_string(&mut text).expect("a body in the form it says, of text in UTF-8");
    text
}

/// Sockets that this process may still open, by its limit on open files and with some left for files and databases.
pub fn sockets() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    soft.unwrap_or(256).saturating_sub(100)
}
