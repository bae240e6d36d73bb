//! How long things took, in buckets that instances can add up.

use std::time::Duration;

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// A loader, from its start to its value. Failures are not timed.
    Load,
    /// A lookup that was a hit, from the question to the value.
    Hit,
}

/// Upper bounds of the buckets in µs, each included; one more bucket takes what is longer. From a look into this
/// process to a load that is given up.
const BOUNDS: [u64; 17] = [
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];
const BUCKETS: usize = BOUNDS.len() + 1;
/// Where the sum of all, in µs, stands: after the buckets.
pub(crate) const SUM: usize = BUCKETS;
/// Numbers that one [`Timing`] takes.
pub(crate) const PLACES: usize = BUCKETS + 1;

impl Timing {
    pub const ALL: [Self; 2] = [Self::Load, Self::Hit];

    pub fn name(self) -> &'static str {
        match self {
            Self::Load => "load_time",
            Self::Hit => "hit_time",
        }
    }

    /// The names of its numbers in the store, in their order.
    pub(crate) fn names(self) -> impl Iterator<Item = String> {
        let buckets = BOUNDS.into_iter().map(move |bound| format!("{}_us_le_{bound}", self.name()));
        buckets.chain(["more", "sum"].into_iter().map(move |rest| format!("{}_us_{rest}", self.name())))
    }
}

/// Which bucket something that took so long belongs to.
pub(crate) fn bucket(took: Duration) -> usize {
    BOUNDS.partition_point(|bound| u128::from(*bound) < took.as_micros())
}

/// How often something took how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times([u64; PLACES]);

impl Times {
    pub(crate) fn new(numbers: [u64; PLACES]) -> Self {
        Self(numbers)
    }

    pub fn count(&self) -> u64 {
        self.0[..BUCKETS].iter().sum()
    }

    /// All of them together.
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.0[SUM])
    }

    /// Upper bound of each bucket in seconds (the last has none: infinity), and how many fell into it.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        BOUNDS.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]).zip(self.0[..BUCKETS].iter().copied())
    }

    /// What this share (0 to 1) of them did not exceed, estimated: evenly spread within a bucket, as Prometheus'
    /// `histogram_quantile` has it. What is beyond the last bound counts as that bound. `None` without any.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let wanted = self.count() as f64 * share;
        let (mut below, mut lower) = (0.0, 0);
        for (upper, inside) in BOUNDS.into_iter().zip(self.0).filter(|_| self.count() > 0) {
            let inside = inside as f64;
            if inside > 0.0 && below + inside >= wanted {
                let micros = lower as f64 + (upper - lower) as f64 * ((wanted - below) / inside).max(0.0);
                return Some(Duration::from_nanos((micros * 1e3) as u64));
            }
            below += inside;
            lower = upper;
        }
        (self.count() > 0).then(|| Duration::from_micros(lower))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(each: &[u64]) -> Times {
        let mut numbers = [0; PLACES];
        for micros in each {
            numbers[bucket(Duration::from_micros(*micros))] += 1;
            numbers[SUM] += micros;
        }
        Times::new(numbers)
    }

    #[test]
    fn a_bound_belongs_to_its_bucket_and_one_more_to_the_next() {
        for (place, bound) in BOUNDS.into_iter().enumerate() {
            assert_eq!(
                (bucket(Duration::from_micros(bound)), bucket(Duration::from_micros(bound + 1))),
                (place, place + 1)
            );
        }
        assert_eq!(bucket(Duration::ZERO), 0);
    }

    #[test]
    fn percentiles_lie_in_the_bucket_of_what_they_stand_for() {
        assert_eq!(times(&[]).percentile(0.5), None);
        // 90 of about 2 ms, 9 of about 20 ms, 1 of 8 s.
        let mut all = vec![2_000; 90];
        all.extend([20_000; 9]);
        all.push(8_000_000);
        let all = times(&all);
        assert_eq!((all.count(), all.sum()), (100, Duration::from_micros(8_360_000)));
        let [half, most, nearly_all, every] = [0.5, 0.95, 0.99, 1.0].map(|share| all.percentile(share).expect("some"));
        // 1 ms to 2.5 ms holds 90: the 50th is 50/90 of the way.
        assert_eq!(half.as_micros(), 1_833);
        assert_eq!(most.as_micros(), 10_000 + 15_000 * 5 / 9);
        assert_eq!(nearly_all.as_micros(), 25_000);
        assert_eq!(every, Duration::from_secs(5), "beyond the last bound");
        assert_eq!(all.buckets().map(|(_, inside)| inside).sum::<u64>(), 100);
    }
}
