//! What is read most and which tags make lookups miss: of all instances, over the last hour, in bounded memory.
//!
//! The cache of each instance counts the most frequent names ([`Frequent`]). The instance keeps them by ten minutes and
//! writes the first [`WRITTEN`] of each ten minutes down, with how often others came up at most; whoever shows them
//! adds up what all instances have written.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use vendorscope_cache::{
    frequent::{Counted, Frequent},
    stats::Names,
};

use super::{
    Health,
    rows::{self, NamesRow},
};

/// Seconds of a slot.
const SLOT: i64 = 600;
/// Slots that are shown beside the present one: an hour.
const SHOWN: i64 = 6;
/// Slots that are kept in the database: a day.
const KEPT: i64 = 24 * 6;
/// Names of each slot that are written down.
const WRITTEN: usize = 50;

/// What this instance has counted in each of the last ten minutes.
#[derive(Default)]
pub struct Slots(BTreeMap<i64, Slot>);

#[derive(Default)]
struct Slot {
    names: Names,
    is_written: bool,
}

impl Slots {
    pub fn add(&mut self, at: Timestamp, names: &Names) {
        let slot = slot_of(at);
        if !names.is_empty() {
            let known = self.0.entry(slot).or_default();
            known.names.merge(names);
            known.is_written = false;
        }
        self.0.retain(|number, _| *number >= slot - SHOWN);
    }

    /// What the database does not have yet.
    pub fn unwritten(&self) -> Vec<NamesRow> {
        let slots = self.0.iter().filter(|(_, slot)| !slot.is_written);
        slots.map(|(number, slot)| row(*number, &slot.names)).collect()
    }

    /// The database has these by now.
    pub fn are_written(&mut self, rows: &[NamesRow]) {
        for written in rows {
            if let Some(slot) = self.0.get_mut(&written.slot) {
                // What was added since then is still to be written.
                slot.is_written = row(written.slot, &slot.names) == *written;
            }
        }
    }

    fn sum(&self, since: i64) -> Names {
        self.0.range(since..).fold(Names::default(), |mut sum, (_, slot)| {
            sum.merge(&slot.names);
            sum
        })
    }
}

/// Names from this slot on are kept in the database.
pub fn kept_from(now: Timestamp) -> i64 {
    slot_of(now) - KEPT
}

impl Health {
    /// The names of all instances, and since when they are counted. While the database does not answer, this
    /// instance's.
    pub(super) async fn names(&self, now: Timestamp) -> (Names, Timestamp) {
        let first = slot_of(now) - SHOWN;
        let others = self.ask(rows::list_names(&self.db, first, &self.id)).await.unwrap_or_default();
        let mut sum = self.slots().sum(first);
        others.iter().for_each(|row| sum.merge(&read(row)));
        (sum, Timestamp::from_second(first * SLOT).unwrap_or(now - SignedDuration::from_hours(1)))
    }
}

fn slot_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SLOT)
}

/// As they stand in the database.
#[derive(Serialize, Deserialize, Default)]
struct Listed {
    /// Name, how often, and by how much that may be too high.
    names: Vec<(String, u64, u64)>,
    /// How often others came up at most.
    others: u64,
}

fn row(slot: i64, names: &Names) -> NamesRow {
    let written = |names: &Frequent| {
        let mut names = names.clone();
        names.shorten(WRITTEN);
        let others = names.unlisted();
        let names = names.ranking().into_iter().map(|of| (of.name, of.count, of.too_high_by)).collect();
        serde_json::to_string(&Listed { names, others }).unwrap_or_default()
    };
    NamesRow { slot, reads: written(&names.reads), missed: written(&names.missed) }
}

/// What cannot be read, such as what another release has written, counts as nothing.
fn read(row: &NamesRow) -> Names {
    let read = |text: &str| {
        let Listed { names, others } = serde_json::from_str(text).unwrap_or_default();
        let counted = names.into_iter().map(|(name, count, too_high_by)| Counted { name, count, too_high_by });
        Frequent::of(counted, others)
    };
    Names { reads: read(&row.reads), missed: read(&row.missed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(read: &[(&str, u64)]) -> Names {
        let counted =
            read.iter().map(|(name, count)| Counted { name: (*name).to_owned(), count: *count, too_high_by: 0 });
        Names { reads: Frequent::of(counted, 0), missed: Frequent::default() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn names_are_kept_by_ten_minutes_for_an_hour_and_written_when_there_are_more() {
        let mut slots = Slots::default();
        slots.add(at(0), &names(&[("a", 3)]));
        slots.add(at(599), &names(&[("a", 1), ("b", 1)]));
        slots.add(at(600), &names(&[("b", 1)]));
        let rows = slots.unwritten();
        assert_eq!(rows.iter().map(|row| row.slot).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(read(&rows[0]), names(&[("a", 4), ("b", 1)]));
        slots.are_written(&rows);
        slots.add(at(700), &Names::default());
        assert!(slots.unwritten().is_empty());
        slots.add(at(700), &names(&[("b", 1)]));
        slots.are_written(&rows);
        assert_eq!(slots.unwritten().len(), 1, "what was counted meanwhile is still to be written");
        assert_eq!(slots.sum(0), names(&[("a", 4), ("b", 3)]));
        slots.add(at(3_600 + 600), &Names::default());
        assert_eq!(slots.sum(0), names(&[("b", 2)]), "more than an hour ago");
    }

    #[test]
    fn a_row_holds_what_is_most_frequent_and_says_how_often_others_came_up_at_most() {
        let many: Vec<(String, u64)> = (1..=200).map(|count| (format!("key {count}"), count)).collect();
        let many: Vec<(&str, u64)> = many.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        let back = read(&row(7, &names(&many))).reads;
        assert_eq!((back.ranking().len(), back.ranking()[0].count, back.unlisted()), (WRITTEN, 200, 150));
        assert!(read(&NamesRow { slot: 7, reads: "{".to_owned(), missed: String::new() }).is_empty());
    }
}
