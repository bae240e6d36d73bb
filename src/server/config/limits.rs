use std::{num::NonZeroU32, time::Duration};

use super::Reader;

/// So many at once, and as many again spread evenly over `period`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub count: NonZeroU32,
    pub period: Duration,
}

/// What may be asked for how often; `None` for as often as one likes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitConfig {
    /// Failed logins of one account, wherever they come from.
    pub login_account: Option<Limit>,
    /// Failed logins from one address (of an IPv6 address its /64), whatever account they are for.
    pub login_address: Option<Limit>,
    /// Wrong one-time codes of one user, by whoever knows the password; by one browser that is known.
    pub codes: Option<Limit>,
    /// Reads through the API by one user; by one address where nobody is logged in.
    pub reads: Option<Limit>,
    /// Writes, likewise.
    pub writes: Option<Limit>,
    /// Pages that one user opens; one address where nobody is logged in.
    pub pages: Option<Limit>,
    /// Looks at `/readyz` and `/status` from one address, of one instance.
    pub probes: Option<Limit>,
    /// Changes of one vendor's time zone: each dates all of its orders anew, and on SQLite nobody else writes
    /// meanwhile.
    pub zone_changes: Option<Limit>,
    /// Instances that share the limits: while Redis does not answer, each lets in its part.
    pub instances: NonZeroU32,
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self {
            login_account: Limit::new(10, Duration::from_secs(15 * 60)),
            login_address: Limit::new(100, Duration::from_secs(15 * 60)),
            codes: Limit::new(5, Duration::from_secs(60 * 60)),
            reads: Limit::new(3_000, Duration::from_secs(60)),
            writes: Limit::new(600, Duration::from_secs(60)),
            pages: Limit::new(1_200, Duration::from_secs(60)),
            probes: Limit::new(1_200, Duration::from_secs(60)),
            zone_changes: Limit::new(2, Duration::from_secs(24 * 60 * 60)),
            instances: NonZeroU32::MIN,
        }
    }
}

/// More would not be a limit, and the arithmetic stays far from its bounds.
const MOST: u32 = 1_000_000;
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const ACCEPTED: &str = "a number and a time such as 10/15m (s, m or h; 1000000 and 24h at most), or off";

impl Limit {
    /// `None` for nothing at all, or more than the arithmetic is made for.
    pub fn new(count: u32, period: Duration) -> Option<Self> {
        let count = NonZeroU32::new(count).filter(|count| count.get() <= MOST)?;
        (period >= Duration::from_secs(1) && period <= LONGEST).then_some(Self { count, period })
    }

    /// So many times as much, in the same time.
    #[must_use]
    pub fn times(self, factor: NonZeroU32) -> Self {
        Self { count: self.count.saturating_mul(factor), ..self }
    }

    /// Reads `10/15m`.
    fn parse(text: &str) -> Option<Self> {
        let (count, period) = text.split_once('/')?;
        let (period, unit) = period.split_at_checked(period.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            _ => return None,
        };
        Self::new(count.parse().ok()?, Duration::from_secs(period.parse::<u64>().ok()?.checked_mul(seconds)?))
    }
}

pub(super) fn read<V: Fn(&str) -> Option<String>>(reader: &mut Reader<V>) -> LimitConfig {
    let usual = LimitConfig::default();
    let mut limit = |name, usual| {
        let read =
            reader.read(name, ACCEPTED, |text| if text == "off" { Some(None) } else { Limit::parse(text).map(Some) });
        read.unwrap_or(usual)
    };
    LimitConfig {
        login_account: limit("LIMIT_LOGIN_ACCOUNT", usual.login_account),
        login_address: limit("LIMIT_LOGIN_ADDRESS", usual.login_address),
        codes: limit("LIMIT_CODES", usual.codes),
        reads: limit("LIMIT_READS", usual.reads),
        writes: limit("LIMIT_WRITES", usual.writes),
        pages: limit("LIMIT_PAGES", usual.pages),
        probes: limit("LIMIT_PROBES", usual.probes),
        zone_changes: limit("LIMIT_ZONE_CHANGES", usual.zone_changes),
        instances: reader
            .read("INSTANCES", "a whole number from 1 to 1000", |text| {
                text.parse().ok().filter(|n: &NonZeroU32| n.get() <= 1000)
            })
            .unwrap_or(usual.instances),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_and_a_time() {
        for (text, count, seconds) in [("10/15m", 10, 900), ("1/1s", 1, 1), ("1000000/24h", 1_000_000, 86_400)] {
            let limit = Limit::parse(text).unwrap();
            assert_eq!((limit.count.get(), limit.period.as_secs()), (count, seconds), "{text}");
        }
        for text in [
            "",
            "/",
            "10",
            "10/",
            "10/m",
            "10/15",
            "0/1m",
            "10/0m",
            "10/15d",
            "-1/1m",
            "1000001/1m",
            "1/25h",
            "1/1é",
            "1/99999999999999999h",
        ] {
            assert_eq!(Limit::parse(text), None, "{text:?}");
        }
    }
}
