//! Names that come up most often, counted in bounded memory.
//!
//! Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and top-k elements in data streams").
//! While there is room each name has a count of its own. When there is none, a new name takes the place of the one that
//! came up least, and goes on from its count; by how much that may be too high is kept beside it. So a count is never
//! too low, and whatever is more than one in [`PLACES`] of all is among them.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Names that are counted at the same time.
pub const PLACES: usize = 256;

/// How often names came up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frequent {
    counts: HashMap<String, Count, RandomState>,
    /// How often a name that is not among them can have come up.
    unlisted: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    count: u64,
    too_high_by: u64,
}

/// How often one name came up: `count` times at most, `too_high_by` less at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub name: String,
    pub count: u64,
    pub too_high_by: u64,
}

impl Frequent {
    /// As [`ranking`](Self::ranking) and [`unlisted`](Self::unlisted) gave it.
    pub fn of(listed: impl IntoIterator<Item = Counted>, unlisted: u64) -> Self {
        let count = |Counted { name, count, too_high_by }| (name, Count { count, too_high_by });
        Self { counts: listed.into_iter().map(count).collect(), unlisted }
    }

    /// It came up so often again.
    pub fn note(&mut self, name: &str, times: u64) {
        if let Some(known) = self.counts.get_mut(name) {
            known.count += times;
            return;
        }
        if self.counts.len() >= PLACES {
            self.shorten(PLACES - 1);
        }
        self.counts.insert(name.to_owned(), Count { count: self.unlisted + times, too_high_by: self.unlisted });
    }

    /// What the other has counted, too.
    pub fn merge(&mut self, other: &Self) {
        let unlisted = |of: &Self| Count { count: of.unlisted, too_high_by: of.unlisted };
        let (own, others) = (unlisted(self), unlisted(other));
        for (name, known) in &mut self.counts {
            *known = known.plus(other.counts.get(name).copied().unwrap_or(others));
        }
        for (name, more) in &other.counts {
            self.counts.entry(name.clone()).or_insert_with(|| own.plus(*more));
        }
        self.unlisted += other.unlisted;
        self.shorten(PLACES);
    }

    /// The most frequent first; of those that are alike, by name.
    pub fn ranking(&self) -> Vec<Counted> {
        let counted = self.counts.iter().map(|(name, Count { count, too_high_by })| Counted {
            name: name.clone(),
            count: *count,
            too_high_by: *too_high_by,
        });
        let mut ranking: Vec<_> = counted.collect();
        ranking.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.name.cmp(&other.name)));
        ranking
    }

    /// How often a name that is not among them can have come up.
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Leaves so many, the most frequent.
    pub fn shorten(&mut self, names: usize) {
        while self.counts.len() > names
            && let Some((name, known)) = self.counts.iter().min_by_key(|(_, known)| known.count)
        {
            self.unlisted = self.unlisted.max(known.count);
            let name = name.clone();
            self.counts.remove(&name);
        }
    }
}

impl Count {
    fn plus(self, other: Self) -> Self {
        Self { count: self.count + other.count, too_high_by: self.too_high_by + other.too_high_by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_there_is_room_every_count_is_exact_and_equals_stand_by_name() {
        let mut frequent = Frequent::default();
        for name in ["b", "a", "c", "c", "b", "c", "d"] {
            frequent.note(name, 1);
        }
        let ranking: Vec<_> = frequent.ranking().into_iter().map(|of| (of.name, of.count, of.too_high_by)).collect();
        let exact = [("c", 3), ("b", 2), ("a", 1), ("d", 1)].map(|(name, count)| (name.to_owned(), count, 0));
        assert_eq!((ranking, frequent.unlisted()), (exact.to_vec(), 0));
        assert_eq!(Frequent::of(frequent.ranking(), frequent.unlisted()), frequent);
        frequent.shorten(2);
        assert_eq!((frequent.ranking().len(), frequent.unlisted()), (2, 1), "the others came up once at most");
    }

    #[test]
    fn what_one_list_does_not_name_may_have_come_up_there_as_often_as_what_gave_way() {
        let count = |names: &[&str], places| {
            let mut frequent = Frequent::default();
            names.iter().for_each(|name| frequent.note(name, 1));
            frequent.shorten(places);
            frequent
        };
        let (long, short) = (count(&["a", "a", "a", "b", "b"], 2), count(&["c", "c", "c", "b", "b"], 1));
        for (one, other) in [(&long, &short), (&short, &long)] {
            let mut both = one.clone();
            both.merge(other);
            let ranking: Vec<_> = both.ranking().into_iter().map(|of| (of.name, of.count, of.too_high_by)).collect();
            // Of `a` and `b`, two may have come up where the list names `c` alone.
            let expected =
                [("a", 5, 2), ("b", 4, 2), ("c", 3, 0)].map(|(name, count, by)| (name.to_owned(), count, by));
            assert_eq!((ranking, both.unlisted()), (expected.to_vec(), 2));
        }
    }

    #[test]
    fn what_is_frequent_is_found_among_any_number_of_names_and_no_count_is_too_low() {
        let (mut parts, mut whole, mut truth) =
            (vec![Frequent::default(); 4], Frequent::default(), HashMap::<String, u64>::new());
        for round in 0..20_000 {
            // One in four is one of five names; the others are among five hundred that come up seldom.
            let name =
                if round % 4 == 0 { format!("hot {}", round / 4 % 5) } else { format!("cold {}", round * round % 997) };
            whole.note(&name, 1);
            parts[round / 5_000].note(&name, 1);
            *truth.entry(name).or_default() += 1;
        }
        let mut merged = Frequent::default();
        parts.iter().for_each(|part| merged.merge(part));
        for frequent in [&whole, &merged] {
            assert!(frequent.counts.len() <= PLACES, "{}", frequent.counts.len());
            let ranking = frequent.ranking();
            for of in &ranking {
                let really = truth[&of.name];
                assert!(of.count >= really && of.count - of.too_high_by <= really, "{of:?}, really {really}");
            }
            for (name, really) in &truth {
                let is_listed = frequent.counts.contains_key(name);
                assert!(
                    is_listed || *really <= frequent.unlisted(),
                    "{name}, really {really}: {}",
                    frequent.unlisted()
                );
            }
            let first: Vec<_> = ranking[..5].iter().map(|of| (&of.name[..3], truth[&of.name])).collect();
            assert_eq!(first, [("hot", 1_000); 5], "{:?}", &ranking[..8]);
            assert!(frequent.unlisted() <= 20_000 / PLACES as u64 * 2, "{}", frequent.unlisted());
        }
    }
}
