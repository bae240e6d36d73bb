use leptos::prelude::*;

use super::{
    line::{HEIGHT, Mark},
    scale::{Scale, rounded},
};

/// So many points and fewer are drawn as bars: a line between them would tell of what nobody knows.
pub const FEW: usize = 7;
/// The widest that a bar may be, in percent of the chart.
const WIDEST: f64 = 9.0;

/// Where the middle of the `index`th of `count` bars lies, in percent of the width.
pub fn middle(index: usize, count: usize) -> f64 {
    rounded((index as f64 + 0.5) / count.max(1) as f64 * 100.0)
}

/// Where the bar of a point begins, from the middle of its stretch on, and how wide it is; in percent of the width.
pub fn now(marks: &[Mark]) -> (f64, f64) {
    let width = rounded((30.0 / marks.len().max(1) as f64).min(WIDEST));
    let has_before = marks.iter().any(|mark| mark.before.is_some());
    (if has_before { 0.0 } else { rounded(-width / 2.0) }, width)
}

/// A bar for each point, and that of the comparison before it. What is not over has an outline alone.
pub fn columns(marks: &[Mark], scale: &Scale) -> AnyView {
    let count = marks.len();
    let zero = scale.y(0, HEIGHT);
    let (beside_middle, width) = now(marks);
    let bar = move |class: &'static str, fill: &'static str, from: f64, value: i64, is_unfinished: bool| {
        let y = scale.y(value, HEIGHT);
        let outline = is_unfinished.then_some("var(--accent)");
        view! {
            <rect class=class fill=fill x=format!("{}%", rounded(from)) width=format!("{width}%") y=y.min(zero)
                height=rounded((y - zero).abs()) stroke=outline stroke-dasharray=is_unfinished.then_some("3 3")/>
        }
    };
    let bars = marks.iter().enumerate().map(|(i, mark)| {
        let middle = middle(i, count);
        let before = mark.drawn_before().map(|value| bar("column before", "var(--edge)", middle - width, value, false));
        let from = middle + beside_middle;
        let fill = if mark.is_unfinished { "var(--tint)" } else { "var(--accent)" };
        let now = mark.value.map(|value| bar("column", fill, from, value, mark.is_unfinished));
        view! { {before} {now} }
    });
    bars.collect::<Vec<_>>().into_any()
}
