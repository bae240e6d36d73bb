use std::time::Instant;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use vendorscope_cache::Cache;

use super::{Check, Level, compare_clocks};
use crate::server::{
    StartError,
    config::{Config, redact},
    db::{Db, DbError, Dialect, Schema, outbox},
    identity::accounts::{Accounts, SeedsFound},
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
    let examined = look_at(&db, config, began).await;
    db.close().await;
    examined
}

async fn look_at(db: &Db, config: &Config, began: Instant) -> (Vec<Check>, Option<String>) {
    let url = config.database.url.expose_secret();
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
    checks.extend(seeds(db, config).await);
    if db.dialect == Dialect::Postgres {
        checks.extend(rights(db).await);
        checks.extend(clock(db).await);
        checks.extend(connections(db, config).await);
    }
    (checks, outbox::installation(db).await.ok())
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

/// Whether one-time codes can be checked, and which secret is needed for it.
async fn seeds(db: &Db, config: &Config) -> Option<Check> {
    let accounts = Accounts::new(db.clone(), Cache::memory(), &config.sessions);
    // Where the tables are older, the schema says so.
    let found = accounts.look_at_seeds().await.ok()?;
    let all = found.by_current + found.by_previous + found.plain + found.unreadable;
    Some(match found {
        _ if all == 0 => return None,
        SeedsFound { unreadable: 1.., .. } => Check::fail(
            "codes",
            format!("seeds of {} of {all} users are sealed with another secret than these", found.unreadable),
            "set SESSION_SECRET_PREVIOUS to the one from before; where it is lost, these users log in with recovery \
             codes, or after `vendorscope user reset-second-factor EMAIL`",
        ),
        SeedsFound { by_previous: 1.., .. } => Check::warn(
            "codes",
            format!("seeds of {} of {all} users are sealed with SESSION_SECRET_PREVIOUS", found.by_previous),
            "leave it as long: a running instance seals them with SESSION_SECRET within minutes",
        ),
        SeedsFound { plain: 1.., .. } if !config.sessions.secret_is_temporary => Check::warn(
            "codes",
            format!("seeds of {} of {all} users are not sealed", found.plain),
            "a running instance seals them within minutes; copies of the database from before still have them",
        ),
        SeedsFound { plain: 1.., .. } => Check::ok("codes", format!("seeds of {all} users, not sealed in development")),
        _ => Check::ok("codes", format!("seeds of {all} users, all sealed with SESSION_SECRET")),
    })
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
