//! temp
use vendorscope::server::db::Db;
pub struct Database {
    pub name: &'static str,
    pub db: Db,
    _dir: Option<tempfile::TempDir>,
}
pub async fn databases() -> Vec<Database> {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::connect(&format!("sqlite://{}/x.db", dir.path().display()), 4).await.unwrap();
    db.migrate().await.unwrap();
    let mut all = vec![Database { name: "SQLite", db, _dir: Some(dir) }];
    if let Ok(url) = std::env::var("TEST_POSTGRES_URL") {
        let admin = sqlx::AnyPool::connect(&url).await.unwrap();
        let name = format!("t{:x}", rand::random::<u64>());
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
        let (base, _) = url.rsplit_once('/').unwrap();
        let db = Db::connect(&format!("{base}/{name}"), 4).await.unwrap();
        db.migrate().await.unwrap();
        all.push(Database { name: "PostgreSQL", db, _dir: None });
    }
    all
}
