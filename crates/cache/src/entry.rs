//! What is kept under a key: a header and the bytes that are served.
//!
//! All numbers are little-endian.
//!
//! | bytes | holds |
//! | --- | --- |
//! | 4 | `VSC` and the version of this layout |
//! | 4 | CRC-32 of everything after it |
//! | 8 | when the load began, µs since 1970 |
//! | 8 | when the entry expires, µs since 1970 |
//! | 8 | how long the load took, µs |
//! | 8 | digest of what the payload says; 0 for none |
//! | 8 | how long it might have lived, µs |
//! | 1 | codec of the payload (0: as it is, 1: zstd) |
//! | 4 | number of the payload's schema |
//! | 2 + n | the key, so that an entry copied or renamed to another key is found out |
//! | 2 | number of tags, then for each: 2 + n bytes of name, 8 bytes of generation |
//! | rest | the payload |

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::{
    derived::Derived,
    generations::{Generation, Stamp},
    key::{Key, Tag},
    payload::Payload,
};

const MAGIC: [u8; 4] = *b"VSC\x03";
const CODEC_PLAIN: u8 = 0;
const CODEC_ZSTD: u8 = 1;
const CHECKED_FROM: usize = 8;

/// A loaded value with all that is needed to know whether it may be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When the load began, µs since 1970.
    pub created_micros: u64,
    /// Until when it counts as fresh, µs since 1970.
    pub expires_micros: u64,
    /// What the load took, µs.
    pub load_micros: u64,
    /// The number of the payload's schema: see [`Key::with_schema`].
    pub schema: u32,
    /// Of what the payload says, so that a reload can tell whether anything has changed; 0 for none.
    pub digest: u64,
    /// How long it might have lived, had nothing (a midnight) cut that short, µs: what a reload that finds the same
    /// goes by.
    pub base_ttl_micros: u64,
    /// The tags, sorted, with the generations they had before the load began.
    pub stamp: Stamp,
    pub payload: Payload,
    /// Not stored: worked out anew by each process.
    pub derived: Derived,
}

/// Why bytes are not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    #[error("not an entry")]
    Foreign,
    #[error("an entry of another release's layout")]
    Layout,
    #[error("truncated")]
    Truncated,
    #[error("checksum does not match")]
    Checksum,
    #[error("belongs to another key")]
    OtherKey,
    #[error("unknown codec")]
    Codec,
    #[error("cannot be decompressed")]
    Payload,
}

impl Entry {
    /// As it is stored under `key`.
    pub fn encode(&self, key: &Key) -> Bytes {
        let codec = if self.payload.zstd().is_some() { CODEC_ZSTD } else { CODEC_PLAIN };
        let payload = self.payload.kept();
        let mut out = BytesMut::with_capacity(64 + key.as_str().len() + self.stamp.len() * 40 + payload.len());
        out.put_slice(&MAGIC);
        out.put_u32_le(0);
        out.put_u64_le(self.created_micros);
        out.put_u64_le(self.expires_micros);
        out.put_u64_le(self.load_micros);
        out.put_u64_le(self.digest);
        out.put_u64_le(self.base_ttl_micros);
        out.put_u8(codec);
        out.put_u32_le(self.schema);
        put_text(&mut out, key.as_str());
        out.put_u16_le(u16::try_from(self.stamp.len()).unwrap_or(u16::MAX));
        for (tag, generation) in self.stamp.iter().take(usize::from(u16::MAX)) {
            put_text(&mut out, tag.name());
            out.put_u64_le(generation.raw());
        }
        out.put_slice(payload);
        let checksum = crc32fast::hash(&out[CHECKED_FROM..]);
        out[4..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
        out.freeze()
    }

    /// Reads what [`encode`](Self::encode) wrote under the same key. Anything else is refused, whatever it is.
    pub fn decode(key: &Key, stored: &Bytes) -> Result<Self, Corrupt> {
        let mut rest = stored.clone();
        let magic = take(&mut rest, 4)?;
        if magic[..] != MAGIC {
            return Err(if magic[..3] == MAGIC[..3] { Corrupt::Layout } else { Corrupt::Foreign });
        }
        let checksum = rest.try_get_u32_le().map_err(|_| Corrupt::Truncated)?;
        if crc32fast::hash(&rest) != checksum {
            return Err(Corrupt::Checksum);
        }
        let created_micros = number(&mut rest)?;
        let expires_micros = number(&mut rest)?;
        let load_micros = number(&mut rest)?;
        let digest = number(&mut rest)?;
        let base_ttl_micros = number(&mut rest)?;
        let codec = rest.try_get_u8().map_err(|_| Corrupt::Truncated)?;
        let schema = rest.try_get_u32_le().map_err(|_| Corrupt::Truncated)?;
        if take_text(&mut rest)?[..] != *key.as_str().as_bytes() {
            return Err(Corrupt::OtherKey);
        }
        let tags = rest.try_get_u16_le().map_err(|_| Corrupt::Truncated)?;
        let mut stamp = Stamp::with_capacity(usize::from(tags.min(64)));
        for _ in 0..tags {
            let name = take_text(&mut rest)?;
            let tag = Tag::new(std::str::from_utf8(&name).map_err(|_| Corrupt::Checksum)?);
            stamp.push((tag, Generation::from_raw(number(&mut rest)?)));
        }
        let payload = match codec {
            CODEC_PLAIN => Payload::plain(rest),
            CODEC_ZSTD => Payload::compressed(rest).ok_or(Corrupt::Payload)?,
            _ => return Err(Corrupt::Codec),
        };
        Ok(Self {
            created_micros,
            expires_micros,
            load_micros,
            schema,
            digest,
            base_ttl_micros,
            stamp,
            payload,
            derived: Derived::default(),
        })
    }

    /// Whether it carries exactly these tags (sorted) with exactly these generations.
    pub fn is_stamped(&self, tags: &[Tag], current: &[Option<Generation>]) -> bool {
        self.stamp.len() == tags.len()
            && current.len() == tags.len()
            && self
                .stamp
                .iter()
                .zip(tags.iter().zip(current))
                .all(|((stamped, then), (tag, now))| stamped == tag && Some(*then) == *now)
    }

    /// The tags whose generation is no longer the one it is stamped with, or that it is not stamped with. `current` is
    /// of `tags`.
    pub fn outdated_by(&self, tags: &[Tag], current: &[Option<Generation>]) -> Vec<Tag> {
        let stamped = |tag: &Tag| self.stamp.iter().find(|(stamped, _)| stamped == tag).map(|(_, then)| *then);
        tags.iter()
            .zip(current)
            .filter(|(tag, now)| now.is_none() || stamped(tag) != **now)
            .map(|(tag, _)| tag.clone())
            .collect()
    }

    pub fn is_expired(&self, now_micros: u64) -> bool {
        now_micros >= self.expires_micros
    }

    /// From the beginning of the load until it expires, µs.
    pub fn life_micros(&self) -> u64 {
        self.expires_micros.saturating_sub(self.created_micros)
    }

    /// µs since the load began: what is served is at most this old.
    pub fn age_micros(&self, now_micros: u64) -> u64 {
        now_micros.saturating_sub(self.created_micros)
    }
}

/// Keys and tag names are built from ids far below this length; a longer one is cut and then fails the check of the key
/// on reading.
fn put_text(out: &mut BytesMut, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.put_u16_le(length);
    out.put_slice(&text.as_bytes()[..usize::from(length)]);
}

fn take(rest: &mut Bytes, length: usize) -> Result<Bytes, Corrupt> {
    if rest.len() < length { Err(Corrupt::Truncated) } else { Ok(rest.split_to(length)) }
}

fn take_text(rest: &mut Bytes) -> Result<Bytes, Corrupt> {
    let length = rest.try_get_u16_le().map_err(|_| Corrupt::Truncated)?;
    take(rest, usize::from(length))
}

fn number(rest: &mut Bytes) -> Result<u64, Corrupt> {
    rest.try_get_u64_le().map_err(|_| Corrupt::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (Key, Entry) {
        let stamp = vec![(Tag::new("analytics"), Generation::mint()), (Tag::new("vendor:{42}"), Generation::mint())];
        let payload = Payload::new(br#"{"netSales":1265792}"#);
        (
            Key::new("snapshot:{42}:2026-01-01:2026-01-28"),
            Entry {
                created_micros: 5,
                expires_micros: 9,
                load_micros: 3,
                schema: 6,
                digest: 7,
                base_ttl_micros: 8,
                stamp,
                payload,
                derived: Derived::default(),
            },
        )
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let (key, entry) = example();
        assert_eq!(Entry::decode(&key, &entry.encode(&key)), Ok(entry));
    }

    #[test]
    fn a_large_entry_is_stored_smaller_and_reads_back_as_it_was() {
        let (key, mut entry) = example();
        let text = br#"{"start":"2026-11-23","netSales":0},"#.repeat(100);
        entry.payload = Payload::new(&text);
        let stored = entry.encode(&key);
        assert!(stored.len() < text.len() / 5, "{} bytes", stored.len());
        assert_eq!(Entry::decode(&key, &stored), Ok(entry.clone()));
        // What earlier releases stored as it is is read as well.
        entry.payload = Payload::plain(text.into());
        assert_eq!(Entry::decode(&key, &entry.encode(&key)), Ok(entry));
    }

    #[test]
    fn what_says_that_it_is_compressed_and_is_not_is_refused() {
        let (key, entry) = example();
        let mut stored = entry.encode(&key).to_vec();
        stored[48] = CODEC_ZSTD;
        let checksum = crc32fast::hash(&stored[CHECKED_FROM..]);
        stored[4..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Entry::decode(&key, &stored.into()), Err(Corrupt::Payload));
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_refused() {
        let (key, entry) = example();
        let stored = entry.encode(&key);
        for length in 0..stored.len() {
            assert!(Entry::decode(&key, &stored.slice(..length)).is_err(), "the first {length} bytes");
        }
        for bit in 0..stored.len() * 8 {
            let mut bytes = stored.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Entry::decode(&key, &bytes.into()).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn an_entry_under_another_key_or_of_another_version_is_refused() {
        let (key, entry) = example();
        let stored = entry.encode(&key);
        assert_eq!(Entry::decode(&Key::new("profile:{42}"), &stored), Err(Corrupt::OtherKey));
        let mut older = stored.to_vec();
        older[3] = 0;
        assert_eq!(Entry::decode(&key, &older.into()), Err(Corrupt::Layout));
        assert_eq!(Entry::decode(&key, &Bytes::from_static(b"{\"netSales\":1}")), Err(Corrupt::Foreign));
    }

    #[test]
    fn a_stamp_matches_only_the_same_tags_at_the_same_generations() {
        let (_, entry) = example();
        let tags: Vec<Tag> = entry.stamp.iter().map(|(tag, _)| tag.clone()).collect();
        let current: Vec<_> = entry.stamp.iter().map(|(_, generation)| Some(*generation)).collect();
        assert!(entry.is_stamped(&tags, &current));
        assert!(!entry.is_stamped(&tags[..1], &current[..1]));
        assert!(!entry.is_stamped(&tags, &[current[0], None]));
        assert!(!entry.is_stamped(&tags, &[current[0], Some(Generation::mint())]));
        assert_eq!(entry.outdated_by(&tags, &current), []);
        assert_eq!(entry.outdated_by(&tags, &[current[0], None]), tags[1..]);
        assert_eq!(entry.outdated_by(&tags, &[Some(Generation::mint()), current[1]]), tags[..1]);
        assert_eq!(entry.outdated_by(&[Tag::new("orders:{42}")], &[current[0]]), [Tag::new("orders:{42}")]);
    }
}
