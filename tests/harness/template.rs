//! What many tests begin with, made by the first test of a run that needs it and copied by the others.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use vendorscope::server::{db::Db, import::ImportOptions, services::import::import_bundle};

use super::{Unwatched, northwind};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// The tables, and nothing in them.
    Tables,
    /// Northwind, imported.
    Northwind,
}

impl Template {
    /// Copies it to a file that is not there yet, and says whether it did.
    pub async fn copy_to_sqlite(self, path: &Path) -> bool {
        let Some(folder) = folder().filter(|_| !path.exists()) else { return false };
        let made = folder.join(format!("{}.db", self.name()));
        {
            let _turn = turn(&folder, self);
            if !made.exists() {
                let building = folder.join(format!("{}.building", self.name()));
                self.make(&url_of(&building)).await;
                fs::rename(building, &made).expect("renamed");
            }
        }
        fs::copy(made, path).expect("copied");
        name_anew(&url_of(path)).await;
        true
    }

    /// Puts a copy in the place of a database that nobody has used yet, and says whether it did.
    pub async fn copy_to_postgres(self, server: &str, name: &str) -> bool {
        let Some(folder) = folder() else { return false };
        let template = format!("template_{}", self.name());
        let mut connection = connect(&format!("{server}/postgres")).await;
        {
            let _turn = turn(&folder, self);
            let there = folder.join(&template);
            if !there.exists() {
                run(&mut connection, &format!("CREATE DATABASE {template}")).await;
                self.make(&format!("{server}/{template}")).await;
                File::create(there).expect("a file");
            }
        }
        // An empty database is cheaper to leave than to drop.
        run(&mut connection, &format!("ALTER DATABASE {name} RENAME TO {name}_empty")).await;
        run(&mut connection, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        name_anew(&format!("{server}/{name}")).await;
        true
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::Northwind => "northwind",
        }
    }

    async fn make(self, url: &str) {
        let db = Db::connect(url, 1).await.expect("the database opens");
        db.migrate().await.expect("the migrations run");
        if self == Self::Northwind {
            import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.expect("imported");
        }
        // All of it is in one file then, and nobody in the way of whoever copies it.
        db.close().await;
    }
}

/// Where a run keeps its templates: scripts/test makes it, and takes it away. A test that is run by itself begins from
/// nothing.
fn folder() -> Option<PathBuf> {
    std::env::var_os("TEST_TEMPLATES").map(PathBuf::from)
}

/// Held by one test of the run at a time.
fn turn(folder: &Path, template: Template) -> File {
    let turn = File::create(folder.join(format!("{}.lock", template.name()))).expect("a file");
    turn.lock().expect("locked");
    turn
}

fn url_of(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// Every copy is an installation of its own.
async fn name_anew(url: &str) {
    let mut copy = connect(url).await;
    run(&mut copy, &format!("UPDATE cache_store SET installation = '{:016x}'", rand::random::<u64>())).await;
    copy.close().await.expect("closed");
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.unwrap_or_else(|error| panic!("{url}: {error}"))
}

async fn run(connection: &mut AnyConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
}
