//! What stands in a chart beside its lines.

use leptos::prelude::*;

use super::{
    columns::{FEW, middle},
    line::{HEIGHT, Mark},
    scale::{Scale, rounded, x},
};
use crate::words;

/// What came back, as a bar on the line of zero.
pub fn returned_bar(x: impl Into<String>, width: impl Into<String>, y: f64, height: f64) -> AnyView {
    view! { <rect class="returned" x=x.into() width=width.into() y=y height=height fill="var(--bad)" fill-opacity="0.6"/> }
        .into_any()
}

/// What is not over stands apart and says so: a line to it would fall every morning.
pub fn so_far(marks: &[Mark], scale: &Scale) -> Option<AnyView> {
    let (count, are_few) = (marks.len(), marks.len() <= FEW);
    let (i, mark) = marks.iter().enumerate().find(|(_, mark)| mark.is_unfinished)?;
    let y = scale.y(mark.value?, HEIGHT);
    let is_alone = marks.iter().all(|mark| mark.before.is_none());
    let (at, anchor) = if are_few {
        (middle(i, count), if is_alone { "middle" } else { "start" })
    } else {
        (x(i, count, 100.0), anchor(i, count))
    };
    let circle = (!are_few).then(|| {
        view! {
            <circle class="rest" cx=format!("{at}%") cy=y r="4.5" fill="var(--surface)" stroke="var(--accent)"
                stroke-width="2" stroke-dasharray="2 2"/>
        }
    });
    // Above it, where there is room.
    let text = if y < 24.0 { y + 20.0 } else { y - 10.0 };
    Some(
        view! {
            {circle}
            <text class="label" x=format!("{at}%") y=text text-anchor=anchor paint-order="stroke"
                stroke="var(--surface)" stroke-width="3">
                {words::SO_FAR}
            </text>
        }
        .into_any(),
    )
}

/// Weekends, each from half a day before its first to half a day behind its last day.
pub fn weekends(marks: &[Mark]) -> Vec<AnyView> {
    let mut bands: Vec<(usize, usize)> = Vec::new();
    for (i, _) in marks.iter().enumerate().filter(|(_, mark)| mark.is_weekend) {
        match bands.last_mut() {
            Some((_, end)) if *end + 1 == i => *end = i,
            _ => bands.push((i, i)),
        }
    }
    let steps = marks.len().saturating_sub(1).max(1) as f64;
    let place = |at: f64| rounded((at / steps * 100.0).clamp(0.0, 100.0));
    let bands = bands.into_iter().map(|(first, last)| {
        let (from, to) = (place(first as f64 - 0.5), place(last as f64 + 0.5));
        view! { <rect class="weekend" x=format!("{from}%") width=format!("{}%", rounded(to - from)) height=HEIGHT/> }
            .into_any()
    });
    bands.collect()
}

/// Labels at the ends of the axis stay inside it.
pub fn anchor(index: usize, count: usize) -> &'static str {
    match index {
        _ if count < 2 => "middle",
        0 => "start",
        i if i + 1 == count => "end",
        _ => "middle",
    }
}
