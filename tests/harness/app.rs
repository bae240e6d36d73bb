use std::{net::SocketAddr, path::PathBuf, sync::LazyLock};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, Version,
    password_hash::{SaltString, rand_core::OsRng},
};
use serde_json::json;
use tokio::task::JoinHandle;
use vendorscope::{
    domain::accounts::Role,
    server::{
        AppState, Application, config::Config, db::accounts::insert_user, import::ImportOptions,
        services::import::import_bundle,
    },
};

use super::{Client, RedisServer, TestDatabase, Unwatched, northwind, template::Template};

/// Every test user's.
pub const PASSWORD: &str = "correct horse battery staple";

/// A running instance. It ends when dropped.
pub struct TestApp {
    pub address: SocketAddr,
    state: AppState,
    task: JoinHandle<std::io::Result<()>>,
    // Outlives the instance's connections to it.
    _database: TestDatabase,
}

/// What an instance runs on: a SQLite database of its own, memory for cache and sessions and no data, unless told
/// otherwise.
pub struct Builder {
    database: Option<TestDatabase>,
    bundle: Option<PathBuf>,
    config: Config,
}

impl TestApp {
    pub fn builder() -> Builder {
        Builder { database: None, bundle: None, config: Config::for_tests() }
    }

    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Statements that this instance has sent to its database.
    pub fn queries(&self) -> u64 {
        self.state.db.queries()
    }

    /// A browser that nobody has logged in with.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// A browser in which a user of this vendor has logged in; the user is made if there is none.
    pub async fn log_in_as_vendor(&self, vendor_id: &str) -> Client {
        self.log_in(&format!("vendor-{vendor_id}@example.com"), Role::Vendor, Some(vendor_id)).await
    }

    /// A browser in which an admin has logged in; the user is made if there is none.
    pub async fn log_in_as_admin(&self) -> Client {
        self.log_in("admin@example.com", Role::Admin, None).await
    }

    /// A browser in which this user has logged in; the user is made if there is none.
    pub async fn log_in(&self, email: &str, role: Role, vendor: Option<&str>) -> Client {
        self.add_user(email, role, vendor).await;
        let client = self.client();
        let response = client.post("/api/auth/login", &json!({ "email": email, "password": PASSWORD })).await;
        assert_eq!(response.status(), 200, "{email} logs in: {}", response.text().await.unwrap_or_default());
        client
    }

    /// A user of `PASSWORD`, unless there is one of this address. Its hash costs a thousandth of what is asked of a
    /// hash that is to be safe: hundreds of tests log in, and few of them are about passwords.
    async fn add_user(&self, email: &str, role: Role, vendor: Option<&str>) {
        let vendor = match vendor {
            Some(id) => Some(self.state.accounts.find_vendor(id).await.expect("a vendor of this id")),
            None => None,
        };
        let mut tx = self.state.db.write().await.expect("a transaction");
        insert_user(&mut tx, email, &CHEAP_HASH, role, vendor, jiff::Timestamp::now().as_microsecond(), false)
            .await
            .expect("a user");
        tx.commit().await.expect("committed");
    }
}

static CHEAP_HASH: LazyLock<String> = LazyLock::new(|| {
    let params = Params::new(Params::MIN_M_COST, Params::MIN_T_COST, Params::MIN_P_COST, None).expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(PASSWORD.as_bytes(), &SaltString::generate(&mut OsRng)).expect("a hash").to_string()
});

impl Drop for TestApp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Builder {
    /// Runs on this database, which another instance may run on too.
    pub fn database(mut self, database: &TestDatabase) -> Self {
        self.database = Some(database.clone());
        self
    }

    /// Cache and sessions in this Redis.
    pub fn redis(mut self, redis: &RedisServer) -> Self {
        self.config.cache.redis_url = Some(redis.url().into());
        self.config.sessions.redis_url = Some(redis.url().into());
        self
    }

    /// As often as one likes: for tests that ask more in a minute than anybody may.
    pub fn unlimited(self) -> Self {
        self.config(|config| (config.limits.reads, config.limits.writes) = (None, None))
    }

    /// The cache at this address. (Sessions stay where they are.)
    pub fn cache_at(mut self, url: &str) -> Self {
        self.config.cache.redis_url = Some(url.into());
        self
    }

    /// Sessions in this Redis. (The cache stays where it is.)
    pub fn sessions_in(mut self, redis: &RedisServer) -> Self {
        self.config.sessions.redis_url = Some(redis.url().into());
        self
    }

    /// Sessions and limits in the Redis of this address, and the cache in this process.
    pub fn sessions_at(mut self, url: String) -> Self {
        self.config.sessions.redis_url = Some(url.into());
        self
    }

    /// Imports a marketplace bundle before it starts.
    pub fn bundle(mut self, folder: PathBuf) -> Self {
        self.bundle = Some(folder);
        self
    }

    /// Imports Northwind before it starts.
    pub fn northwind(self) -> Self {
        self.bundle(northwind())
    }

    /// Changes any other setting.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    pub async fn spawn(mut self) -> TestApp {
        let database = self.database.get_or_insert_with(TestDatabase::sqlite);
        self.config.database.url = database.url().into();
        self.spawn_as_configured().await
    }

    /// The same, at the database's address that is configured.
    pub async fn spawn_as_configured(self) -> TestApp {
        let database = self.database.unwrap_or_else(TestDatabase::sqlite);
        let template = match &self.bundle {
            None => Some(Template::Tables),
            Some(folder) => (*folder == northwind()).then_some(Template::Northwind),
        };
        let is_copied = match template {
            Some(template) => database.begins_with(template).await,
            None => false,
        };
        if let Some(folder) = self.bundle.as_ref().filter(|_| !is_copied) {
            let db = database.open().await;
            import_bundle(&db, folder, ImportOptions::default(), &Unwatched)
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        }
        let application =
            Application::build(self.config).await.unwrap_or_else(|error| panic!("the application starts: {error}"));
        let (address, state) = (application.address(), application.state().clone());
        let task = tokio::spawn(application.run_until_stopped(std::future::pending()));
        TestApp { address, state, task, _database: database }
    }
}
