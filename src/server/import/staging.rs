//! CSV files into temporary tables, a batch at a time: what is held in memory does not grow with the file.

use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use crate::{
    domain::field_error::FieldError,
    server::db::{DbError, Dialect, sql},
};

use super::{
    ImportError,
    amounts::Amounts,
    bundle::{Bundle, TableFile, unreadable},
    decoding::{Decoded, decode},
    header::{self, Headed, HeaderError},
    strict_csv::{Record, Unreadable},
    tables::{Cell, Row, Table},
    work::Work,
};

/// Rows that are read before they are handed over.
const BATCH_ROWS: usize = 400;
/// Rows of one INSERT.
const INSERT_ROWS: usize = 100;
/// Batches read ahead of the database.
const BATCHES_AHEAD: usize = 4;

/// A table of the bundle as it was read.
pub(in crate::server) struct Staged {
    pub rows: u64,
    /// What was read otherwise than the form of a bundle has it.
    pub notes: Vec<String>,
}

/// Reads a table of the bundle into its temporary table; `None` where the bundle does not have it.
pub(in crate::server) async fn stage(
    work: &mut Work<'_>,
    bundle: &mut Bundle,
    table: &'static Table,
) -> Result<Option<Staged>, ImportError> {
    work.create(table.staging, &table.definition.join(", ")).await?;
    let Some(table_file) = bundle.open(table.name)? else { return Ok(None) };

    let (file, so_far) = (table_file.file.clone(), table_file.so_far.clone());
    work.progress.phase(&file, table_file.total);
    let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || read(table_file, table, &sender));
    work.read_from(table.name, file.clone());
    let mut rows = 0;
    while let Some(cells) = batches.recv().await {
        rows += insert(work, table.staging, table.definition.len(), cells).await?;
        work.progress.done(so_far.load(Ordering::Relaxed));
    }
    // The task ends when it has nothing left to send; joining fails only if it panicked.
    let notes = reading
        .await
        .map_err(|error| ImportError::File { file: file.clone(), message: format!("cannot be read: {error}") })??;
    work.analyze(table.staging).await?;
    Ok(Some(Staged { rows, notes }))
}

/// Inserts rows of `width` cells, and says how many there were.
pub(in crate::server) async fn insert(
    work: &mut Work<'_>,
    table: &str,
    width: usize,
    cells: Vec<Cell>,
) -> Result<u64, DbError> {
    let rows = cells.len() / width;
    // The same text for the same number of rows, so that the database prepares it once.
    let dialect = work.tx.dialect;
    let full = insert_statement(dialect, table, width, rows.min(INSERT_ROWS));
    let mut cells = cells.into_iter();
    for done in (0..rows).step_by(INSERT_ROWS) {
        let count = (rows - done).min(INSERT_ROWS);
        let statement = if done == 0 || count == INSERT_ROWS {
            full.clone()
        } else {
            insert_statement(dialect, table, width, count)
        };
        let query = cells.by_ref().take(count * width).fold(sql(statement), |query, cell| match cell {
            Cell::Integer(number) => query.bind(number),
            Cell::Text(text) => query.bind(text),
            Cell::NoInteger => query.bind(None::<i64>),
        });
        work.tx.execute(query).await?;
    }
    Ok(rows as u64)
}

fn insert_statement(dialect: Dialect, table: &str, width: usize, rows: usize) -> String {
    let row = |at: usize| {
        let places = (1..=width).map(|column| dialect.place(at * width + column));
        format!("({})", places.collect::<Vec<_>>().join(","))
    };
    format!("INSERT INTO {table} VALUES {}", (0..rows).map(row).collect::<Vec<_>>().join(","))
}

/// Reads and checks all rows, and says what was read otherwise than the form of a bundle has it. Ends early, without an
/// error, when nobody takes the batches any more.
fn read(table_file: TableFile, table: &Table, batches: &mpsc::Sender<Vec<Cell>>) -> Result<Vec<String>, ImportError> {
    let TableFile { file, reader, encoding, .. } = table_file;
    let decoded = decode(reader, encoding).map_err(|error| unreadable(&file, &error))?;
    let Decoded { text, encoding } = decoded.map_err(|message| ImportError::File { file: file.clone(), message })?;
    let Headed { mut records, delimiter, columns, notes } = header::read(text, table).map_err(|error| match error {
        HeaderError::Unreadable(error) => refused(&file, error),
        HeaderError::Column(line, invalid) => row_error(&file, line, &invalid),
    })?;
    let mut notes: Vec<String> =
        encoding.map(|encoding| format!("read as {}", encoding.name())).into_iter().chain(notes).collect();
    let capacity = BATCH_ROWS * table.definition.len();
    let mut cells = Vec::with_capacity(capacity);
    let (mut record, mut amounts) = (Record::default(), Amounts::new(delimiter));
    while records.read(&mut record).map_err(|error| refused(&file, error))? {
        let line = record.line;
        if record.len() != columns.len() {
            let message = format!("has {} fields where the header has {}", record.len(), columns.len());
            return Err(ImportError::Row { file, line, message });
        }
        cells.push(Cell::Integer(i64::try_from(line).unwrap_or(i64::MAX)));
        let mut row = Row { columns: &columns, record: &record, amounts: &mut amounts };
        (table.read)(&mut row, &mut cells).map_err(|invalid| row_error(&file, line, &invalid))?;
        if cells.len() == capacity
            && batches.blocking_send(std::mem::replace(&mut cells, Vec::with_capacity(capacity))).is_err()
        {
            return Ok(notes);
        }
    }
    notes.extend(amounts.finish().map_err(|(line, invalid)| row_error(&file, line, &invalid))?);
    if !cells.is_empty() {
        let _ = batches.blocking_send(cells);
    }
    Ok(notes.into_iter().map(|note| format!("{file}: {note}")).collect())
}

fn refused(file: &str, error: Unreadable) -> ImportError {
    match error {
        Unreadable::Io(error) => unreadable(file, &error),
        Unreadable::Line(line, message) => ImportError::Row { file: file.to_owned(), line, message },
    }
}

fn row_error(file: &str, line: u64, invalid: &FieldError) -> ImportError {
    ImportError::Row { file: file.to_owned(), line, message: invalid.to_string() }
}
