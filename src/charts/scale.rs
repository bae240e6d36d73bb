//! Where values go on an axis.

/// An axis whose ends and ticks are round numbers, zero always among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Ascending, evenly spaced; the first is the lower end of the axis, the last the upper.
    pub ticks: Vec<i64>,
    /// The distance between two ticks.
    pub step: i64,
}

/// Steps between ticks aimed at.
const STEPS: i64 = 5;

impl Scale {
    /// Covers every value and zero, with 1, 2, 2.5 or 5 times a power of ten between ticks; a step is never below one
    /// minor unit.
    pub fn covering(values: impl IntoIterator<Item = i64>) -> Self {
        let (low, high) =
            values.into_iter().fold((0, 0), |(low, high): (i64, i64), value| (low.min(value), high.max(value)));
        let step = round_step((high - low) / STEPS + i64::from((high - low) % STEPS != 0));
        let first = low.div_euclid(step);
        let last = (high + step - 1).div_euclid(step).max(first + 1);
        Self { ticks: (first..=last).map(|tick| tick * step).collect(), step }
    }

    /// How far below the top `value` lies on an axis of this `height`.
    pub fn y(&self, value: i64, height: f64) -> f64 {
        let (low, high) = (self.ticks[0], self.ticks[self.ticks.len() - 1]);
        rounded((high - value) as f64 / (high - low) as f64 * height)
    }
}

/// The smallest of 1, 2, 5, 10, 20, 25, 50, 100, 200, 250 … that is at least `least`.
fn round_step(least: i64) -> i64 {
    let mut power = 1_i64;
    loop {
        for step in [power, power.saturating_mul(2), power.saturating_mul(25) / 10, power.saturating_mul(5)] {
            if step >= least && step % power.min(5) == 0 {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// Hundredths are finer than any screen; fewer digits make a smaller page.
pub fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// Where the `index`th of `count` points lies between 0 and `width`; a single one in the middle.
pub fn x(index: usize, count: usize, width: f64) -> f64 {
    if count < 2 { width / 2.0 } else { rounded(index as f64 / (count - 1) as f64 * width) }
}

/// At most `most` of `count` positions, evenly spaced from the first on.
pub fn labelled(count: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..count).step_by(count.saturating_sub(1).div_ceil(most.saturating_sub(1).max(1)).max(1))
}

/// A path through the points, and the same closed along `base` for filling.
pub fn line_and_area(points: &[(f64, f64)], base: f64) -> (String, String) {
    let mut line = String::with_capacity(points.len() * 12);
    for (i, (x, y)) in points.iter().enumerate() {
        line.push_str(&format!("{}{x} {y}", if i == 0 { 'M' } else { 'L' }));
    }
    let area = match (points.first(), points.last()) {
        (Some(first), Some(last)) => format!("{line}L{} {base}L{} {base}Z", last.0, first.0),
        _ => String::new(),
    };
    (line, area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_evenly_spaced_and_cover_the_values_and_zero() {
        for (values, ticks) in [
            (vec![0, 930], vec![0, 200, 400, 600, 800, 1000]),
            (vec![100, 1_234_567], vec![0, 250_000, 500_000, 750_000, 1_000_000, 1_250_000]),
            (vec![-300, 900], vec![-500, -250, 0, 250, 500, 750, 1000]),
            (vec![-7, -1], vec![-8, -6, -4, -2, 0]),
            (vec![0, 3], vec![0, 1, 2, 3]),
            (vec![0], vec![0, 1]),
            (vec![], vec![0, 1]),
        ] {
            assert_eq!(Scale::covering(values).ticks, ticks);
        }
    }

    #[test]
    fn no_axis_of_the_largest_amounts_overflows() {
        let most = 1 << 53;
        let scale = Scale::covering([-most, most]);
        assert!(scale.ticks[0] <= -most && scale.ticks[scale.ticks.len() - 1] >= most);
    }

    #[test]
    fn the_top_of_the_axis_is_its_last_tick_and_the_bottom_its_first() {
        let scale = Scale::covering([-300, 900]);
        assert_eq!([scale.y(1000, 240.0), scale.y(-500, 240.0), scale.y(0, 240.0)], [0.0, 240.0, 160.0]);
    }

    #[test]
    fn points_spread_over_the_width_and_one_alone_stands_in_the_middle() {
        assert_eq!([x(0, 5, 100.0), x(2, 5, 100.0), x(4, 5, 100.0), x(0, 1, 100.0)], [0.0, 50.0, 100.0, 50.0]);
    }

    #[test]
    fn labels_never_exceed_what_fits_and_begin_with_the_first() {
        for count in 0..400 {
            for most in 2..9 {
                let labels: Vec<_> = labelled(count, most).collect();
                assert!(labels.len() <= most, "{count} {most}: {labels:?}");
                assert!(count == 0 || labels[0] == 0);
            }
        }
        assert_eq!(labelled(28, 5).collect::<Vec<_>>(), [0, 7, 14, 21]);
    }

    #[test]
    fn an_area_closes_along_its_base() {
        let (line, area) = line_and_area(&[(0.0, 10.0), (50.0, 2.5)], 20.0);
        assert_eq!((line.as_str(), area.as_str()), ("M0 10L50 2.5", "M0 10L50 2.5L50 20L0 20Z"));
        assert_eq!(line_and_area(&[], 20.0), (String::new(), String::new()));
    }
}
