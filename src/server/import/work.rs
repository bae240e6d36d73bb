//! The transaction of an import, and its temporary tables.

use std::collections::HashMap;

use sqlx::Row as _;

use crate::server::db::{DbError, Tx, sql};

use super::{ImportError, Progress};

pub(in crate::server) struct Work<'a> {
    pub tx: &'a mut Tx,
    pub progress: &'a dyn Progress,
    /// Rows written so far.
    pub changed: u64,
    /// Every instant of the bundle was moved.
    pub is_shifted: bool,
    /// The file each table of the bundle was read from.
    files: HashMap<&'static str, String>,
    temporary: Vec<&'static str>,
}

impl<'a> Work<'a> {
    pub fn within(tx: &'a mut Tx, progress: &'a dyn Progress) -> Self {
        Self { tx, progress, changed: 0, is_shifted: false, files: HashMap::new(), temporary: Vec::new() }
    }

    /// Remembers which file a table was read from.
    pub fn read_from(&mut self, table: &'static str, file: String) {
        self.files.insert(table, file);
    }

    pub async fn create(&mut self, table: &'static str, columns: &str) -> Result<(), DbError> {
        let end = self.tx.dialect.temp_table_end();
        self.create_ending(table, columns, end).await
    }

    /// A temporary table with a primary key.
    pub async fn create_keyed(&mut self, table: &'static str, columns: &str) -> Result<(), DbError> {
        let end = self.tx.dialect.keyed_temp_table_end();
        self.create_ending(table, columns, end).await
    }

    async fn create_ending(&mut self, table: &'static str, columns: &str, end: &str) -> Result<(), DbError> {
        self.temporary.push(table);
        self.run(&format!("CREATE TEMP TABLE {table} ({columns}){end}")).await?;
        Ok(())
    }

    /// Tells the planner what a table holds, where it needs telling.
    pub async fn analyze(&mut self, table: &str) -> Result<(), DbError> {
        if let Some(statement) = self.tx.dialect.analyze(table) {
            self.run(&statement).await?;
        }
        Ok(())
    }

    /// Runs a statement without parameters, and says how many rows it wrote.
    pub async fn run(&mut self, statement: &str) -> Result<u64, DbError> {
        Ok(self.tx.execute(sql(statement)).await?.rows_affected())
    }

    /// As `run`, for rows of the marketplace.
    pub async fn write(&mut self, statement: &str) -> Result<(), DbError> {
        self.changed += self.run(statement).await?;
        Ok(())
    }

    /// The one integer that a query gives; `None` for NULL.
    pub async fn integer(&mut self, query: &str) -> Result<Option<i64>, DbError> {
        match self.tx.row(sql(query)).await? {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(None),
        }
    }

    /// The number that a `SELECT COUNT(*)` gives.
    pub async fn count(&mut self, query: &str) -> Result<u64, DbError> {
        Ok(self.integer(query).await?.map_or(0, i64::unsigned_abs))
    }

    /// The rows of a query's one column.
    pub async fn texts(&mut self, query: &str) -> Result<Vec<String>, DbError> {
        self.tx.rows(sql(query)).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// `query` finds rows of the bundle that cannot be taken, as `csv_line` and `message`. Fails with the first of
    /// them.
    pub async fn refuse(&mut self, table: &str, query: &str) -> Result<(), ImportError> {
        let first = format!("SELECT csv_line, message FROM ({query}) AS refused ORDER BY csv_line LIMIT 1");
        let Some(row) = self.tx.row(sql(first)).await? else { return Ok(()) };
        let line: i64 = row.try_get(0).map_err(DbError::from)?;
        let message = row.try_get(1).map_err(DbError::from)?;
        let file = self.files.get(table).cloned().unwrap_or_else(|| format!("{table}.csv"));
        Err(ImportError::Row { file, line: line.unsigned_abs(), message })
    }

    /// Fails where two rows of a staged table agree in `key`; `message` is SQL.
    pub async fn refuse_duplicates(
        &mut self,
        table: &str,
        staging: &str,
        key: &str,
        message: &str,
    ) -> Result<(), ImportError> {
        let numbered = format!(
            "SELECT csv_line, {message} AS message, ROW_NUMBER() OVER (PARTITION BY {key} \
             ORDER BY csv_line) AS occurrence FROM {staging}"
        );
        self.refuse(table, &format!("SELECT csv_line, message FROM ({numbered}) AS numbered WHERE occurrence = 2"))
            .await
    }

    /// Leaves no temporary table behind, and says how many rows were written. The rest is the transaction's to commit,
    /// or to drop.
    pub async fn finish(mut self) -> Result<u64, DbError> {
        // PostgreSQL would drop them by itself, SQLite with the connection only.
        for table in std::mem::take(&mut self.temporary) {
            self.run(&format!("DROP TABLE {table}")).await?;
        }
        Ok(self.changed)
    }
}
