use leptos::prelude::*;

use super::scale::{Scale, labelled, line_and_area, rounded, x};
use crate::{components::change::Change, domain::money::Currency, format, islands::Readout, words};

/// Pixels between the lowest and the highest tick.
const HEIGHT: f64 = 240.0;
/// The width that paths are drawn in; the browser stretches it to the width there is.
const WIDTH: f64 = 1000.0;
/// The most labels below the axis; narrow screens hide every second one.
const MOST_LABELS: usize = 8;

/// One point of the chart and the point of the comparison at the same position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// In full, for the readout.
    pub label: String,
    /// For the axis.
    pub short: String,
    /// `None` where there is none: an hour that has not begun, an average of nothing.
    pub value: Option<i64>,
    /// Whether what it covers is not over.
    pub is_unfinished: bool,
    /// Label and value.
    pub before: Option<(String, Option<i64>)>,
    /// What happened there.
    pub note: Option<String>,
    /// Whether it is a Saturday or a Sunday.
    pub is_weekend: bool,
}

/// How values of a chart are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Money(Currency),
    Count,
    /// In tenths of a percent.
    Percent,
}

impl Unit {
    pub fn text(self, value: Option<i64>) -> String {
        match (self, value) {
            (_, None) => "—".to_owned(),
            (Self::Money(currency), Some(value)) => format::money(currency, value),
            (Self::Count, Some(value)) => format::count(value),
            (Self::Percent, Some(value)) => format::percent(value),
        }
    }

    fn axis_text(self, tick: i64, step: i64) -> String {
        match self {
            Self::Money(currency) => format::axis_money(currency, tick, step),
            Self::Count => format::axis_count(tick, step),
            Self::Percent => format::percent(tick),
        }
    }
}

/// Values over time as a line, the comparison as a dashed one behind it. `title` names the chart for those who do not
/// see it; `now` and `before` are the legend.
pub fn line_chart(marks: &[Mark], unit: Unit, title: String, now: String, before: Option<String>) -> AnyView {
    let values = marks.iter().flat_map(|mark| [mark.value, mark.before.as_ref().and_then(|(_, value)| *value)]);
    let scale = Scale::covering(values.flatten());
    // Where all is zero, the other end of the axis means nothing.
    let is_flat = marks.iter().all(|mark| {
        mark.value.unwrap_or(0) == 0 && mark.before.as_ref().is_none_or(|(_, value)| value.unwrap_or(0) == 0)
    });
    let ticks = scale.places().map(|tick| {
        let text = tick.filter(|tick| !is_flat || *tick == 0).map(|tick| unit.axis_text(tick, scale.step));
        view! { <li>{text}</li> }
    });
    let ticks = ticks.collect::<Vec<_>>();
    let before =
        before.map(|before| view! { <span class="key before" data-idle=before.clone()>{before.clone()}</span> });
    view! {
        <div class="legend">
            <span class="key now" data-idle=now.clone()>{now.clone()}</span>
            {before}
            <span class="difference"></span>
        </div>
        <div class="plot">
            <ol class="ticks" aria-hidden="true">{ticks}</ol>
            // An island makes it a slider to those who listen; without scripts it does nothing, and is nothing.
            <div class="canvas" data-own="">
                <svg class="lines" width="100%" height=HEIGHT + 28.0 role="img" aria-label=title
                    data-marks=readout(marks, unit, &scale)>
                    {drawing(marks, &scale)}
                    <line class="cursor" x1="0" x2="0" y1="0" y2=HEIGHT/>
                    <circle class="at before" cx="0" cy="-99" r="4"/>
                    <circle class="at now" cx="0" cy="-99" r="4.5"/>
                </svg>
            </div>
        </div>
        <Readout/>
    }
    .into_any()
}

/// What the island says of each point, a line a point: text and height of the point and of the comparison's, and the
/// difference.
fn readout(marks: &[Mark], unit: Unit, scale: &Scale) -> String {
    let lines = marks.iter().map(|mark| {
        let y = |value: Option<i64>| value.map(|value| scale.y(value, HEIGHT).to_string()).unwrap_or_default();
        let so_far = if mark.is_unfinished { format!(" {}", words::SO_FAR) } else { String::new() };
        // A name may hold what stands between the parts here.
        let note = mark
            .note
            .as_deref()
            .map(|note| format!(" · {}", note.replace(['\t', '\n', '\r'], " ")))
            .unwrap_or_default();
        let now = format!("{}: {}{so_far}{note}", mark.label, unit.text(mark.value));
        let Some((label, before)) = &mark.before else { return format!("{now}\t{}", y(mark.value)) };
        let difference = match (mark.value, before) {
            (Some(value), Some(before)) => {
                let sign = if value > *before { "+" } else { "" };
                format!(
                    "{} ({sign}{})",
                    Change::between(Some(*before), Some(value)).text(),
                    unit.text(Some(value - before))
                )
            }
            _ => String::new(),
        };
        format!("{now}\t{}\t{label}: {}\t{}\t{difference}", y(mark.value), unit.text(*before), y(*before))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Grid, lines and labels: all that does not move.
fn drawing(marks: &[Mark], scale: &Scale) -> AnyView {
    let count = marks.len();
    let zero = scale.y(0, HEIGHT);
    let path = |values: Vec<(usize, i64)>| {
        let points: Vec<_> =
            values.into_iter().map(|(i, value)| (x(i, count, WIDTH), scale.y(value, HEIGHT))).collect();
        line_and_area(&points, zero)
    };
    let known = |mark: &&(usize, &Mark)| mark.1.value.is_some();
    let all: Vec<(usize, &Mark)> = marks.iter().enumerate().collect();
    let value = |(i, mark): &(usize, &Mark)| (*i, mark.value.unwrap_or_default());
    // What is not over is drawn apart, from the last point that is.
    let finished: Vec<_> = all.iter().filter(known).filter(|(_, mark)| !mark.is_unfinished).map(value).collect();
    let unfinished = all.iter().filter(known).filter(|(_, mark)| mark.is_unfinished).map(value);
    let rest: Vec<_> = finished.last().copied().into_iter().chain(unfinished).collect();
    let (line, area) = path(finished);
    let (rest, _) = path(if rest.len() > 1 { rest } else { Vec::new() });
    let (before, _) = path(all.iter().filter_map(|(i, mark)| Some((*i, mark.before.as_ref()?.1?))).collect());
    let grid = scale
        .ticks
        .iter()
        .map(|tick| {
            let y = scale.y(*tick, HEIGHT);
            view! { <line class=if *tick == 0 { "zero" } else { "grid" } x1="0" x2="100%" y1=y y2=y/> }
        })
        .collect_view();
    let labels = labelled(count, MOST_LABELS)
        .enumerate()
        .map(|(position, i)| {
            let (at, anchor) = (x(i, count, 100.0), anchor(i, count));
            view! {
                <text class=if position % 2 == 1 { "label minor" } else { "label" } x=format!("{at}%") y=HEIGHT + 20.0
                    text-anchor=anchor>
                    {marks[i].short.clone()}
                </text>
            }
        })
        .collect_view();
    // A line through one point cannot be seen.
    let lone = marks.first().filter(|_| count == 1).and_then(|mark| mark.value);
    let lone = lone.map(|value| view! { <circle class="dot" cx="50%" cy=scale.y(value, HEIGHT) r="4.5"/> });
    let noted = marks.iter().enumerate().filter(|(_, mark)| mark.note.is_some()).map(|(i, _)| {
        let at = x(i, count, 100.0);
        view! { <circle class="noted" cx=format!("{at}%") cy=HEIGHT r="3.5"/> }
    });
    let noted = noted.collect::<Vec<_>>();
    view! {
        {weekends(marks)}
        {grid}
        <svg width="100%" height=HEIGHT viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none">
            <path class="area" d=area/>
            <path class="before" d=before vector-effect="non-scaling-stroke"/>
            <path class="line" d=line vector-effect="non-scaling-stroke"/>
            <path class="line rest" d=rest vector-effect="non-scaling-stroke"/>
        </svg>
        {lone}
        {noted}
        {labels}
    }
    .into_any()
}

/// Weekends, each from half a day before its first to half a day behind its last day.
fn weekends(marks: &[Mark]) -> Vec<AnyView> {
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
fn anchor(index: usize, count: usize) -> &'static str {
    match index {
        _ if count < 2 => "middle",
        0 => "start",
        i if i + 1 == count => "end",
        _ => "middle",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(i: usize, value: Option<i64>, before: Option<i64>) -> Mark {
        let before = before.map(|before| (format!("Before {i}"), Some(before)));
        Mark {
            label: format!("Day {i}"),
            short: format!("{i}"),
            value,
            is_unfinished: false,
            before,
            note: None,
            is_weekend: false,
        }
    }

    fn drawn(marks: &[Mark]) -> String {
        let unit = Unit::Money(Currency::parse("EUR").unwrap());
        Owner::new().with(|| line_chart(marks, unit, "Sales".to_owned(), "Now".to_owned(), None).to_html())
    }

    fn chart(values: &[(i64, Option<i64>)]) -> String {
        let marks: Vec<_> =
            values.iter().enumerate().map(|(i, (value, before))| mark(i, Some(*value), *before)).collect();
        drawn(&marks)
    }

    #[test]
    fn the_line_runs_from_edge_to_edge_and_below_zero_where_values_do() {
        let html = chart(&[(0, None), (100_000, None), (-100_000, None)]);
        assert!(html.contains("d=\"M0 120L500 0L1000 240\""), "{html}");
        assert!(html.contains("class=\"zero\""), "{html}");
        assert!(html.contains("−€1k"), "{html}");
    }

    #[test]
    fn a_shorter_comparison_ends_where_its_points_end() {
        let html = chart(&[(100, Some(100)), (100, Some(100)), (100, None)]);
        assert!(html.contains("d=\"M0 0L500 0\""), "{html}");
    }

    #[test]
    fn one_point_is_a_dot_and_none_is_an_empty_chart() {
        assert!(chart(&[(500, None)]).contains("class=\"dot\""));
        assert!(!chart(&[]).contains("class=\"dot\""));
    }

    #[test]
    fn what_is_not_over_is_drawn_apart_and_what_has_not_begun_not_at_all() {
        let mut marks = [
            mark(0, Some(0), Some(100)),
            mark(1, Some(100), Some(100)),
            mark(2, Some(50), Some(100)),
            mark(3, None, Some(100)),
        ];
        marks[2].is_unfinished = true;
        let html = drawn(&marks);
        assert!(
            html.contains("class=\"line\" d=\"M0 240L333.33 0\"") || html.contains("d=\"M0 240L333.33 0\""),
            "{html}"
        );
        assert!(html.contains("d=\"M333.33 0L666.67 120\""), "the rest begins where the line ends: {html}");
        assert!(html.contains("Day 2: €0.50 so far\t120\tBefore 2: €1.00\t0\t−50.0% (−€0.50)"), "{html}");
        assert!(html.contains("Day 3: —\t\tBefore 3: €1.00\t0\t"), "{html}");
    }

    #[test]
    fn a_weekend_is_one_band_and_stays_inside_the_chart() {
        let mut marks = [0, 1, 2, 3, 4].map(|i| mark(i, Some(1), None));
        for i in [0, 3, 4] {
            marks[i].is_weekend = true;
        }
        let html = drawn(&marks);
        assert_eq!(html.matches("class=\"weekend\"").count(), 2, "{html}");
        assert!(html.contains("x=\"0%\" width=\"12.5%\"") && html.contains("x=\"62.5%\" width=\"37.5%\""), "{html}");
    }

    #[test]
    fn what_happened_is_marked_and_told_with_its_point() {
        let mut marks = [mark(0, Some(0), None), mark(1, Some(100), None)];
        marks[1].note = Some("Mug:\tsold out".to_owned());
        let html = drawn(&marks);
        assert!(html.contains("Day 1: €1.00 · Mug: sold out\t0"), "{html}");
        assert_eq!(html.matches("class=\"noted\"").count(), 1, "{html}");
    }

    #[test]
    fn nothing_is_styled_inline_and_nothing_can_be_focused_before_scripts_run() {
        let html = chart(&[(1, Some(2)), (3, Some(4))]);
        assert!(!html.contains("style=") && !html.contains("tabindex") && !html.contains("slider"), "{html}");
    }
}
