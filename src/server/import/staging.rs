//! CSV files into temporary tables, a batch at a time: what is held in memory does not grow with the file.

use std::{io::Read, sync::atomic::Ordering};

use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};
use tokio::sync::mpsc;

use crate::{
    domain::field_error::FieldError,
    server::db::{DbError, sql},
};

use super::{
    ImportError,
    bundle::{Bundle, Source, unreadable},
    tables::{Cell, Row, Table},
    work::Work,
};

/// Rows that are read before they are handed over.
const BATCH_ROWS: usize = 400;
/// Rows of one INSERT. Few, because with SQLite the driver looks up the name of every parameter from the first one on: the work
/// grows with the square of their number.
const INSERT_ROWS: usize = 40;
/// Batches read ahead of the database.
const BATCHES_AHEAD: usize = 4;

/// A table of the bundle as it was read.
pub(in crate::server) struct Staged {
    pub rows: u64,
}

/// Reads a table of the bundle into its temporary table; `None` where the bundle does not have it.
pub(in crate::server) async fn stage(
    work: &mut Work<'_>,
    bundle: &mut Bundle,
    table: &'static Table,
) -> Result<Option<Staged>, ImportError> {
    work.create(table.staging, &table.definition.join(", ")).await?;
    let Some(source) = bundle.open(table.name)? else { return Ok(None) };

    let (file, so_far) = (source.file.clone(), source.so_far.clone());
    work.progress.phase(&file, source.total);
    let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || read(source, table, &sender));
    work.read_from(table.name, file.clone());
    let mut rows = 0;
    while let Some(cells) = batches.recv().await {
        rows += insert(work, table.staging, table.definition.len(), cells).await?;
        work.progress.done(so_far.load(Ordering::Relaxed));
    }
    // The task ends when it has nothing left to send; joining fails only if it panicked.
    reading.await.map_err(|error| ImportError::File { file: file.clone(), message: format!("cannot be read: {error}") })??;
    work.analyze(table.staging).await?;
    Ok(Some(Staged { rows }))
}

/// Inserts rows of `width` cells, and says how many there were.
pub(in crate::server) async fn insert(work: &mut Work<'_>, table: &str, width: usize, cells: Vec<Cell>) -> Result<u64, DbError> {
    let rows = cells.len() / width;
    // The same text for the same number of rows, so that the database prepares it once.
    let full = insert_statement(table, width, rows.min(INSERT_ROWS));
    let mut cells = cells.into_iter();
    for done in (0..rows).step_by(INSERT_ROWS) {
        let count = (rows - done).min(INSERT_ROWS);
        let statement = if done == 0 || count == INSERT_ROWS { full.clone() } else { insert_statement(table, width, count) };
        let query = cells.by_ref().take(count * width).fold(sql(statement), |query, cell| match cell {
            Cell::Integer(number) => query.bind(number),
            Cell::Text(text) => query.bind(text),
            Cell::NoInteger => query.bind(None::<i64>),
        });
        work.tx.execute(query).await?;
    }
    Ok(rows as u64)
}

fn insert_statement(table: &str, width: usize, rows: usize) -> String {
    let row = |at: usize| format!("({})", (1..=width).map(|column| format!("${}", at * width + column)).collect::<Vec<_>>().join(","));
    format!("INSERT INTO {table} VALUES {}", (0..rows).map(row).collect::<Vec<_>>().join(","))
}

/// Reads and checks all rows. Ends early, without an error, when nobody takes the batches any more.
fn read(source: Source, table: &Table, batches: &mpsc::Sender<Vec<Cell>>) -> Result<(), ImportError> {
    let Source { file, reader, .. } = source;
    let mut reader = ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(reader);
    let columns = header(&mut reader, &file, table)?;
    let capacity = BATCH_ROWS * table.definition.len();
    let mut cells = Vec::with_capacity(capacity);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| refused(&file, error))? {
        let line = record.position().map_or(0, Position::line);
        cells.push(Cell::Integer(i64::try_from(line).unwrap_or(i64::MAX)));
        (table.read)(&Row { columns: &columns, record: &record }, &mut cells).map_err(|invalid| row_error(&file, line, &invalid))?;
        if cells.len() == capacity && batches.blocking_send(std::mem::replace(&mut cells, Vec::with_capacity(capacity))).is_err() {
            return Ok(());
        }
    }
    if !cells.is_empty() {
        let _ = batches.blocking_send(cells);
    }
    Ok(())
}

/// The names in the header: each known and there once, and none missing.
fn header(reader: &mut Reader<impl Read>, file: &str, table: &Table) -> Result<Vec<String>, ImportError> {
    let columns: Vec<String> = reader.headers().map_err(|error| refused(file, error))?.iter().map(str::to_owned).collect();
    let refused = |column: &str, message: String| row_error(file, 1, &FieldError::new(column, message));
    for (at, column) in columns.iter().enumerate() {
        if !table.required.iter().chain(table.optional).any(|known| known == column) {
            return Err(refused(column, format!("unknown column; {} has {}", table.name, table.required.join(", "))));
        }
        if columns[..at].contains(column) {
            return Err(refused(column, "this column is there twice".to_owned()));
        }
    }
    match table.required.iter().find(|column| !columns.iter().any(|name| name == *column)) {
        Some(column) => Err(refused(column, "this column is missing".to_owned())),
        None => Ok(columns),
    }
}

fn refused(file: &str, error: csv::Error) -> ImportError {
    let row = |position: Option<&Position>, message: String| ImportError::Row {
        file: file.to_owned(),
        line: position.map_or(1, Position::line),
        message,
    };
    match error.kind() {
        ErrorKind::Io(error) => unreadable(file, error),
        ErrorKind::Utf8 { pos, .. } => row(pos.as_ref(), "is not UTF-8".to_owned()),
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            row(pos.as_ref(), format!("has {len} fields where the header has {expected_len}"))
        }
        _ => row(error.position(), error.to_string()),
    }
}

fn row_error(file: &str, line: u64, invalid: &FieldError) -> ImportError {
    ImportError::Row { file: file.to_owned(), line, message: invalid.to_string() }
}
