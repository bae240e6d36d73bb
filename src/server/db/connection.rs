//! A connection goes back to its pool clean or not at all.
//!
//! What a request holds is dropped wherever its client hangs up: before a BEGIN is answered, within a statement, while
//! a COMMIT is on its way. sqlx counts a transaction from the answer to its BEGIN on, and rolls back what it counts; a
//! connection lent out before that would go back inside a transaction that nobody knows of. So nothing is counted here:
//! from before the BEGIN until the COMMIT or the ROLLBACK has been answered a connection is dirty, and a dirty one is
//! rolled back, and that answered, before anybody else gets it.

use std::time::Duration;

use sqlx::{Any, AssertSqlSafe, Executor, pool::PoolConnection};

use super::Dialect;

/// How long a connection that was left dirty is waited for. It may be busy with the statement that nobody wants the
/// answer of any more.
const CLEAN_WITHIN: Duration = Duration::from_secs(6);
/// How long it may take to say goodbye to one that could not be cleaned. Until then it counts among the pool's.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// A connection that may be within a transaction. Dropped, it is cleaned before it goes back, or closed.
pub(super) struct Lent {
    connection: Option<PoolConnection<Any>>,
    dialect: Dialect,
}

impl Lent {
    pub(super) fn new(connection: PoolConnection<Any>, dialect: Dialect) -> Self {
        Self { connection: Some(connection), dialect }
    }

    /// `WorkerCrashed` where there is none any more, which is after it was given back.
    pub(super) fn get(&mut self) -> Result<&mut PoolConnection<Any>, sqlx::Error> {
        self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    /// Runs a statement that begins or ends a transaction as it stands: sqlx counts none.
    pub(super) async fn run(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        run(self.get()?, statement).await
    }

    /// To be called where the database has answered that no transaction is left.
    pub(super) fn give_back(mut self) {
        drop(self.connection.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let dirty = Dirty(Some(connection));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(dirty.clean(self.dialect));
        }
    }
}

async fn run(connection: &mut PoolConnection<Any>, statement: &'static str) -> Result<(), sqlx::Error> {
    (&mut **connection).execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.map(|_| ())
}

/// A connection that is being cleaned. Where even that is dropped, as when the program ends, nobody gets it any more.
pub(super) struct Dirty(Option<PoolConnection<Any>>);

impl Dirty {
    /// One that may keep more than a transaction, such as a lock: it goes back by `give_back` alone, and is closed
    /// else.
    pub(super) fn new(connection: PoolConnection<Any>) -> Self {
        Self(Some(connection))
    }

    pub(super) fn get(&mut self) -> Result<&mut PoolConnection<Any>, sqlx::Error> {
        self.0.as_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    pub(super) fn give_back(mut self) {
        drop(self.0.take());
    }

    /// Ends whatever transaction there is, and gives the connection back once that is answered; closes it where it is
    /// not.
    async fn clean(mut self, dialect: Dialect) {
        let Some(connection) = self.0.as_mut() else { return };
        let failure = match tokio::time::timeout(CLEAN_WITHIN, run(connection, "ROLLBACK")).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) if dialect.is_no_transaction(&error) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {} s", CLEAN_WITHIN.as_secs())),
        };
        let connection = self.0.take();
        if let (Some(error), Some(connection)) = (failure, connection) {
            tracing::warn!(error, "a connection could not be rolled back: closed");
            // Until it has said goodbye it counts among the pool's; where it does not, it is let go of without.
            let _ = tokio::time::timeout(CLOSE_WITHIN, connection.close()).await;
        }
    }
}

impl Drop for Dirty {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
