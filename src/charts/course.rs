use leptos::prelude::*;

use super::scale::{Scale, labelled, line_and_area, rounded, x};
use crate::islands::Readout;

/// Pixels between the lowest and the highest tick.
const HEIGHT: f64 = 180.0;
/// The width that paths are drawn in; the browser stretches it to the width there is.
const WIDTH: f64 = 1000.0;
/// Pixels of the strip below, in which ticks say how much happened.
const STRIP: f64 = 12.0;
const MOST_LABELS: usize = 5;
/// What a moment's number takes of the width of a narrow chart, and of the height.
const NUMBER_WIDTH: f64 = 0.07;
const NUMBER_HEIGHT: f64 = 12.0;

/// Values over one stretch of time. `class` is how it is drawn: `a` to `d`.
pub struct Series {
    pub name: &'static str,
    pub class: &'static str,
    pub values: Vec<Option<i64>>,
}

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Lines,
    /// Bars, one series upon the other.
    Stacked,
}

/// Something that happened at a moment: a line across the chart with a number, that a list beside it explains.
pub struct Moment {
    /// From 0, the beginning of the first point, to 1, the end of the last.
    pub place: f64,
    pub number: usize,
    pub class: &'static str,
}

/// All that a chart of a course shows.
pub struct CourseChart<'a> {
    /// Names it for those who do not see it.
    pub title: String,
    pub shape: Shape,
    pub series: Vec<Series>,
    /// Of each point: in full, and as the axis wants it.
    pub labels: &'a [(String, String)],
    pub scale: Scale,
    /// How a value is written, and a tick of the axis.
    pub text: fn(i64) -> String,
    pub moments: &'a [Moment],
    /// How much happened in each point, for the strip below.
    pub strip: &'a [u64],
}

/// The chart, with its legend; to be put into a `<figure>`.
pub fn course_chart(chart: &CourseChart<'_>) -> AnyView {
    let ticks = chart.scale.places().map(|tick| {
        let text = tick.map(chart.text);
        view! { <li>{text}</li> }
    });
    let legend = chart.series.iter().enumerate().map(|(place, series)| {
        let class = format!("key {}{}", series.class, if place == 0 { " now" } else { "" });
        view! { <span class=class data-idle=(place == 0).then_some(series.name)>{series.name}</span> }
    });
    view! {
        <div class="legend">{legend.collect::<Vec<_>>()}</div>
        <div class="plot">
            <ol class="ticks" aria-hidden="true">{ticks.collect::<Vec<_>>()}</ol>
            <div class="canvas" data-own="">
                <svg class="lines" width="100%" height=HEIGHT + STRIP + 26.0 role="img" aria-label=chart.title.clone()
                    data-marks=readout(chart) data-bars=(chart.shape == Shape::Stacked).then_some("")>
                    {drawing(chart)}
                    <line class="cursor" x1="0" x2="0" y1="0" y2=HEIGHT/>
                    <circle class="at now" cx="0" cy="-99" r="4"/>
                </svg>
            </div>
        </div>
        <Readout/>
    }
    .into_any()
}

/// What the island says of each point, a line a point: text, and height of the first series.
fn readout(chart: &CourseChart<'_>) -> String {
    let lines = chart.labels.iter().enumerate().map(|(i, (label, _))| {
        let at = |series: &Series| series.values.get(i).copied().flatten();
        let told: Vec<_> = chart
            .series
            .iter()
            .map(|series| format!("{} {}", series.name, at(series).map_or_else(|| "—".to_owned(), chart.text)))
            .collect();
        let y = match chart.shape {
            Shape::Lines => chart.series.first().and_then(at).map(|value| chart.scale.y(value, HEIGHT).to_string()),
            Shape::Stacked => None,
        };
        format!("{label}: {}\t{}", told.join(", "), y.unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn drawing(chart: &CourseChart<'_>) -> AnyView {
    let count = chart.labels.len();
    let grid = chart.scale.ticks.iter().map(|tick| {
        let y = chart.scale.y(*tick, HEIGHT);
        view! { <line class=if *tick == 0 { "zero" } else { "grid" } x1="0" x2="100%" y1=y y2=y/> }
    });
    let labels = labelled(count, MOST_LABELS).enumerate().map(|(position, i)| {
        let anchor = match i {
            0 => "start",
            i if i + 1 == count => "end",
            _ => "middle",
        };
        let class = if position % 2 == 1 { "label minor" } else { "label" };
        let at = match chart.shape {
            Shape::Lines => x(i, count, 100.0),
            Shape::Stacked => rounded((i as f64 + 0.5) / count.max(1) as f64 * 100.0),
        };
        view! {
            <text class=class x=format!("{at}%") y=HEIGHT + STRIP + 18.0 text-anchor=anchor>
                {chart.labels[i].1.clone()}
            </text>
        }
    });
    let paths: Vec<(&str, String)> = match chart.shape {
        Shape::Lines => chart.series.iter().map(|series| (series.class, line(series, &chart.scale))).collect(),
        Shape::Stacked => stacked(&chart.series, &chart.scale, count),
    };
    let is_filled = chart.shape == Shape::Stacked;
    let paths = paths.into_iter().map(|(class, path)| {
        let class = format!("{} {class}", if is_filled { "bars" } else { "line" });
        view! { <path class=class d=path vector-effect="non-scaling-stroke"/> }
    });
    let moments = chart.moments.iter().zip(rows_of_numbers(chart.moments)).map(|(moment, row)| {
        let at = format!("{}%", rounded(moment.place.clamp(0.0, 1.0) * 100.0));
        let (anchor, beside) = if is_left_of_its_line(moment) { ("end", "-3") } else { ("start", "3") };
        let y = 10.0 + row as f64 * NUMBER_HEIGHT;
        view! {
            <line class=format!("moment {}", moment.class) x1=at.clone() x2=at.clone() y1="0" y2=HEIGHT/>
            // Whatever is drawn below, the number can be read.
            <text
                class="number" x=at y=y dx=beside text-anchor=anchor
                paint-order="stroke" stroke="var(--surface)" stroke-width="3"
            >
                {moment.number}
            </text>
        }
    });
    view! {
        {grid.collect::<Vec<_>>()}
        <svg width="100%"
            height=HEIGHT + STRIP viewBox=format!("0 0 {WIDTH} {}", HEIGHT + STRIP) preserveAspectRatio="none">
            {paths.collect::<Vec<_>>()}
            <path class="strip" d=strip(chart.strip)/>
        </svg>
        {moments.collect::<Vec<_>>()}
        {labels.collect::<Vec<_>>()}
    }
    .into_any()
}

fn is_left_of_its_line(moment: &Moment) -> bool {
    moment.place > 1.0 - NUMBER_WIDTH
}

/// In which row each moment's number stands, from above: the first one in which no number before it is in the way.
fn rows_of_numbers(moments: &[Moment]) -> Vec<usize> {
    // Where the last number of each row ends.
    let mut ends: Vec<f64> = Vec::new();
    let rows = moments.iter().map(|moment| {
        let begins = if is_left_of_its_line(moment) { moment.place - NUMBER_WIDTH } else { moment.place };
        let row = ends.iter().position(|end| *end <= begins).unwrap_or(ends.len());
        let end = begins + NUMBER_WIDTH;
        match ends.get_mut(row) {
            Some(known) => *known = end,
            None => ends.push(end),
        }
        row
    });
    rows.collect()
}

/// A line that breaks where there is no value; a value that stands alone is a short stroke.
fn line(series: &Series, scale: &Scale) -> String {
    let count = series.values.len();
    let mut path = String::new();
    let mut run: Vec<(f64, f64)> = Vec::new();
    let half = WIDTH / count.max(2) as f64 / 3.0;
    for (i, value) in series.values.iter().enumerate().chain([(count, &None)]) {
        match value {
            Some(value) => run.push((x(i, count, WIDTH), scale.y(*value, HEIGHT))),
            None => {
                if let [(x, y)] = run[..] {
                    run = vec![(rounded((x - half).max(0.0)), y), (rounded((x + half).min(WIDTH)), y)];
                }
                path.push_str(&line_and_area(&run, HEIGHT).0);
                run.clear();
            }
        }
    }
    path
}

/// The outline of every bar, one path a series.
fn stacked(series: &[Series], scale: &Scale, count: usize) -> Vec<(&'static str, String)> {
    let width = WIDTH / count.max(1) as f64;
    let mut below = vec![0_i64; count];
    let paths = series.iter().map(|series| {
        let mut path = String::new();
        for (i, value) in series.values.iter().enumerate() {
            let value = value.unwrap_or(0);
            if value > 0 {
                let (bottom, top) = (scale.y(below[i], HEIGHT), scale.y(below[i] + value, HEIGHT));
                let (left, right) =
                    (rounded(i as f64 * width + width * 0.1), rounded((i + 1) as f64 * width - width * 0.1));
                path.push_str(&format!("M{left} {bottom}V{top}H{right}V{bottom}Z"));
                below[i] += value;
            }
        }
        (series.class, path)
    });
    paths.collect()
}

/// A tick for each point in which something happened, taller the more there was.
fn strip(much: &[u64]) -> String {
    let most = much.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = WIDTH / much.len().max(1) as f64;
    let mut path = String::new();
    for (i, much) in much.iter().enumerate().filter(|(_, much)| **much > 0) {
        let height = 3.0 + (STRIP - 4.0) * (*much as f64 / most).sqrt();
        let (left, right) = (rounded(i as f64 * width), rounded((i as f64 + 1.0) * width - width * 0.1));
        let (top, bottom) = (HEIGHT + 2.0, rounded(HEIGHT + 2.0 + height));
        path.push_str(&format!("M{left} {top}V{bottom}H{right}V{top}Z"));
    }
    path
}

/// An axis for percent.
pub fn percent_scale() -> Scale {
    Scale::between(0, 10_000, 2_500)
}

/// An axis for these values, one upon the other where they are stacked.
pub fn scale_of(series: &[Series], shape: Shape) -> Scale {
    let count = series.iter().map(|series| series.values.len()).max().unwrap_or(0);
    let at = |i: usize| series.iter().map(move |series| series.values.get(i).copied().flatten().unwrap_or(0));
    match shape {
        Shape::Lines => Scale::covering(series.iter().flat_map(|series| series.values.iter().copied().flatten())),
        Shape::Stacked => Scale::covering((0..count).map(|i| at(i).sum())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[Option<i64>]) -> Series {
        Series { name: "Hits", class: "a", values: values.to_vec() }
    }

    #[test]
    fn a_line_breaks_where_nothing_was_counted_and_a_lone_value_can_be_seen() {
        let scale = percent_scale();
        let path = line(&series(&[Some(10_000), Some(0), None, Some(5_000), None]), &scale);
        assert_eq!(path, "M0 0L250 180M683.33 90L816.67 90");
        assert_eq!(line(&series(&[None, None]), &scale), "");
    }

    #[test]
    fn numbers_of_moments_that_are_close_stand_below_each_other() {
        let rows = |places: &[f64]| {
            let moment = |(number, place): (usize, &f64)| Moment { place: *place, number, class: "other" };
            rows_of_numbers(&places.iter().enumerate().map(moment).collect::<Vec<_>>())
        };
        assert_eq!(rows(&[0.1, 0.2, 0.5]), [0, 0, 0], "they are far apart");
        assert_eq!(rows(&[0.1, 0.1, 0.11, 0.18]), [0, 1, 2, 0]);
        assert_eq!(rows(&[0.9, 0.96, 0.99]), [0, 1, 2], "at the end they stand left of their lines");
    }

    #[test]
    fn bars_stand_upon_each_other() {
        let both = [series(&[Some(1)]), Series { name: "Misses", class: "b", values: vec![Some(3)] }];
        let scale = scale_of(&both, Shape::Stacked);
        assert_eq!(scale.ticks.last(), Some(&4));
        let paths = stacked(&both, &scale, 1);
        assert_eq!(paths[0].1, "M100 180V135H900V180Z");
        assert_eq!(paths[1].1, "M100 135V0H900V135Z");
    }

    #[test]
    fn what_is_read_names_every_series() {
        let labels = [("14:05".to_owned(), "14:05".to_owned())];
        let chart = CourseChart {
            title: String::new(),
            shape: Shape::Lines,
            series: vec![series(&[Some(9_650)]), Series { name: "p99", class: "b", values: vec![None] }],
            labels: &labels,
            scale: percent_scale(),
            text: |value| format!("{value}"),
            moments: &[],
            strip: &[],
        };
        assert_eq!(readout(&chart), "14:05: Hits 9650, p99 —\t6.3");
    }
}
