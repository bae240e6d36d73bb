use leptos::prelude::*;

use super::scale::{Scale, line_and_area, x};

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 32.0;
const EDGE: f64 = 2.0;

/// The course of a figure as a small line without axes. Decoration: the figure stands beside it, the values in the chart's table.
#[component]
pub fn Sparkline(values: Vec<i64>) -> impl IntoView {
    (values.len() > 1 && values.iter().any(|value| *value != 0)).then(|| {
        let (line, area) = paths(&values);
        view! {
            <svg class="spark" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                <path class="area" d=area/>
                <path class="line" d=line vector-effect="non-scaling-stroke"/>
            </svg>
        }
    })
}

fn paths(values: &[i64]) -> (String, String) {
    let scale = Scale::covering(values.iter().copied());
    let y = |value| EDGE + scale.y(value, HEIGHT - 2.0 * EDGE);
    let points: Vec<_> = values.iter().enumerate().map(|(i, value)| (x(i, values.len(), WIDTH), y(*value))).collect();
    line_and_area(&points, y(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_keeps_inside_its_edges_and_fills_to_zero() {
        let (line, area) = paths(&[0, 100, -100]);
        assert_eq!(line, "M0 16L60 2L120 30");
        assert!(area.ends_with("L120 16L0 16Z"), "{area}");
    }
}
