//! When people buy what in the demo marketplace.

/// Demand in each month, January to December.
pub(super) type Season = [f64; 12];

pub(super) const GIFTS: Season = [0.75, 0.95, 0.85, 0.9, 1.05, 0.85, 0.75, 0.8, 0.9, 1.05, 1.5, 1.9];
pub(super) const WINTER: Season = [1.4, 1.25, 1.0, 0.8, 0.65, 0.5, 0.45, 0.55, 0.9, 1.25, 1.5, 1.6];
pub(super) const SUMMER: Season = [0.55, 0.6, 0.8, 1.0, 1.25, 1.5, 1.6, 1.35, 1.0, 0.75, 0.65, 0.8];
pub(super) const SOUTHERN_SUMMER: Season = [1.6, 1.35, 1.05, 0.85, 0.65, 0.55, 0.55, 0.65, 0.85, 1.0, 1.25, 1.65];
pub(super) const STEADY: Season = [1.0, 0.95, 1.0, 0.98, 1.0, 0.95, 0.92, 0.95, 1.02, 1.05, 1.15, 1.2];
pub(super) const DESK: Season = [1.15, 0.9, 1.25, 1.3, 0.9, 0.85, 0.8, 1.1, 1.25, 1.0, 1.0, 1.1];

pub(super) const LEISURE: [f64; 7] = [0.92, 0.88, 0.92, 0.97, 1.05, 1.15, 1.2];
pub(super) const OFFICE: [f64; 7] = [1.2, 1.2, 1.15, 1.1, 0.95, 0.65, 0.75];
/// The weekend is Friday and Saturday.
pub(super) const GULF: [f64; 7] = [0.95, 0.95, 0.98, 1.1, 1.15, 1.1, 0.9];
