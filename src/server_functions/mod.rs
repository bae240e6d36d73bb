//! Server functions, under `/_fn`. Each is thin: who asks, one service call, and for forms where to go next. The JSON
//! API under `/api` speaks to the same services.

/// Password, time zone, sessions, keys and theme.
pub mod account;
/// The admin's cache page.
pub mod admin;
/// The audit log.
pub mod audit;
/// Logging in and out.
pub mod auth;
/// Many products or orders at once.
pub mod bulk;
/// The health of the cache, and what admins do to it.
pub mod cache_health;
/// A vendor's dashboard.
pub mod dashboard;
/// Where somebody was in a list.
pub mod lists;
/// A vendor's orders.
pub mod orders;
/// What a vendor notes down of a day.
pub mod own_notes;
/// People whom an admin looks after.
pub mod people;
/// A vendor's products.
pub mod products;
/// The request that a page answers.
pub mod request;
/// What comes back.
pub mod returns;
/// The admin's view of vendors.
pub mod vendors;
/// Views of the dashboard that somebody saves.
pub mod views;
