use std::sync::Arc;

use tempfile::TempDir;
use vendorscope::server::db::Db;

use super::postgres::PostgresServer;

/// An empty database of a test's own. Cheap to clone: applications that share it hold clones.
#[derive(Clone)]
pub struct TestDatabase {
    url: String,
    _home: Arc<Home>,
}

/// What the database lives in, and goes with.
enum Home {
    Folder { _folder: TempDir },
    Server { _server: Arc<PostgresServer> },
}

impl TestDatabase {
    /// A SQLite file in a temporary folder.
    pub fn sqlite() -> Self {
        let folder = tempfile::Builder::new().prefix("vendorscope-sqlite").tempdir().expect("a temporary folder");
        Self {
            url: format!("sqlite://{}", folder.path().join("test.db").display()),
            _home: Arc::new(Home::Folder { _folder: folder }),
        }
    }

    /// A database in the test run's PostgreSQL.
    pub async fn postgres() -> Self {
        let server = PostgresServer::running().await;
        Self { url: server.create_database().await, _home: Arc::new(Home::Server { _server: server }) }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opened, with its tables.
    pub async fn open(&self) -> Db {
        let db = Db::connect(&self.url, 4).await.expect("the database opens");
        db.migrate().await.expect("the migrations run");
        db
    }
}

/// One of each kind: what a contract holds on.
pub async fn databases() -> Vec<TestDatabase> {
    vec![TestDatabase::sqlite(), TestDatabase::postgres().await]
}
