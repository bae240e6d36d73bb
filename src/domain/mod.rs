//! Types and rules of a marketplace, without input or output. Builds for the server and for the browser.

/// Who uses Vendorscope, and as what.
pub mod accounts;
/// Products, and what may be written to them.
pub mod catalog;
/// A vendor's wall clock for the browser, which has no time zone database.
pub mod clock;
/// What is wrong with an input, by field.
pub mod invalid;
/// Currencies and amounts in minor units.
pub mod money;
/// Orders, their statuses and which of them count.
pub mod orders;
/// Calendar ranges, comparisons and intervals.
pub mod period;
/// The analytics snapshot, as the API serves it.
pub mod report;
