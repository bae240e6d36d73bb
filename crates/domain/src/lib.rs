//! Types and rules of a marketplace, without input or output. Builds for the server and for the browser.

/// Who uses Vendorscope, and as what.
pub mod accounts;
/// Sharing an amount out over lines.
pub mod allocation;
/// How a range stands beside what it is compared with.
mod beside;
/// Products, and what may be written to them.
pub mod catalog;
/// Time zones by name, and a vendor's wall clock for the browser, which has no time zone database.
pub mod clock;
/// What is wrong with an input, by field.
pub mod field_error;
/// What the marketplace's backend sends, many at a time.
pub mod ingest;
/// Where days and hours of a wall clock begin.
pub mod local_time;
/// The whole marketplace's figures, as the API serves them.
pub mod market;
/// The same against the time before.
pub mod market_comparison;
/// Currencies and amounts in minor units.
pub mod money;
/// What sells better and worse than before, and what happened.
pub mod movers;
/// What vendors write about orders: new ones and changes.
pub mod order_commands;
/// What a list of orders has to do with the figures.
pub mod order_figures;
/// Orders, their statuses and which of them count.
pub mod orders;
/// What vendors note down of days.
pub mod own_notes;
/// Calendar ranges, comparisons and intervals.
pub mod period;
/// Where a page of a list ended.
pub mod position;
/// Lists of products: what may be asked for, and what a page of one holds.
pub mod product_lists;
/// Refunds as vendors write them.
pub mod refund_commands;
/// What comes back, and why.
pub mod returns;
/// The analytics snapshot, as the API serves it.
pub mod snapshot;
/// Names, ids and longer texts from outside, in one form.
pub mod text;
/// Views of the dashboard that somebody has saved.
pub mod views;
