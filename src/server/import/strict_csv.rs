//! CSV as RFC 4180 has it, read strictly, a record at a time, with the lines of the file itself.
//!
//! The crate `csv`, which writes ours, counts line feeds only and takes whatever it can of quotes: an open one at the
//! end of a file, or the rest of the file in one field.

use std::io::{BufRead, ErrorKind};

/// The longest field, in bytes: no column takes nearly as much, and a quote that is never closed must not take the rest
/// of the file.
pub(super) const MAX_FIELD: usize = 64 * 1024;
/// The most columns of a file.
const MAX_FIELDS: usize = 1_000;

/// Why a file could not be read on.
#[derive(Debug)]
pub(super) enum Unreadable {
    Io(std::io::Error),
    /// At a line of the file; the first is 1.
    Line(u64, String),
}

/// One record: its fields without their quotes, and the line that it begins on.
#[derive(Debug, Default)]
pub(in crate::server) struct Record {
    /// All fields, with one byte between two.
    text: String,
    /// Where each field ends.
    ends: Vec<usize>,
    pub line: u64,
}

impl Record {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, at: usize) -> Option<&str> {
        let start = if at == 0 { 0 } else { self.ends.get(at - 1)? + 1 };
        self.text.get(start..*self.ends.get(at)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|at| self.get(at))
    }
}

/// Reads records. Lines end with CR LF, LF or CR; those with nothing in them are no records.
pub(super) struct Records<R> {
    input: R,
    delimiter: u8,
    /// The line that the next byte is on.
    line: u64,
    /// The byte before was a CR: a LF now ends no line of its own.
    after_cr: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// A field begins here.
    Start,
    Plain,
    /// Between quotes.
    Quoted,
    /// After a quote that closes, or is the first of two.
    Quote,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R, delimiter: u8) -> Self {
        Self { input, delimiter, line: 1, after_cr: false }
    }

    /// Reads the next record into `record`; `false` at the end of the file.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, Unreadable> {
        let mut bytes = std::mem::take(&mut record.text).into_bytes();
        bytes.clear();
        record.ends.clear();
        let found = self.read_fields(&mut bytes, record)?;
        record.text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let byte = error.as_bytes().get(at).copied().unwrap_or_default();
            Unreadable::Line(record.line, format!("is not UTF-8 (byte {byte:02X}): {}", super::decoding::SAVE_AS))
        })?;
        Ok(found)
    }

    fn read_fields(&mut self, bytes: &mut Vec<u8>, record: &mut Record) -> Result<bool, Unreadable> {
        let (mut at, mut field_start, mut quote_line) = (At::Start, 0, self.line);
        record.line = self.line;
        loop {
            let piece = match self.input.fill_buf() {
                Ok(piece) => piece,
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    return Err(Unreadable::Line(self.line, error.to_string()));
                }
                Err(error) => return Err(Unreadable::Io(error)),
            };
            if piece.is_empty() {
                if at == At::Quoted {
                    return Err(Unreadable::Line(quote_line, "a quote is opened here and never closed".to_owned()));
                }
                let is_record = at != At::Start || !record.ends.is_empty();
                if is_record {
                    record.ends.push(bytes.len());
                }
                return Ok(is_record);
            }
            let (mut used, mut ended) = (0, false);
            for byte in piece {
                used += 1;
                let ends_no_line = std::mem::replace(&mut self.after_cr, *byte == b'\r') && *byte == b'\n';
                let ends_line = matches!(byte, b'\r' | b'\n') && !ends_no_line;
                self.line += u64::from(ends_line);
                at = match (at, *byte) {
                    (At::Quoted, b'"') => At::Quote,
                    (At::Quoted, byte) => {
                        bytes.push(byte);
                        At::Quoted
                    }
                    (At::Quote, b'"') => {
                        bytes.push(b'"');
                        At::Quoted
                    }
                    (At::Start, b'"') => {
                        quote_line = self.line;
                        At::Quoted
                    }
                    (_, byte) if byte == self.delimiter => {
                        record.ends.push(bytes.len());
                        bytes.push(b',');
                        field_start = bytes.len();
                        At::Start
                    }
                    // The second byte of CR LF, or a line with nothing in it.
                    (At::Start, b'\r' | b'\n') if record.ends.is_empty() => {
                        record.line = self.line;
                        At::Start
                    }
                    (_, b'\r' | b'\n') => {
                        ended = true;
                        break;
                    }
                    (At::Quote, _) => {
                        return Err(Unreadable::Line(
                            self.line,
                            "something follows a closing quote: a quote within quotes is written twice".to_owned(),
                        ));
                    }
                    (At::Plain, b'"') => {
                        let message = "a quote within a field: the whole field is put into quotes then, and the quote \
                            written twice";
                        return Err(Unreadable::Line(self.line, message.to_owned()));
                    }
                    (At::Plain | At::Start, byte) => {
                        bytes.push(byte);
                        At::Plain
                    }
                };
                if bytes.len() - field_start > MAX_FIELD {
                    let (line, why) = match at {
                        At::Quoted | At::Quote => (quote_line, ": is the quote not closed?"),
                        _ => (record.line, ""),
                    };
                    return Err(Unreadable::Line(line, format!("a field is longer than {MAX_FIELD} bytes{why}")));
                }
                if record.ends.len() > MAX_FIELDS {
                    return Err(Unreadable::Line(record.line, format!("has more than {MAX_FIELDS} fields")));
                }
            }
            self.input.consume(used);
            if ended {
                record.ends.push(bytes.len());
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record with its line.
    type Numbered = (u64, Vec<String>);

    /// Every record, then the line and the message of what was refused after them.
    fn read(csv: &str) -> (Vec<Numbered>, Option<(u64, String)>) {
        // A byte at a time: no state may be lost between two pieces.
        let input = std::io::BufReader::with_capacity(1, csv.as_bytes());
        let (mut records, mut record, mut all) = (Records::new(input, b','), Record::default(), Vec::new());
        loop {
            match records.read(&mut record) {
                Ok(true) => all.push((record.line, record.iter().map(str::to_owned).collect())),
                Ok(false) => return (all, None),
                Err(Unreadable::Line(line, message)) => return (all, Some((line, message))),
                Err(Unreadable::Io(error)) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn lines_are_the_files_own_whatever_they_end_with() {
        for (csv, lines) in [
            ("a\nb\nc", vec![1, 2, 3]),
            ("a\r\nb\r\nc\r\n", vec![1, 2, 3]),
            ("a\rb\rc\r", vec![1, 2, 3]),
            ("\n\r\n\ra\n\nb\r\r\rc", vec![4, 6, 9]),
            ("\"1\n2\r\n3\r4\",x\nb\n\"\nd\"", vec![1, 5, 6]),
            ("\"a\"\r\n\"b\"\r\n", vec![1, 2]),
            ("", vec![]),
            ("\r\n", vec![]),
        ] {
            let (records, refused) = read(csv);
            assert_eq!(refused, None, "{csv:?}");
            assert_eq!(records.iter().map(|(line, _)| *line).collect::<Vec<_>>(), lines, "{csv:?}");
        }
    }

    #[test]
    fn fields_are_what_stands_between_delimiters_or_quotes() {
        for (csv, fields) in [
            ("a,b", vec!["a", "b"]),
            ("a,,", vec!["a", "", ""]),
            (",", vec!["", ""]),
            ("\"\"", vec![""]),
            ("\"a,b\",\"c\"\"d\"\"\",é", vec!["a,b", "c\"d\"", "é"]),
            ("\"a\r\nb\rc\n\"", vec!["a\r\nb\rc\n"]),
            (" a ,\tb", vec![" a ", "\tb"]),
        ] {
            assert_eq!(
                read(csv).0,
                [(1, fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>())],
                "{csv:?}"
            );
        }
    }

    #[test]
    fn quotes_that_are_none_are_refused_at_their_line() {
        for (csv, line, message) in [
            ("a\nb,\"c", 2, "a quote is opened here and never closed"),
            ("a\n\"b\n\nc", 2, "a quote is opened here and never closed"),
            ("a\r\n\"Ja\"pan\r\n", 2, "something follows a closing quote"),
            ("a\rRe\"n", 2, "a quote within a field"),
            ("a\nb, \"c\"", 2, "a quote within a field"),
        ] {
            let (_, refused) = read(csv);
            let (at, text) = refused.unwrap_or_else(|| panic!("{csv:?} is taken"));
            assert_eq!(at, line, "{csv:?}");
            assert!(text.starts_with(message), "{csv:?}: {text}");
        }
    }

    #[test]
    fn no_field_takes_more_than_its_share() {
        let (records, refused) = read(&format!("a\n\n\"{}", "x\n".repeat(MAX_FIELD)));
        assert_eq!(
            (records.len(), refused),
            (1, Some((3, format!("a field is longer than {MAX_FIELD} bytes: is the quote not closed?"))))
        );
        assert_eq!(read(&"x".repeat(MAX_FIELD)).1, None);
        assert!(read(&"x".repeat(MAX_FIELD + 1)).1.is_some());
        assert_eq!(
            read(&format!("a\n{}", ",".repeat(2_000))).1,
            Some((2, format!("has more than {MAX_FIELDS} fields")))
        );
    }
}
