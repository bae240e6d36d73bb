/// Stores, entries, generations, single flight.
mod cache;
/// Rollups and snapshots against the raw rows.
mod figures;
/// Marketplace bundles and the demo.
mod import;
