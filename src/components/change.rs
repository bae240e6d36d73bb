//! A figure against the same figure of the comparison.

use leptos::prelude::*;

use crate::domain::money::divide_rounded;
use crate::format;

/// How a figure changed. A base of zero gives no percentage: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing before, something now.
    New,
    /// The same as before, nothing included.
    Same,
    /// Tenths of a percent of the size of the base, up or down; 0 where it is less than half a tenth.
    Percent(i64),
}

impl Change {
    pub fn between(before: Option<i64>, now: Option<i64>) -> Self {
        match (before.unwrap_or(0), now.unwrap_or(0)) {
            (before, now) if before == now => Self::Same,
            (0, _) => Self::New,
            // A negative base (more returned than sold) keeps the sign of the movement: up is up.
            (before, now) => (now - before)
                .checked_mul(1000)
                .and_then(|delta| divide_rounded(delta, before.abs()))
                .map_or(Self::New, Self::Percent),
        }
    }

    /// Whether the change is neither up nor down as far as its text tells.
    pub fn is_level(self) -> bool {
        matches!(self, Self::Same | Self::Percent(0))
    }

    pub fn is_up(self) -> bool {
        matches!(self, Self::New | Self::Percent(1..))
    }

    /// The mark before the text; decoration beside `text` and `words`.
    pub fn arrow(self) -> &'static str {
        match self {
            Self::Same | Self::Percent(0) => "→",
            Self::New | Self::Percent(1..) => "↑",
            Self::Percent(_) => "↓",
        }
    }

    /// `+12.3%`, `−4.0%`, `new`, `no change`.
    pub fn text(self) -> String {
        match self {
            Self::New => "new".to_owned(),
            Self::Same => "no change".to_owned(),
            Self::Percent(0) => "±0.0%".to_owned(),
            // Ten times as much and more is told in times: a percentage of six digits says nothing.
            Self::Percent(tenths) if tenths >= MANY_TIMES => format!("×{}", times(tenths)),
            Self::Percent(tenths) => format!("{}{}%", if tenths < 0 { "−" } else { "+" }, tenths_of(tenths)),
        }
    }

    /// The same for someone who listens: `Up 12.3% from`, to be followed by what it was.
    pub fn words(self) -> String {
        match self {
            Self::New => "New; it was".to_owned(),
            Self::Same => "Unchanged from".to_owned(),
            Self::Percent(0) => "Nearly unchanged from".to_owned(),
            Self::Percent(tenths) if tenths >= MANY_TIMES => format!("{} times", times(tenths)),
            Self::Percent(tenths) => format!("{} {}% from", if tenths < 0 { "Down" } else { "Up" }, tenths_of(tenths)),
        }
    }
}

/// Whether more of a figure is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    IsGood,
    IsBad,
}

/// The colour of a change; sign, arrow and words say the same without it. What was not there before is neither good nor
/// bad.
pub fn tone(change: Change, more: More) -> &'static str {
    match change.is_up() == (more == More::IsGood) {
        _ if change.is_level() || change == Change::New => "",
        true => "good",
        false => "bad",
    }
}

/// A change as a cell of a list: arrow and percent, for those who listen in words. Nothing without a comparison.
pub fn delta(before: Option<i64>, now: i64, more: More, text: impl Fn(i64) -> String) -> AnyView {
    let Some(before) = before else { return ().into_any() };
    let change = Change::between(Some(before), Some(now));
    let words = format!("{} {}", change.words(), text(before));
    view! {
        <span class=format!("delta {}", tone(change, more))>
            <span aria-hidden="true">{change.arrow()} " " {change.text()}</span>
            <span class="unseen">{words}</span>
        </span>
    }
    .into_any()
}

/// A change of a percentage, given in tenths of a point: `+1.2 pts`, and in words.
pub fn points(tenths: i64) -> (String, String) {
    let points = tenths_of(tenths);
    match tenths {
        0 => ("±0.0 pts".to_owned(), Change::Same.words()),
        ..0 => (format!("−{points} pts"), format!("Down {points} percentage points from")),
        1.. => (format!("+{points} pts"), format!("Up {points} percentage points from")),
    }
}

/// From ten times as much on, in tenths of a percent of the increase.
const MANY_TIMES: i64 = 9_000;

fn times(tenths: i64) -> String {
    format::count(tenths / 1_000 + 1)
}

fn tenths_of(tenths: i64) -> String {
    format!("{}.{}", format::count((tenths / 10).abs()), (tenths % 10).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_of_zero_is_new_and_not_infinite() {
        assert_eq!(Change::between(Some(0), Some(5)), Change::New);
        assert_eq!(Change::between(None, Some(5)).text(), "new");
        assert_eq!(Change::between(Some(0), Some(0)), Change::Same);
        assert_eq!(Change::between(None, None).text(), "no change");
    }

    #[test]
    fn change_says_sign_arrow_and_words() {
        for (before, now, text, arrow, words) in [
            (100, 112, "+12.0%", "↑", "Up 12.0% from"),
            (300, 200, "−33.3%", "↓", "Down 33.3% from"),
            (200, 0, "−100.0%", "↓", "Down 100.0% from"),
            (100_000, 100_001, "±0.0%", "→", "Nearly unchanged from"),
            (1, 13, "×13", "↑", "13 times"),
            (10, 10_555_480, "×1,055,548", "↑", "1,055,548 times"),
        ] {
            let change = Change::between(Some(before), Some(now));
            assert_eq!((change.text().as_str(), change.arrow(), change.words().as_str()), (text, arrow, words));
        }
    }

    #[test]
    fn a_percentage_changes_by_points() {
        assert_eq!(points(12).0, "+1.2 pts");
        assert_eq!(points(-205), ("−20.5 pts".to_owned(), "Down 20.5 percentage points from".to_owned()));
        assert_eq!(points(0).1, "Unchanged from");
    }

    #[test]
    fn more_returns_are_no_good_news() {
        assert_eq!(tone(Change::Percent(100), More::IsGood), "good");
        assert_eq!(tone(Change::Percent(100), More::IsBad), "bad");
        assert_eq!(tone(Change::Percent(-100), More::IsBad), "good");
        assert_eq!(tone(Change::New, More::IsGood), "");
        assert_eq!(tone(Change::Same, More::IsGood), "");
        assert_eq!(tone(Change::Percent(0), More::IsBad), "");
    }

    #[test]
    fn from_a_negative_base_up_is_still_up() {
        assert_eq!(Change::between(Some(-200), Some(-100)), Change::Percent(500));
        assert_eq!(Change::between(Some(-200), Some(-300)), Change::Percent(-500));
        assert!(Change::between(Some(-200), Some(100)).is_up());
    }
}
