//! Generations: what makes an entry current.
//!
//! A tag's generation is a random number. An entry carries the generation that each of its tags had **before** its
//! loader began, and is current only while every one of them is still the tag's generation. Invalidating a tag gives it
//! another one.
//!
//! Random rather than counted, because a counter that is lost (eviction, `FLUSHALL`) starts again and brings old
//! entries back to life; a lost random number is replaced by one that no entry was ever stamped with. For the same
//! reason no number is used twice, not even to try the same invalidation again: each value is a tag's generation during
//! one unbroken stretch of time.

use std::fmt;

use crate::key::Tag;

/// The generation of one tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(u64);

impl Generation {
    /// One that was never used: a collision is a matter of 2⁻⁶⁴.
    pub fn mint() -> Self {
        Self(rand::random())
    }

    pub fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    pub fn raw(self) -> u64 {
        self.0
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &[u8]) -> Option<Self> {
        (text.len() == 16).then_some(())?;
        u64::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok().map(Self)
    }

    /// The same generation as seen through a server that calls itself `server`: see
    /// [`store::redis`](crate::store::redis).
    #[must_use]
    pub fn seen_through(self, server: u64) -> Self {
        Self(self.0 ^ server)
    }
}

/// What generations of this epoch are seen through: one of another epoch is never equal to one of this. All instances
/// of all releases must agree on it: `splitmix64`. Before the first epoch, as they are.
pub fn epoch_mask(epoch: i64) -> u64 {
    if epoch == 0 {
        return 0;
    }
    let mut mixed = (epoch as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Sixteen hexadecimal digits.
impl fmt::Display for Generation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// Tags with the generations they had at one moment: an entry's stamp.
pub type Stamp = Vec<(Tag, Generation)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_reads_back_and_garbage_does_not() {
        let generation = Generation::mint();
        assert_eq!(Generation::parse(generation.to_string().as_bytes()), Some(generation));
        assert_eq!(Generation::parse(Generation::from_raw(7).to_string().as_bytes()), Some(Generation::from_raw(7)));
        for garbage in ["", "7", "not sixteen hex!", "00000000000000000", "+00000000000000f"] {
            assert_ne!(Generation::parse(garbage.as_bytes()), Some(generation), "{garbage}");
        }
        assert_eq!(Generation::parse(b"not sixteen hex!"), None);
    }

    #[test]
    fn a_generation_seen_through_another_server_is_another() {
        let generation = Generation::mint();
        assert_ne!(generation.seen_through(1), generation.seen_through(2));
        assert_eq!(generation.seen_through(0), generation);
    }
}
