//! One load across all instances, however many ask.
//!
//! Whoever sets the lease loads; the others look again until the entry is there. A lease is named after key **and**
//! generations, so that nobody waits for a load that began before the last invalidation. It decides who works, never
//! what is right: an instance that waited long enough loads without it.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use crate::{generations::Stamp, key::Key};

/// The right to load, while it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its key in the store.
    pub name: String,
    /// Only who knows it may give the lease back.
    pub token: u64,
    pub lasts: Duration,
}

impl Lease {
    pub fn to_load(key: &Key, stamp: &Stamp, lasts: Duration) -> Self {
        Self::new("load", key, stamp, lasts)
    }

    /// Apart from the lease to load: a reload that hangs keeps nobody waiting.
    pub fn to_refresh(key: &Key, stamp: &Stamp, lasts: Duration) -> Self {
        Self::new("refresh", key, stamp, lasts)
    }

    fn new(purpose: &str, key: &Key, stamp: &Stamp, lasts: Duration) -> Self {
        // All instances of one release hash alike. Where two releases differ there may be two loads instead of one.
        let mut hasher = DefaultHasher::new();
        stamp.hash(&mut hasher);
        Self {
            name: format!("lease:{purpose}:{}:{:016x}", key.as_str(), hasher.finish()),
            token: rand::random(),
            lasts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generations::Generation, key::Tag};

    #[test]
    fn another_generation_is_another_lease() {
        let key = Key::new("profile:{42}");
        let stamp = |raw| vec![(Tag::new("vendor:{42}"), Generation::from_raw(raw))];
        let lasts = Duration::from_secs(1);
        let (one, again, other) = (
            Lease::to_load(&key, &stamp(1), lasts),
            Lease::to_load(&key, &stamp(1), lasts),
            Lease::to_load(&key, &stamp(2), lasts),
        );
        assert_eq!(one.name, again.name);
        assert_ne!(one.token, again.token);
        assert_ne!(one.name, other.name);
        assert_ne!(one.name, Lease::to_refresh(&key, &stamp(1), lasts).name);
    }
}
