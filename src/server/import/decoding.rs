//! The bytes of a file into UTF-8: as its first bytes or the one who imports say, and never by a guess.

use std::io::{Chain, Cursor, Error, ErrorKind, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// A file's text as UTF-8, as far as its encoding promises: what is read as UTF-8 anyway is checked by whoever reads
/// it.
pub(super) struct Decoded {
    pub text: Box<dyn Read + Send>,
    /// The encoding, where it is another one than UTF-8.
    pub encoding: Option<&'static Encoding>,
}

type Whole = Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>;

/// Decides by the byte order mark, else it is what was `named`, else UTF-8. `Err` says what to do with a file that is
/// neither.
pub(super) fn decode(
    mut bytes: Box<dyn Read + Send>,
    named: Option<&'static Encoding>,
) -> std::io::Result<Result<Decoded, String>> {
    let mut start = Vec::with_capacity(4);
    bytes.by_ref().take(4).read_to_end(&mut start)?;
    let (encoding, mark) = match (start.as_slice(), named) {
        ([0xff, 0xfe, 0, 0] | [0, 0, 0xfe, 0xff], _) => return Ok(Err(format!("is UTF-32: {SAVE_AS}"))),
        ([0xef, 0xbb, 0xbf, ..], _) => (UTF_8, 3),
        ([0xff, 0xfe, ..], _) => (UTF_16LE, 2),
        ([0xfe, 0xff, ..], _) => (UTF_16BE, 2),
        (_, Some(named)) => (named, 0),
        // No CSV begins with a NUL, but UTF-16 without a mark has one beside every letter.
        (start, None) if start.contains(&0) => {
            return Ok(Err(format!("looks like UTF-16 without a byte order mark: {SAVE_AS}")));
        }
        (_, None) => (UTF_8, 0),
    };
    let whole: Whole = Cursor::new(start.split_off(mark)).chain(bytes);
    Ok(Ok(match encoding == UTF_8 {
        true => Decoded { text: Box::new(whole), encoding: None },
        false => Decoded { text: Box::new(Transcoded::new(whole, encoding)), encoding: Some(encoding) },
    }))
}

/// What to do with a file in an encoding that cannot be told.
pub(super) const SAVE_AS: &str =
    "save it as `CSV UTF-8` in the spreadsheet, or name what all files are in with --encoding, such as windows-1252";

/// Another encoding into UTF-8, a piece at a time. `InvalidData` for bytes that mean nothing in it.
struct Transcoded {
    bytes: Whole,
    decoder: Decoder,
    /// Read, and not decoded yet from `read_to` on.
    piece: Vec<u8>,
    read_to: usize,
    /// Decoded, and not taken yet from `taken_to` on.
    text: Vec<u8>,
    taken_to: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    More,
    /// All has been read, and not yet decoded.
    Last,
    Done,
    Malformed,
}

const PIECE: usize = 1 << 14;

impl Transcoded {
    fn new(bytes: Whole, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { bytes, decoder, piece: Vec::new(), read_to: 0, text: Vec::new(), taken_to: 0, state: State::More }
    }

    /// Decodes on, until there is text to take or nothing more to read.
    fn decode(&mut self) -> std::io::Result<()> {
        while self.taken_to == self.text.len() && matches!(self.state, State::More | State::Last) {
            if self.state == State::More && self.read_to == self.piece.len() {
                self.piece.clear();
                self.read_to = 0;
                if self.bytes.by_ref().take(PIECE as u64).read_to_end(&mut self.piece)? == 0 {
                    self.state = State::Last;
                }
            }
            self.text.resize(PIECE, 0);
            let is_last = self.state == State::Last;
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(&self.piece[self.read_to..], &mut self.text, is_last);
            self.text.truncate(written);
            self.taken_to = 0;
            self.read_to += read;
            match result {
                DecoderResult::Malformed(..) => self.state = State::Malformed,
                DecoderResult::InputEmpty if is_last => self.state = State::Done,
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            }
        }
        Ok(())
    }
}

impl Read for Transcoded {
    fn read(&mut self, text: &mut [u8]) -> std::io::Result<usize> {
        self.decode()?;
        let count = (self.text.len() - self.taken_to).min(text.len());
        if count == 0 && self.state == State::Malformed && self.taken_to == self.text.len() {
            return Err(Error::new(ErrorKind::InvalidData, format!("is not {}", self.decoder.encoding().name())));
        }
        text[..count].copy_from_slice(&self.text[self.taken_to..][..count]);
        self.taken_to += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], named: Option<&'static Encoding>) -> Result<String, String> {
        let decoded = decode(Box::new(Cursor::new(bytes.to_vec())), named).unwrap()?;
        let mut text = String::new();
        std::io::BufReader::new(decoded.text).read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    #[test]
    fn marks_decide_then_what_was_named_then_utf_8() {
        let long = "é,\u{1f9f5}\n".repeat(20_000);
        let utf_16 = |to: fn(u16) -> [u8; 2]| {
            "\u{feff}".chars().chain(long.chars()).collect::<String>().encode_utf16().flat_map(to).collect::<Vec<u8>>()
        };
        // Not `assert_eq!`, which would print all of it.
        assert!(read(&utf_16(u16::to_le_bytes), None).is_ok_and(|text| text == long));
        assert!(read(&utf_16(u16::to_be_bytes), None).is_ok_and(|text| text == long));
        assert_eq!(read("\u{feff}é".as_bytes(), Some(encoding_rs::WINDOWS_1252)).as_deref(), Ok("é"));
        assert_eq!(read(b"Jos\xe9 \x80", Some(encoding_rs::WINDOWS_1252)).as_deref(), Ok("José €"));
        assert_eq!(read(b"", None).as_deref(), Ok(""));
    }

    #[test]
    fn what_cannot_be_told_or_means_nothing_is_refused() {
        assert!(read(b"\xff\xfe\0\0a\0\0\0", None).unwrap_err().starts_with("is UTF-32"));
        assert!(read(b"i\0d\0", None).unwrap_err().starts_with("looks like UTF-16 without a byte order mark"));
        assert_eq!(read(b"\xff\xfea\0\0\xd8b\0", None).unwrap_err(), "is not UTF-16LE");
        assert_eq!(read(b"\xff\xfea\0b", None).unwrap_err(), "is not UTF-16LE");
    }
}
