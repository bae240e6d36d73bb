//! Which migrations a database has had, against those that this program knows.

use sqlx::Row;

use super::{Db, DbError, rows, sql};

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
