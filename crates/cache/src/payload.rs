//! The bytes of a value, compressed where that is smaller.
//!
//! They are compressed once, by whoever loads the value, and stay so: in the store, in L1, and on the wire to whoever
//! takes zstd. Who wants them as they are has them decompressed, some 10 µs for 10 KB.

use bytes::Bytes;

/// Below this size little is saved. `benches/snapshots.rs` prints what either costs.
const COMPRESSED_FROM: usize = 1024;
/// A compressed value that says it is larger than this is refused rather than given memory; none that large is
/// compressed here.
const COMPRESSED_UP_TO: usize = 64 * 1024 * 1024;
const LEVEL: i32 = 1;

/// Clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Plain(Bytes),
    /// One frame, made here or decompressed once to see that it can be, and the size of what it holds.
    Zstd(Bytes, usize),
}

impl Payload {
    /// Compresses what is worth it. Holds nothing of the room that the bytes were made in.
    pub fn new(bytes: &[u8]) -> Self {
        let compressed = match (COMPRESSED_FROM..=COMPRESSED_UP_TO).contains(&bytes.len()) {
            // It fails only without memory.
            true => zstd::bulk::compress(bytes, LEVEL).ok().filter(|smaller| smaller.len() < bytes.len()),
            false => None,
        };
        Self(match compressed {
            Some(frame) => Form::Zstd(frame.into_boxed_slice().into(), bytes.len()),
            None => Form::Plain(Bytes::copy_from_slice(bytes)),
        })
    }

    /// As they are.
    pub(crate) fn plain(bytes: Bytes) -> Self {
        Self(Form::Plain(bytes))
    }

    /// Of a frame that somebody else has written; `None` where it is none.
    pub(crate) fn compressed(frame: Bytes) -> Option<Self> {
        let size = zstd::zstd_safe::get_frame_content_size(&frame).ok()?;
        let size = usize::try_from(size?).ok().filter(|size| *size <= COMPRESSED_UP_TO)?;
        decompress(&frame, size).filter(|bytes| bytes.len() == size)?;
        Some(Self(Form::Zstd(frame, size)))
    }

    /// The bytes as they are.
    pub fn bytes(&self) -> Bytes {
        match &self.0 {
            Form::Plain(bytes) => bytes.clone(),
            Form::Zstd(frame, size) => decompress(frame, *size).unwrap_or_default(),
        }
    }

    /// The same as one zstd frame, where they are kept so.
    pub fn zstd(&self) -> Option<&Bytes> {
        match &self.0 {
            Form::Plain(_) => None,
            Form::Zstd(frame, _) => Some(frame),
        }
    }

    /// Bytes before compression.
    pub fn size(&self) -> usize {
        match &self.0 {
            Form::Plain(bytes) => bytes.len(),
            Form::Zstd(_, size) => *size,
        }
    }

    /// What is kept and stored.
    pub(crate) fn kept(&self) -> &Bytes {
        let (Form::Plain(kept) | Form::Zstd(kept, _)) = &self.0;
        kept
    }
}

/// With no more memory than the frame says it needs. It fails only without memory, or for what is no frame.
fn decompress(frame: &[u8], size: usize) -> Option<Bytes> {
    zstd::bulk::decompress(frame, size).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_and_repeats_itself_is_kept_smaller_and_is_the_same() {
        let text = br#"{"start":"2026-11-23","netSales":0},"#.repeat(1000);
        let payload = Payload::new(&text);
        assert_eq!((payload.bytes().as_ref(), payload.size()), (text.as_slice(), text.len()));
        assert!(payload.kept().len() < text.len() / 10 && payload.zstd() == Some(payload.kept()));
        let stored = Payload::compressed(payload.kept().clone());
        assert_eq!(stored, Some(payload));
    }

    #[test]
    fn what_is_small_or_does_not_repeat_itself_is_kept_as_it_is() {
        let random: Vec<u8> = (0..COMPRESSED_FROM as u64)
            .flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).to_le_bytes())
            .collect();
        for bytes in [&b"{}"[..], &[b' '; COMPRESSED_FROM - 1], &random] {
            let payload = Payload::new(bytes);
            assert_eq!((payload.bytes().as_ref(), payload.kept().as_ref(), payload.zstd()), (bytes, bytes, None));
        }
    }

    #[test]
    fn what_is_no_frame_or_would_be_huge_is_refused() {
        let compress = |bytes: &[u8]| Bytes::from(zstd::bulk::compress(bytes, 1).unwrap());
        let bomb = compress(&vec![0; COMPRESSED_UP_TO + 1]);
        assert!(bomb.len() < 16 * 1024);
        let good = compress(&[b' '; 3000]);
        let cut = good.slice(..good.len() - 1);
        for frame in [Bytes::from_static(b"{}"), bomb, cut, Bytes::new()] {
            assert_eq!(Payload::compressed(frame), None);
        }
        assert!(Payload::compressed(good).is_some());
    }
}
