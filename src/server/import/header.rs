//! The first record of a file: what stands between its fields, and which column is where.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};

use crate::domain::{field_error::FieldError, text};

use super::{
    strict_csv::{MAX_FIELD, Record, Records, Unreadable},
    tables::Table,
};

/// What may stand between fields, and what it is called.
const DELIMITERS: [(u8, &str); 3] = [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs")];

/// A file of which the beginning has been read already, and is read again.
type Rewound = Chain<Cursor<Vec<u8>>, BufReader<Box<dyn Read + Send>>>;

/// A file after its header has been read.
pub(super) struct Headed {
    pub records: Records<Rewound>,
    pub delimiter: u8,
    /// What each column is called in the table; empty for those that are not read.
    pub columns: Vec<String>,
    /// What was read otherwise than the form of a bundle has it.
    pub notes: Vec<String>,
}

/// Why a header is not taken: at a line, or because the file cannot be read.
pub(super) enum HeaderError {
    Unreadable(Unreadable),
    Column(u64, FieldError),
}

impl From<Unreadable> for HeaderError {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

/// Reads the header by whatever delimiter makes it one of this table: column names hold none of them, so that no two
/// can.
pub(super) fn read(text: Box<dyn Read + Send>, table: &Table) -> Result<Headed, HeaderError> {
    let mut input = BufReader::with_capacity(1 << 16, text);
    let raw = raw_header(&mut input)?;
    let mut best = None;
    for (delimiter, _) in DELIMITERS {
        let mut header = Record::default();
        match Records::new(raw.as_slice(), delimiter).read(&mut header) {
            Ok(_) => {
                let missing = missing(&columns(&header), table).count();
                if best.is_none_or(|(fewest, _)| missing < fewest) {
                    best = Some((missing, delimiter));
                }
            }
            Err(error) if best.is_none() && delimiter == b'\t' => return Err(error.into()),
            Err(_) => {}
        }
    }
    let delimiter = best.map_or(b',', |(_, delimiter)| delimiter);
    let mut records = Records::new(Cursor::new(raw).chain(input), delimiter);
    let mut header = Record::default();
    records.read(&mut header)?;
    let mut headed = Headed { records, delimiter, columns: columns(&header), notes: Vec::new() };
    headed.check(&header, table).map_err(|invalid| HeaderError::Column(header.line, invalid))?;
    Ok(headed)
}

/// The bytes up to the end of the first line that has something in it, line ends within quotes being none.
fn raw_header(input: &mut impl BufRead) -> Result<Vec<u8>, Unreadable> {
    let (mut raw, mut is_quoted, mut has_content) = (Vec::new(), false, false);
    // More than any header of a table has, with some columns of one's own.
    while raw.len() < MAX_FIELD {
        let piece = match input.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Unreadable::Line(1, error.to_string()));
            }
            Err(error) => return Err(Unreadable::Io(error)),
        };
        let Some(byte) = piece.first().copied() else { break };
        input.consume(1);
        raw.push(byte);
        is_quoted ^= byte == b'"';
        match byte {
            b'\r' | b'\n' if has_content && !is_quoted => break,
            b'\r' | b'\n' => {}
            _ => has_content = true,
        }
    }
    Ok(raw)
}

/// Names as the tables have them: in small letters, with `_` between words.
fn columns(header: &Record) -> Vec<String> {
    header.iter().map(|name| text::trimmed(name).to_lowercase().replace([' ', '-'], "_")).collect()
}

fn missing<'a>(columns: &[String], table: &'a Table) -> impl Iterator<Item = &'a str> {
    table.required.iter().copied().filter(|column| !columns.iter().any(|name| name == column))
}

impl Headed {
    /// Each column of the table there once, and none that it needs missing. Others are left unread, and noted.
    fn check(&mut self, header: &Record, table: &Table) -> Result<(), FieldError> {
        let is_known = |column: &str| table.required.iter().chain(table.optional).any(|known| *known == column);
        let twin = |at: usize| self.columns[..at].contains(&self.columns[at]);
        if let Some(at) = (0..self.columns.len()).find(|at| is_known(&self.columns[*at]) && twin(*at)) {
            return Err(FieldError::new(self.columns[at].clone(), "this column is there twice"));
        }
        if let Some(column) = missing(&self.columns, table).next() {
            let there: Vec<_> = header.iter().take(20).map(text::shown).collect();
            let message = format!(
                "this column is missing: {} has {}; this file has {}",
                table.name,
                table.required.join(", "),
                there.join(", ")
            );
            return Err(FieldError::new(column, message));
        }
        if let Some((_, name)) =
            DELIMITERS.into_iter().find(|(delimiter, _)| *delimiter == self.delimiter && *delimiter != b',')
        {
            self.notes.push(format!("{name} between fields"));
        }
        let (mut renamed, mut unread) = (Vec::new(), Vec::new());
        for at in 0..self.columns.len() {
            let (column, as_written) = (self.columns[at].clone(), header.get(at).unwrap_or_default());
            if !is_known(&column) {
                unread.push(if column.is_empty() { "one without a name".to_owned() } else { text::shown(as_written) });
                self.columns[at].clear();
            } else if column != as_written {
                renamed.push(format!("{} as {column}", text::shown(as_written)));
            }
        }
        for (list, what) in [(renamed, "columns read by another name"), (unread, "columns not read")] {
            if !list.is_empty() {
                self.notes.push(format!("{what}: {}", list.join(", ")));
            }
        }
        Ok(())
    }
}
