use std::sync::Arc;

use axum::http::HeaderMap;
use time::OffsetDateTime;
use tower_sessions::{SessionStore, session::Record};

use super::{Sessions, remembered::KnownSession, request::unavailable};
use crate::server::AppError;

/// How much of the idle limit may pass before a session that is used is written again.
const TOUCHED_EVERY: time::Duration = time::Duration::MINUTE;
/// Pages send this with what they ask for by themselves (`islands/visit.rs`). Whoever else sends it has a session that
/// ends sooner, and nothing more.
const UNATTENDED: &str = "x-unattended";
/// Opened by pages, and every ten minutes anew: nobody clicks for that either, and browsers send no header with it.
const STREAM: &str = "/api/vendor/events";

/// Whether a request to this path with these headers is a use of its session. What a page asks for by itself is none:
/// whoever has left the room would be logged in for as long as the page is open.
pub fn is_use(path: &str, headers: &HeaderMap) -> bool {
    path != STREAM && !headers.contains_key(UNATTENDED)
}

impl Sessions {
    /// Begins the idle time anew, where there is a limit to it. `false` where the session ended while this was read.
    pub(super) async fn touch(&self, known: &KnownSession) -> Result<bool, AppError> {
        let login = &known.login;
        let expiry_date = self.expiry(login.user.role, OffsetDateTime::now_utc(), login.until);
        if expiry_date - known.expiry_date < TOUCHED_EVERY {
            return Ok(true);
        }
        // As it is: another release may have put more into it than this one reads.
        let Some(record) = self.store.load(&known.id).await.map_err(|e| unavailable(&e))? else { return Ok(false) };
        let record = Record { expiry_date, ..record };
        let lives = self.store.replace(&record).await.map_err(|e| unavailable(&e))?;
        if let Some(remembered) = self.remembered.as_ref().filter(|_| lives) {
            remembered.keep(Arc::new(KnownSession::new(&record, login.clone()))).await;
        }
        Ok(lives)
    }
}
