//! Charts as SVG, made where the page is made: no script draws them. Positions along the width are in percent and those
//! along the height in pixels, so that a chart fits any width while its text keeps its size.

/// What stands beside lines: weekends, what came back, what is not over.
mod apart;
/// Bars inside the cells of a table.
pub mod bars;
/// A few values over time.
mod columns;
/// Values over a stretch of time, with what happened in it.
pub mod course;
/// Values over time, with a comparison.
pub mod line;
/// Axes.
mod scale;
/// Small lines without axes.
pub mod spark;
