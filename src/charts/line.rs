use leptos::prelude::*;

use super::scale::{Scale, labelled, line_and_area, x};
use crate::{domain::money::Currency, format};

/// Pixels between the lowest and the highest tick.
const HEIGHT: f64 = 240.0;
/// The width that paths are drawn in; the browser stretches it to the width there is.
const WIDTH: f64 = 1000.0;
/// The most labels below the axis; narrow screens hide every second one.
const MOST_LABELS: usize = 8;

/// One point of the chart and the point of the comparison at the same position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// In full, for the table and the readout.
    pub label: String,
    /// For the axis.
    pub short: String,
    pub value: i64,
    /// Label and value.
    pub before: Option<(String, i64)>,
}

/// Amounts over time as a line, the comparison as a dashed one behind it. `title` names the chart for those who do not see it;
/// `now` and `before` are the legend.
#[component]
pub fn LineChart(marks: Vec<Mark>, currency: Currency, title: String, now: String, before: Option<String>) -> impl IntoView {
    let scale = Scale::covering(marks.iter().flat_map(|mark| [mark.value, mark.before.as_ref().map_or(0, |(_, value)| *value)]));
    let ticks = scale.ticks.iter().rev().map(|tick| view! { <li>{format::axis_money(currency, *tick, scale.step)}</li> }).collect_view();
    let drawing = drawing(&marks, &scale);
    let count = marks.len();
    let points: Vec<(String, String)> =
        marks.iter().enumerate().map(|(i, mark)| (format!("{}%", x(i, count, 100.0)), scale.y(mark.value, HEIGHT).to_string())).collect();

    // The point that is read out: under the pointer, or chosen with the arrow keys.
    let (active, set_active) = signal(None::<usize>);
    let (hydrated, set_hydrated) = signal(false);
    Effect::new(move |_| set_hydrated.set(true));
    let move_to = move |place: f64| {
        if count > 0 {
            set_active.set(Some(((place * (count - 1) as f64).round() as usize).min(count - 1)));
        }
    };
    let by_key = move |event: leptos::ev::KeyboardEvent| {
        let last = count.saturating_sub(1);
        let next = match (event.key().as_str(), active.get_untracked()) {
            ("ArrowRight" | "ArrowUp", Some(i)) => Some((i + 1).min(last)),
            ("ArrowLeft" | "ArrowDown", Some(i)) => Some(i.saturating_sub(1)),
            ("ArrowRight" | "ArrowUp" | "Home", _) => Some(0),
            ("ArrowLeft" | "ArrowDown" | "End", _) => Some(last),
            ("Escape", _) => None,
            _ => return,
        };
        event.prevent_default();
        set_active.set(next);
    };
    let marks = StoredValue::new(marks);
    let mark = move || active.get().and_then(|i| marks.with_value(|marks| marks.get(i).cloned()));
    let has_before = before.is_some();
    let now_text = move || mark().map_or_else(|| now.clone(), |mark| format!("{}: {}", mark.label, format::money(currency, mark.value)));
    let before_text = move || match mark() {
        Some(Mark { before: Some((label, value)), .. }) => format!("{label}: {}", format::money(currency, value)),
        Some(_) => "—".to_owned(),
        None => before.clone().unwrap_or_default(),
    };
    let spoken = move || {
        mark().map(|mark| {
            let before = mark.before.map(|(label, value)| format!("; {label}: {}", format::money(currency, value))).unwrap_or_default();
            format!("{}: {}{before}", mark.label, format::money(currency, mark.value))
        })
    };
    let cursor = move || {
        active.get().and_then(|i| points.get(i).cloned()).map(|(x, y)| {
            view! {
                <line class="cursor" x1=x.clone() x2=x.clone() y1="0" y2=HEIGHT/>
                <circle class="dot" cx=x cy=y r="4.5"/>
            }
        })
    };
    view! {
        <div class="legend">
            <span class="key now">{now_text}</span>
            {has_before.then(|| view! { <span class="key before">{before_text}</span> })}
        </div>
        <div class="plot">
            <ol class="ticks" aria-hidden="true">{ticks}</ol>
            // A slider to those who listen: its value is the point read out. Only once scripts run, for it does nothing without.
            <div
                class="canvas"
                tabindex=move || hydrated.get().then_some("0")
                role=move || hydrated.get().then_some("slider")
                aria-label=move || hydrated.get().then_some("Read the chart point by point")
                aria-valuemin=move || hydrated.get().then_some("1")
                aria-valuemax=move || hydrated.get().then(|| count.max(1).to_string())
                aria-valuenow=move || hydrated.get().then(|| active.get().map_or(1, |i| i + 1).to_string())
                aria-valuetext=spoken
                on:pointermove=move |event| {
                    let width = f64::from(event_target::<leptos::web_sys::HtmlElement>(&event).offset_width());
                    if width > 0.0 {
                        move_to((f64::from(event.offset_x()) / width).clamp(0.0, 1.0));
                    }
                }
                on:pointerleave=move |_| set_active.set(None)
                on:blur=move |_| set_active.set(None)
                on:keydown=by_key
            >
                <svg class="lines" width="100%" height=HEIGHT + 28.0 role="img" aria-label=title>
                    {drawing}
                    {cursor}
                </svg>
            </div>
        </div>
    }
}

/// Grid, lines and labels: all that does not move.
fn drawing(marks: &[Mark], scale: &Scale) -> AnyView {
    let count = marks.len();
    let zero = scale.y(0, HEIGHT);
    let path = |values: Vec<(usize, i64)>| {
        let points: Vec<_> = values.into_iter().map(|(i, value)| (x(i, count, WIDTH), scale.y(value, HEIGHT))).collect();
        line_and_area(&points, zero)
    };
    let (line, area) = path(marks.iter().map(|mark| mark.value).enumerate().collect());
    let (before, _) = path(marks.iter().enumerate().filter_map(|(i, mark)| Some((i, mark.before.as_ref()?.1))).collect());
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
                <text class=if position % 2 == 1 { "label minor" } else { "label" } x=format!("{at}%") y=HEIGHT + 20.0 text-anchor=anchor>
                    {marks[i].short.clone()}
                </text>
            }
        })
        .collect_view();
    // A line through one point cannot be seen.
    let lone = (count == 1).then(|| view! { <circle class="dot" cx="50%" cy=scale.y(marks[0].value, HEIGHT) r="4.5"/> });
    view! {
        {grid}
        <svg width="100%" height=HEIGHT viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none">
            <path class="area" d=area/>
            <path class="before" d=before vector-effect="non-scaling-stroke"/>
            <path class="line" d=line vector-effect="non-scaling-stroke"/>
        </svg>
        {lone}
        {labels}
    }
    .into_any()
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

    fn chart(values: &[(i64, Option<i64>)]) -> String {
        let marks: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(i, (value, before))| Mark {
                label: format!("Day {i}"),
                short: format!("{i}"),
                value: *value,
                before: before.map(|b| (format!("Before {i}"), b)),
            })
            .collect();
        Owner::new().with(|| {
            view! { <LineChart marks currency=Currency::parse("EUR").unwrap() title="Sales".to_owned() now="Now".to_owned() before=None/> }.to_html()
        })
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
        assert!(chart(&[(500, None)]).contains("<circle"));
        assert!(!chart(&[]).contains("<circle"));
    }

    #[test]
    fn nothing_is_styled_inline_and_nothing_can_be_focused_before_scripts_run() {
        let html = chart(&[(1, Some(2)), (3, Some(4))]);
        assert!(!html.contains("style=") && !html.contains("tabindex") && !html.contains("slider"), "{html}");
    }
}
