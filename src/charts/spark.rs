use leptos::prelude::*;

use super::scale::{Scale, line_and_area, x};

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 32.0;
const EDGE: f64 = 2.0;

/// The course of a figure as a small line without axes; where there is no value the line goes on to the next.
/// Decoration: the figure stands beside it, the values in the chart's table.
pub fn sparkline(values: &[Option<i64>]) -> Option<AnyView> {
    (values.iter().flatten().count() > 1 && values.iter().flatten().any(|value| *value != 0)).then(|| {
        let (line, area) = paths(values);
        view! {
            <svg class="spark" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                <path class="area" d=area/>
                <path class="line" d=line vector-effect="non-scaling-stroke"/>
            </svg>
        }
        .into_any()
    })
}

fn paths(values: &[Option<i64>]) -> (String, String) {
    let scale = Scale::covering(values.iter().flatten().copied());
    let y = |value| EDGE + scale.y(value, HEIGHT - 2.0 * EDGE);
    let known = values.iter().enumerate().filter_map(|(i, value)| Some((i, (*value)?)));
    let points: Vec<_> = known.map(|(i, value)| (x(i, values.len(), WIDTH), y(value))).collect();
    line_and_area(&points, y(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_keeps_inside_its_edges_and_fills_to_zero() {
        let (line, area) = paths(&[Some(0), Some(100), Some(-100)]);
        assert_eq!(line, "M0 16L60 2L120 30");
        assert!(area.ends_with("L120 16L0 16Z"), "{area}");
    }

    #[test]
    fn a_day_without_a_value_is_no_dive() {
        assert_eq!(paths(&[Some(100), None, Some(100)]).0, "M0 2L120 2");
    }
}
