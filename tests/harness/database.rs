use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tempfile::TempDir;
use vendorscope::server::db::Db;

use super::{postgres::PostgresServer, template::Template};

/// An empty database of a test's own. Cheap to clone: applications that share it hold clones.
#[derive(Clone)]
pub struct TestDatabase {
    url: String,
    home: Arc<Home>,
}

/// What the database lives in, and goes with.
enum Home {
    Folder(TempDir),
    Server { is_new: AtomicBool, _server: Arc<PostgresServer> },
}

impl TestDatabase {
    /// A SQLite file in a temporary folder.
    pub fn sqlite() -> Self {
        let folder = tempfile::Builder::new().prefix("vendorscope-sqlite").tempdir().expect("a temporary folder");
        Self {
            url: format!("sqlite://{}", folder.path().join("test.db").display()),
            home: Arc::new(Home::Folder(folder)),
        }
    }

    /// A database in the test run's PostgreSQL.
    pub async fn postgres() -> Self {
        let server = PostgresServer::running().await;
        let url = server.create_database().await;
        Self { url, home: Arc::new(Home::Server { is_new: AtomicBool::new(true), _server: server }) }
    }

    /// Whether it begins with a copy of what is asked for: not where something has been in it before.
    pub(super) async fn begins_with(&self, template: Template) -> bool {
        match &*self.home {
            Home::Folder(folder) => template.copy_to_sqlite(&folder.path().join("test.db")).await,
            // Its tables are made as fast as they are copied.
            Home::Server { .. } if template == Template::Tables => false,
            Home::Server { is_new, .. } => {
                let (server, name) = self.url.rsplit_once('/').expect("a URL with a database");
                is_new.swap(false, Ordering::Relaxed) && template.copy_to_postgres(server, name).await
            }
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opened, with its tables.
    pub async fn open(&self) -> Db {
        if let Home::Server { is_new, .. } = &*self.home {
            is_new.store(false, Ordering::Relaxed);
        }
        let db = Db::connect(&self.url, 4).await.expect("the database opens");
        db.migrate().await.expect("the migrations run");
        db
    }
}

/// One of each kind: what a contract holds on.
pub async fn databases() -> Vec<TestDatabase> {
    vec![TestDatabase::sqlite(), TestDatabase::postgres().await]
}
