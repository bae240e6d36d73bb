//! One suite for every database and every store.

/// What the page of the cache looks back on.
mod cache_health;
/// Days and hours where clocks were set oddly.
mod clock_changes;
/// Connections, wherever what holds them is dropped.
mod connections;
/// Snapshots of real marketplaces against a second tool.
mod crosscheck;
/// Customers of a day that is not over.
mod customers;
/// Which tables can be cut by vendor.
mod cutting;
/// Rollups and snapshots against the raw rows.
mod figures;
/// Marketplace bundles and the demo.
mod import;
/// Who may know whom.
mod layers;
/// Pages of orders, through the cache.
mod listings;
/// What runs out.
mod low_stock;
/// What the databases read for a snapshot.
mod plans;
/// The rate limits' script against their arithmetic.
mod rate_limit;
/// Lists, page after page.
mod reading_on;
/// What is cached as JSON, and its numbers.
mod schemas;
/// Names without case and accents.
mod searching;
/// Session stores, and what happens at the same time.
mod sessions;
/// A day of a marketplace, on a clock of its own.
mod simulation;
/// Lists of orders by each column.
mod sorted_orders;
mod sorted_products;
/// Where figures like these are got wrong elsewhere.
mod traps;
