use leptos::prelude::*;

use super::scale::rounded;

/// A bar from `from` to `to` on an axis from `low` to `high`. Decoration: the cell beside it holds the number.
pub fn bar(from: i64, to: i64, low: i64, high: i64, class: &'static str) -> AnyView {
    let (start, length) = placed(from, to, low, high);
    view! {
        <svg class=class aria-hidden="true">
            <rect class="track" width="100%" height="100%" rx="2"/>
            <rect class="fill" x=format!("{start}%") width=format!("{length}%") height="100%" rx="2"/>
        </svg>
    }
    .into_any()
}

/// Start and length in percent of the axis; what is not nothing is at least visible.
fn placed(from: i64, to: i64, low: i64, high: i64) -> (f64, f64) {
    if high <= low {
        return (0.0, 0.0);
    }
    let percent = |value: i64| (value.clamp(low, high) - low) as f64 / (high - low) as f64 * 100.0;
    let (start, end) = (percent(from.min(to)), percent(from.max(to)));
    let length = if from == to { 0.0 } else { (end - start).max(0.5) };
    (rounded(start.min(100.0 - length)), rounded(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_lie_where_their_values_are_in_either_direction() {
        assert_eq!(placed(0, 50, 0, 200), (0.0, 25.0));
        assert_eq!(placed(200, 150, 0, 200), (75.0, 25.0));
        assert_eq!(placed(0, -50, -50, 50), (0.0, 50.0));
    }

    #[test]
    fn nothing_has_no_length_and_little_is_still_visible_inside_the_axis() {
        assert_eq!(placed(0, 0, 0, 100), (0.0, 0.0));
        assert_eq!(placed(99_999, 100_000, 0, 100_000), (99.5, 0.5));
        assert_eq!(placed(0, 0, 0, 0), (0.0, 0.0));
    }
}
