use leptos::prelude::*;

pub use super::columns::FEW;
use super::{
    apart::{anchor, returned_bar, so_far, weekends},
    columns::{columns, middle, now},
    scale::{Scale, labelled, line_and_area, rounded, x},
};
use crate::{components::change::Change, domain::money::Currency, format, islands::Readout, words};

/// Pixels between the lowest and the highest tick.
pub(super) const HEIGHT: f64 = 240.0;
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
    /// What is drawn of the comparison where it is more than what is compared: all of a day, beside a part of one.
    pub before_whole: Option<i64>,
    /// What came back: a part of what the value is short of.
    pub returns: Option<i64>,
    /// What happened there.
    pub note: Option<String>,
    /// Whether it is a Saturday or a Sunday.
    pub is_weekend: bool,
}

impl Mark {
    /// What is drawn of the comparison.
    pub(super) fn drawn_before(&self) -> Option<i64> {
        let (_, compared) = self.before.as_ref()?;
        self.before_whole.or(*compared)
    }
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

/// Values over time as a line, the comparison as a dashed one behind it; few of them as bars side by side. `title` names the chart for those who do not
/// see it; `now` and `before` are the legend.
pub fn line_chart(marks: &[Mark], unit: Unit, title: String, now: String, before: Option<String>) -> AnyView {
    let values = marks.iter().flat_map(|mark| [mark.value, mark.drawn_before(), mark.returns]);
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
    let has_returns = marks.iter().any(|mark| mark.returns.is_some());
    let returned = has_returns.then(|| {
        view! {
            <span>
                <svg width="20" height="8" aria-hidden="true">{returned_bar("4", "12", 0.0, 8.0)}</svg> {words::CAME_BACK}
            </span>
        }
    });
    let before =
        before.map(|before| view! { <span class="key before" data-idle=before.clone()>{before.clone()}</span> });
    view! {
        <div class="legend">
            <span class="key now" data-idle=now.clone()>{now.clone()}</span>
            {before}
            {returned}
            <span class="difference"></span>
        </div>
        <div class="plot">
            <ol class="ticks" aria-hidden="true">{ticks}</ol>
            // An island makes it a slider to those who listen; without scripts it does nothing, and is nothing.
            <div class="canvas" data-own="">
                <svg class="lines" width="100%" height=HEIGHT + 28.0 role="img" aria-label=title
                    data-marks=readout(marks, unit, &scale) data-bars=(marks.len() <= FEW).then_some("")>
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
        let returned = mark.returns.map(|returns| format!(" · {} {}", words::CAME_BACK, unit.text(Some(returns))));
        let returned = returned.unwrap_or_default();
        let now = format!("{}: {}{so_far}{returned}{note}", mark.label, unit.text(mark.value));
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

/// Grid, lines or bars, and labels: all that does not move.
fn drawing(marks: &[Mark], scale: &Scale) -> AnyView {
    let count = marks.len();
    let are_few = count <= FEW;
    let zero = scale.y(0, HEIGHT);
    let place = |i: usize| if are_few { middle(i, count) } else { x(i, count, 100.0) };
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
            let (at, anchor) = (place(i), if are_few { "middle" } else { anchor(i, count) });
            view! {
                <text class=if position % 2 == 1 { "label minor" } else { "label" } x=format!("{at}%") y=HEIGHT + 20.0
                    text-anchor=anchor>
                    {marks[i].short.clone()}
                </text>
            }
        })
        .collect_view();
    let noted = marks.iter().enumerate().filter(|(_, mark)| mark.note.is_some()).map(|(i, _)| {
        view! { <circle class="noted" cx=format!("{}%", place(i)) cy=HEIGHT r="3.5"/> }
    });
    let noted = noted.collect::<Vec<_>>();
    // As wide as there is room for between two points, and no wider than can be told from a bar of its own.
    let thin = rounded((60.0 / count.max(1) as f64).min(1.0));
    let (from, width) = if are_few { now(marks) } else { (-thin / 2.0, thin) };
    let returned = marks.iter().enumerate().filter_map(|(i, mark)| {
        let y = scale.y(mark.returns?, HEIGHT);
        let at = rounded((place(i) + from).clamp(0.0, 100.0 - width));
        Some(returned_bar(format!("{at}%"), format!("{width}%"), y.min(zero), rounded((y - zero).abs())))
    });
    let returned = returned.collect::<Vec<_>>();
    let shapes = if are_few { columns(marks, scale) } else { lines(marks, scale) };
    view! {
        {weekends(marks)}
        {grid}
        {shapes}
        {returned}
        {so_far(marks, scale)}
        {noted}
        {labels}
    }
    .into_any()
}

/// The line of what is over, and the comparison as it is in the end.
fn lines(marks: &[Mark], scale: &Scale) -> AnyView {
    let count = marks.len();
    let path = |value: fn(&Mark) -> Option<i64>| {
        let known = marks.iter().enumerate().filter_map(|(i, mark)| Some((i, value(mark)?)));
        let points: Vec<_> = known.map(|(i, value)| (x(i, count, WIDTH), scale.y(value, HEIGHT))).collect();
        line_and_area(&points, scale.y(0, HEIGHT))
    };
    let (line, area) = path(|mark| mark.value.filter(|_| !mark.is_unfinished));
    let (before, _) = path(Mark::drawn_before);
    view! {
        <svg width="100%" height=HEIGHT viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none">
            <path class="area" d=area/>
            <path class="before" d=before vector-effect="non-scaling-stroke"/>
            <path class="line" d=line vector-effect="non-scaling-stroke"/>
        </svg>
    }
    .into_any()
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
            before_whole: None,
            returns: None,
            note: None,
            is_weekend: false,
        }
    }

    /// As many as are drawn as a line, the first ones with these values and the others as the last one of these.
    fn many(values: &[(i64, Option<i64>)]) -> Vec<Mark> {
        let last = *values.last().unwrap();
        let values = values.iter().copied().chain(std::iter::repeat(last)).take(9).enumerate();
        values.map(|(i, (value, before))| mark(i, Some(value), before)).collect()
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
        let html = drawn(&many(&[(0, None), (100_000, None), (-100_000, None)]));
        assert!(html.contains("d=\"M0 120L125 0L250 240L375 240") && html.contains("L1000 240\""), "{html}");
        assert!(html.contains("class=\"zero\""), "{html}");
        assert!(html.contains("−€1k"), "{html}");
    }

    #[test]
    fn a_shorter_comparison_ends_where_its_points_end() {
        let html = drawn(&many(&[(100, Some(100)), (100, Some(100)), (100, None)]));
        assert!(html.contains("d=\"M0 0L125 0\""), "{html}");
    }

    #[test]
    fn few_points_are_bars_beside_those_of_the_comparison_and_none_are_an_empty_chart() {
        let html = chart(&[(500, Some(250)), (500, None)]);
        assert!(html.contains("data-bars") && !html.contains("class=\"line\""), "{html}");
        assert_eq!((html.matches("class=\"column\"").count(), html.matches("class=\"column before\"").count()), (2, 1));
        assert!(html.contains("height=\"240\"") && html.contains("height=\"120\""), "{html}");
        assert!(!chart(&[]).contains("class=\"column"));
        let many = drawn(&many(&[(500, None)]));
        assert!(!many.contains("data-bars") && !many.contains("class=\"column"), "{many}");
    }

    #[test]
    fn what_is_not_over_stands_apart_with_no_line_to_it_beside_the_whole_of_its_comparison() {
        let mut marks = many(&[(100, Some(100))]);
        let last = &mut marks[8];
        (last.value, last.is_unfinished) = (Some(25), true);
        (last.before, last.before_whole) = (Some(("Before 8 until 09:00".to_owned(), Some(50))), Some(100));
        let html = drawn(&marks);
        assert!(html.contains("L875 0\"") && !html.contains("L1000 180"), "the line ends with what is over: {html}");
        assert!(html.contains("L1000 0\""), "the comparison does not fall: {html}");
        assert!(html.contains("class=\"rest\"") && html.contains(">so far<"), "{html}");
        assert!(html.contains("Day 8: €0.25 so far\t180\tBefore 8 until 09:00: €0.50\t120\t−50.0% (−€0.25)"), "{html}");
        // Hours that have not begun have no point.
        (marks[8].value, marks[8].is_unfinished) = (None, false);
        let html = drawn(&marks);
        assert!(!html.contains(">so far<") && html.contains("Day 8: —\t\tBefore 8"), "{html}");
    }

    #[test]
    fn what_came_back_is_a_bar_of_its_own_and_is_told_with_its_point() {
        let mut marks = many(&[(100, None)]);
        assert!(!drawn(&marks).contains("returned"));
        marks[3].returns = Some(50);
        let html = drawn(&marks);
        assert!(html.contains("y=\"120\" height=\"120\""), "{html}");
        assert!(html.contains("Day 3: €1.00 · Returns €0.50\t0") && html.contains("</svg>Returns<"), "{html}");
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
