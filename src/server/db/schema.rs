//! Which migrations a database has had, against those that this program knows.

use std::{fs::File, path::Path};

use sqlx::{AnyConnection, Row};

use super::{Db, DbError, Dialect, backfill, connection::Dirty, readiness, rows, sql};

/// The tables of a database, as this program sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// As this program wants them.
    Current { version: i64 },
    /// Without some of this program's migrations; `found` is the last it has had.
    Behind { found: Option<i64>, wanted: i64 },
    /// With a migration that this program does not know.
    Newer { found: i64, known: i64 },
}

impl Db {
    /// Brings the tables up to this program's version. Where they are already, it takes no right to change tables, only
    /// to write to them. `Newer` where they are of a release after this one.
    pub async fn migrate(&self) -> Result<(), DbError> {
        match self.schema().await? {
            Schema::Newer { found, known } => return Err(DbError::Newer { found, known }),
            Schema::Current { .. } => {}
            Schema::Behind { .. } => {
                // PostgreSQL's lock is sqlx' own, where SQLite has none.
                let _alone = self.lock_out_migrations().await?;
                // What fails halfway leaves a lock behind, which no rollback takes from a connection.
                let mut dirty = Dirty::new(self.acquire(&self.writes).await?);
                let connection: &mut AnyConnection = dirty.get()?;
                self.dialect.migrator().run(connection).await?;
                dirty.give_back();
            }
        }
        readiness::check(self).await?;
        backfill::run(self).await
    }

    /// Returns once no connection is left. What closes the last one to a SQLite file writes `-wal` into the file, and
    /// removes it: left behind, it would be read into whatever is put in the file's place.
    pub async fn close(&self) {
        self.looks.close().await;
        self.reads.close().await;
        self.writes.close().await;
    }

    /// Fails where this user cannot read the database or write to it. As good as written to counts a SQLite file that
    /// another program writes to at this moment.
    pub async fn check_writable(&self) -> Result<(), DbError> {
        readiness::check(self).await
    }

    /// Waits until no other program brings this SQLite file up to date, and keeps others waiting for as long as the
    /// value lives. The lock is on the folder: SQLite would lose its own locks on the file with one of ours.
    async fn lock_out_migrations(&self) -> Result<Option<File>, DbError> {
        if self.dialect != Dialect::Sqlite {
            return Ok(None);
        }
        let found = self.look(sql("SELECT file FROM pragma_database_list WHERE name = 'main'")).await?;
        let file: String = found.first().map(|row| row.try_get("file")).transpose()?.unwrap_or_default();
        let Some(folder) = Path::new(&file).parent().and_then(|folder| File::open(folder).ok()) else {
            return Ok(None);
        };
        // Where a folder cannot be locked, as on some networks', nothing is waited for.
        let locked = tokio::task::spawn_blocking(move || folder.lock().is_ok().then_some(folder)).await;
        Ok(locked.ok().flatten())
    }

    /// Asks for no right but that to read.
    pub async fn schema(&self) -> Result<Schema, DbError> {
        let known: Vec<_> = self.dialect.migrator().iter().collect();
        let wanted = known.iter().map(|migration| migration.version).max().unwrap_or_default();
        let table = self.look(sql(self.dialect.migrations_table())).await?;
        if table.first().map(|row| rows::int(row, "found")).transpose()?.unwrap_or_default() == 0 {
            return Ok(Schema::Behind { found: None, wanted });
        }
        let applied = sql("SELECT version, checksum, CASE WHEN success THEN 1 ELSE 0 END AS done \
                           FROM _sqlx_migrations ORDER BY version");
        let (mut found, mut right) = (None, 0);
        for row in self.look(applied).await? {
            let version = rows::int(&row, "version")?;
            let Some(migration) = known.iter().find(|migration| migration.version == version) else {
                return Ok(Schema::Newer { found: version, known: wanted });
            };
            let checksum: Vec<u8> = row.try_get("checksum")?;
            if checksum == *migration.checksum && rows::int(&row, "done")? == 1 {
                right += 1;
            }
            found = Some(version);
        }
        Ok(if right == known.len() { Schema::Current { version: wanted } } else { Schema::Behind { found, wanted } })
    }
}
