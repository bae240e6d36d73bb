//! Where values go on an axis.

/// An axis with ticks at round numbers, zero always among them. It ends near its values, and not at a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Ascending, evenly spaced; all within the axis.
    pub ticks: Vec<i64>,
    /// The distance between two ticks.
    pub step: i64,
    low: i64,
    high: i64,
    /// What the ends of the axis are multiples of; so are the ticks.
    part: i64,
}

/// Steps between ticks aimed at.
const STEPS: i64 = 5;

impl Scale {
    /// Covers every value and zero, with 1, 2, 2.5 or 5 times a power of ten between ticks; a step is never below one
    /// minor unit. At most a quarter of a step is left empty at either end, where it can be divided.
    pub fn covering(values: impl IntoIterator<Item = i64>) -> Self {
        let (low, high) =
            values.into_iter().fold((0, 0), |(low, high): (i64, i64), value| (low.min(value), high.max(value)));
        let step = round_step((high - low) / STEPS + i64::from((high - low) % STEPS != 0));
        let part = [4, 2, 1].into_iter().find(|parts| step % parts == 0).map_or(step, |parts| step / parts);
        let low = low.div_euclid(part) * part;
        let high = ((high + part - 1).div_euclid(part) * part).max(low + part);
        Self::new(low, high, step, part)
    }

    /// From `low` to `high`, both of them ticks.
    pub fn between(low: i64, high: i64, step: i64) -> Self {
        Self::new(low, high, step, step)
    }

    fn new(low: i64, high: i64, step: i64, part: i64) -> Self {
        let first = low.div_euclid(step) + i64::from(low.rem_euclid(step) != 0);
        Self { ticks: (first..=high.div_euclid(step)).map(|tick| tick * step).collect(), step, low, high, part }
    }

    /// The places beside the axis, evenly spaced from its top to its bottom: a tick, or nothing.
    pub fn places(&self) -> impl Iterator<Item = Option<i64>> {
        (0..=(self.high - self.low) / self.part)
            .map(|at| self.high - at * self.part)
            .map(|value| (value % self.step == 0).then_some(value))
    }

    /// How far below the top `value` lies on an axis of this `height`.
    pub fn y(&self, value: i64, height: f64) -> f64 {
        rounded((self.high - value) as f64 / (self.high - self.low) as f64 * height)
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
    fn ticks_are_round_and_the_axis_ends_near_its_values() {
        for (values, ticks, ends) in [
            (vec![0, 930], vec![0, 200, 400, 600, 800], (0, 950)),
            (vec![0, 1_100], vec![0, 250, 500, 750, 1_000], (0, 1_125)),
            (vec![100, 1_234_567], vec![0, 250_000, 500_000, 750_000, 1_000_000, 1_250_000], (0, 1_250_000)),
            (vec![-20_000, 1_000_000], vec![0, 250_000, 500_000, 750_000, 1_000_000], (-62_500, 1_000_000)),
            (vec![-300, 900], vec![-250, 0, 250, 500, 750, 1_000], (-375, 1_000)),
            (vec![-7, -1], vec![-6, -4, -2, 0], (-7, 0)),
            (vec![0, 3], vec![0, 1, 2, 3], (0, 3)),
            (vec![0], vec![0, 1], (0, 1)),
            (vec![], vec![0, 1], (0, 1)),
        ] {
            let scale = Scale::covering(values.clone());
            assert_eq!((scale.ticks.clone(), (scale.low, scale.high)), (ticks.clone(), ends), "{values:?}");
            let mut places: Vec<i64> = scale.places().flatten().collect();
            places.reverse();
            assert_eq!(places, ticks, "every tick has its place");
        }
    }

    #[test]
    fn no_axis_of_the_largest_amounts_overflows() {
        let most = 1 << 53;
        let scale = Scale::covering([-most, most]);
        assert!(scale.low <= -most && scale.high >= most);
        assert!(scale.places().count() < 40);
    }

    #[test]
    fn the_axis_runs_from_its_top_to_its_bottom() {
        let scale = Scale::between(-500, 1_000, 250);
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
