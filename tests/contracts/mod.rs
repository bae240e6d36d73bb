//! One suite for every database and every store.

/// Snapshots of real marketplaces against a second tool.
mod crosscheck;
/// Rollups and snapshots against the raw rows.
mod figures;
/// Marketplace bundles and the demo.
mod import;
/// Who may know whom.
mod layers;
/// Pages of orders, through the cache.
mod listings;
/// What the databases read for a snapshot.
mod plans;
/// The rate limits' script against their arithmetic.
mod rate_limit;
/// What is cached as JSON, and its numbers.
mod schemas;
/// Session stores, and what happens at the same time.
mod sessions;
/// A day of a marketplace, on a clock of its own.
mod simulation;
/// Where figures like these are got wrong elsewhere.
mod traps;
