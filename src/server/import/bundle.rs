//! The files of a bundle: where they lie, how large they are, and how to read them.

use std::{
    fs::File,
    io::{BufReader, Cursor, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use encoding_rs::Encoding;
use flate2::read::MultiGzDecoder;

use super::{ImportError, tables};

/// Where the tables of a bundle come from.
pub(in crate::server) enum Bundle {
    /// The files of a folder. Where their first bytes do not say so, they are in this encoding; UTF-8 where it is
    /// `None`.
    Folder(PathBuf, Option<&'static Encoding>),
    /// Tables and their CSV, made in this process.
    Memory(Vec<(&'static str, Vec<u8>)>),
}

/// One table of a bundle as CSV, decompressed as it is read.
pub(in crate::server) struct TableFile {
    /// As errors name it: `orders.csv.gz`.
    pub file: String,
    /// Bytes to read, compressed if the file is.
    pub total: u64,
    /// How many of them have been read.
    pub so_far: Arc<AtomicU64>,
    pub reader: Box<dyn Read + Send>,
    /// What its bytes are in, where somebody has said so.
    pub encoding: Option<&'static Encoding>,
}

impl Bundle {
    /// Tells of CSV files that are no table of a bundle: nobody reads them.
    pub fn notes(&self) -> Vec<String> {
        let Self::Folder(folder, _) = self else { return Vec::new() };
        let is_csv = |name: &str| [".csv", ".csv.gz"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
        let is_table = |name: &str| {
            let stem = name.strip_suffix(".gz").unwrap_or(name).strip_suffix(".csv");
            tables::ALL.iter().any(|table| stem == Some(table.name))
        };
        let unread = names(folder).into_iter().filter(|name| is_csv(name) && !is_table(name));
        unread
            .map(|name| {
                let tables: Vec<_> = tables::ALL.iter().map(|table| table.name).collect();
                format!("{name}: not read: a bundle has {}", tables.join(", "))
            })
            .collect()
    }

    /// Opens a table; `None` where the bundle does not have it.
    pub fn open(&mut self, table: &str) -> Result<Option<TableFile>, ImportError> {
        match self {
            Self::Folder(folder, encoding) => open_file(folder, table, *encoding),
            Self::Memory(tables) => Ok(tables.iter_mut().find(|(name, _)| *name == table).map(|(name, csv)| {
                let csv = std::mem::take(csv);
                let so_far = Arc::new(AtomicU64::new(0));
                let total = csv.len() as u64;
                let reader = Box::new(Counting { inner: Cursor::new(csv), so_far: so_far.clone() });
                TableFile { file: format!("{name}.csv"), total, so_far, reader, encoding: None }
            })),
        }
    }
}

fn open_file(
    folder: &Path,
    table: &str,
    encoding: Option<&'static Encoding>,
) -> Result<Option<TableFile>, ImportError> {
    let plain = open_if_there(folder, format!("{table}.csv"))?;
    let gzipped = open_if_there(folder, format!("{table}.csv.gz"))?;
    let (name, file, is_gzipped) = match (plain, gzipped) {
        (None, None) => return Ok(None),
        (Some((name, file)), None) => (name, file, false),
        (None, Some((name, file))) => (name, file, true),
        (Some(_), Some((file, _))) => {
            return Err(ImportError::File {
                file,
                message: format!("`{table}.csv` lies beside it: which of the two? Remove one"),
            });
        }
    };
    let so_far = Arc::new(AtomicU64::new(0));
    let total = file.metadata().map_err(|error| unreadable(&name, &error))?.len();
    let counting = BufReader::new(Counting { inner: file, so_far: so_far.clone() });
    // Several gzip members one after the other are one file, as `cat a.gz b.gz` makes them.
    let reader: Box<dyn Read + Send> =
        if is_gzipped { Box::new(MultiGzDecoder::new(counting)) } else { Box::new(counting) };
    Ok(Some(TableFile { file: name, total, so_far, reader, encoding }))
}

/// What lies there by another name, or as a link to nothing, is an error: left out without a word it would be missed
/// by nobody.
fn open_if_there(folder: &Path, name: String) -> Result<Option<(String, File)>, ImportError> {
    match File::open(folder.join(&name)) {
        Ok(file) => return Ok(Some((name, file))),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(&name, &error)),
    }
    match names(folder).into_iter().find(|other| other.eq_ignore_ascii_case(&name)) {
        None => Ok(None),
        Some(same) if same == name => {
            Err(ImportError::File { file: name, message: "is a link to a file that there is not".to_owned() })
        }
        Some(file) => Err(ImportError::File {
            file,
            message: format!("is read by the name {name} alone: rename it, or remove it"),
        }),
    }
}

/// What lies in a folder, by name; nothing where that cannot be found out.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// A file that cannot be read, as an import reports it.
pub(in crate::server) fn unreadable(file: &str, error: &std::io::Error) -> ImportError {
    ImportError::File { file: file.to_owned(), message: format!("cannot be read: {error}") }
}

struct Counting<R> {
    inner: R,
    so_far: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.so_far.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
