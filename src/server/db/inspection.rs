//! What an operator wants to know of the database. Changes nothing.

use super::{Db, DbError, rows, sql};

impl Db {
    /// PostgreSQL alone: the tables that this role may not read, insert into, update and delete from, and `TEMPORARY`
    /// where it may make no temporary ones.
    pub async fn missing_rights(&self) -> Result<Vec<String>, DbError> {
        let question = "SELECT c.relname::TEXT AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                        WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname <> '_sqlx_migrations' \
                        AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') \
                        AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')) \
                        UNION ALL SELECT 'TEMPORARY' WHERE NOT has_database_privilege(current_database(), 'TEMPORARY') \
                        ORDER BY name";
        self.look(sql(question)).await?.iter().map(|row| rows::text(row, "name")).collect()
    }

    /// PostgreSQL alone: the time on the server's clock, in microseconds since 1970.
    pub async fn server_clock(&self) -> Result<i64, DbError> {
        self.number("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT AS number").await
    }

    /// PostgreSQL alone: how many connections are let in that are not superusers'.
    pub async fn connection_limit(&self) -> Result<i64, DbError> {
        let question = "SELECT current_setting('max_connections')::BIGINT \
                        - current_setting('superuser_reserved_connections')::BIGINT AS number";
        self.number(question).await
    }

    async fn number(&self, question: &str) -> Result<i64, DbError> {
        let rows = self.look(sql(question)).await?;
        rows::int(rows.first().ok_or_else(|| DbError::Corrupt(format!("no row: {question}")))?, "number")
    }
}
