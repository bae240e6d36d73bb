use std::time::Instant;

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::{Check, Level, compare_clocks};
use crate::server::{
    StartError,
    config::{Config, redact},
    db::{Db, DbError, Dialect, Schema, outbox},
};

/// What is to be said of the database, and the name of the installation that is in it.
pub async fn examine(config: &Config) -> (Vec<Check>, Option<String>) {
    let (url, began) = (config.database.url.expose_secret(), Instant::now());
    if let Some(file) = missing_file(url) {
        let remedy = "run `vendorscope migrate`, which makes it, or correct DATABASE_URL";
        return (vec![Check::fail("database", format!("there is no file {file}"), remedy)], None);
    }
    let db = match Db::connect(url, config.database.connections).await {
        Ok(db) => db,
        Err(error) => return (vec![failed("database", url, error)], None),
    };
    let found = format!("{} at {}, reached in {} ms", db.dialect.name(), redact(url), began.elapsed().as_millis());
    let mut checks = vec![Check::ok("database", found)];
    let schema = match db.schema().await {
        Ok(schema) => schema,
        Err(error) => {
            checks.push(failed("schema", url, error));
            return (checks, None);
        }
    };
    checks.push(shown(schema, url));
    if matches!(schema, Schema::Behind { found: None, .. }) {
        return (checks, None);
    }
    checks.push(match db.check_writable().await {
        Ok(()) => Check::ok("writing", "a row was written"),
        Err(error) => failed("writing", url, error),
    });
    if db.dialect == Dialect::Postgres {
        checks.extend(rights(&db).await);
        checks.extend(clock(&db).await);
        checks.extend(connections(&db, config).await);
    }
    (checks, outbox::installation(&db).await.ok())
}

/// The file of a SQLite database that is not there: to open it would make it.
fn missing_file(url: &str) -> Option<&str> {
    let file = url.strip_prefix("sqlite:")?.split('?').next()?;
    let file = file.strip_prefix("//").unwrap_or(file);
    let is_missing = !std::path::Path::new(file).exists();
    is_missing.then_some(file)
}

fn failed(name: &'static str, url: &str, error: DbError) -> Check {
    Check::told(name, Level::Fail, StartError::of_database(url, error).to_string())
}

fn shown(schema: Schema, url: &str) -> Check {
    match schema {
        Schema::Current { version } => Check::ok("schema", format!("migration {version}, as this program wants it")),
        Schema::Behind { found, wanted } => {
            let found = found.map_or_else(|| "without tables".to_owned(), |found| format!("at migration {found}"));
            Check::fail(
                "schema",
                format!("the database is {found}, and this program wants {wanted}"),
                "run `vendorscope migrate` (on PostgreSQL as the role that owns the tables)",
            )
        }
        Schema::Newer { found, known } => failed("schema", url, DbError::Newer { found, known }),
    }
}

async fn rights(db: &Db) -> Option<Check> {
    let missing = db.missing_rights().await;
    Some(match missing {
        Ok(missing) if missing.is_empty() => Check::ok("rights", "every table can be read and written"),
        Ok(missing) => Check::fail(
            "rights",
            format!("missing on {}", missing.join(", ")),
            "grant what docs/deployment.md#rights says to the role of DATABASE_URL",
        ),
        Err(error) => Check::told("rights", Level::Fail, error.to_string()),
    })
}

async fn clock(db: &Db) -> Option<Check> {
    let before = Timestamp::now().as_microsecond();
    let theirs = db.server_clock().await.ok()?;
    Some(compare_clocks("database clock", before, theirs, Timestamp::now().as_microsecond()))
}

/// Whether all instances, and a command beside them, may be connected at the same time.
async fn connections(db: &Db, config: &Config) -> Option<Check> {
    let most = db.connection_limit().await.ok()?;
    let each = i64::from(config.database.connections) + 1;
    let wanted = (i64::from(config.limits.instances.get()) + 1) * each;
    let found = format!(
        "{most} are let in, {wanted} are what {} instances and one command can ask for",
        config.limits.instances
    );
    Some(if wanted <= most {
        Check::ok("connections", found)
    } else {
        Check::warn(
            "connections",
            found,
            "give PostgreSQL more max_connections, or lower DATABASE_CONNECTIONS (docs/scaling.md#connections)",
        )
    })
}
