use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::Response,
};
use time::OffsetDateTime;
use tower_sessions::{Expiry, Session, session::Id};

use super::{LIFETIME, Sessions};
use crate::server::{AppError, AppState, services::accounts::User};

/// The record's only field: who is logged in, whole, so that a request needs no database to know.
const USER: &str = "user";

/// The session of one request. Clones are the same session.
#[derive(Clone)]
pub struct RequestSession {
    sessions: Sessions,
    session: Session,
    had_cookie: bool,
    change: Arc<Mutex<Option<CookieChange>>>,
}

#[derive(Clone, Copy)]
enum CookieChange {
    Set(Id),
    Clear,
}

/// Gives every request its session, and the answer the cookie that belongs to what became of it.
pub async fn carry_session(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let session = RequestSession::new(&state.sessions, state.sessions.cookie.read(request.headers()));
    request.extensions_mut().insert(session.clone());
    let mut response = next.run(request).await;
    let cookie = match session.cookie_change() {
        Some(CookieChange::Set(id)) => state.sessions.cookie.set(id),
        Some(CookieChange::Clear) => state.sessions.cookie.clear(),
        None => None,
    };
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

impl RequestSession {
    fn new(sessions: &Sessions, id: Option<Id>) -> Self {
        let session = Session::new(id, sessions.store.clone(), None);
        Self { sessions: sessions.clone(), session, had_cookie: id.is_some(), change: Arc::default() }
    }

    /// Who is logged in. Asks the store once a request at most, and never where there is no cookie. Reading changes nothing.
    pub async fn user(&self) -> Result<Option<User>, AppError> {
        match self.session.get::<User>(USER).await {
            Ok(user) => Ok(user),
            // Written by a version that knew users otherwise: to log in again mends it.
            Err(tower_sessions::session::Error::SerdeJson(error)) => {
                tracing::warn!(%error, "a session that this version cannot read");
                Ok(None)
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Begins a session of its own for `user`: a new id, nothing of an older session. That one ends, but only after the new one
    /// is written: whatever fails, or dies, in between logs nobody out.
    pub async fn log_in(&self, user: &User) -> Result<(), AppError> {
        let expiry = OffsetDateTime::now_utc() + LIFETIME;
        let new = Session::new(None, self.sessions.store.clone(), Some(Expiry::AtDateTime(expiry)));
        new.insert(USER, user).await.map_err(|e| unavailable(&e))?;
        new.save().await.map_err(|e| unavailable(&e))?;
        let id = new.id().ok_or_else(|| AppError::Internal("a saved session without an id".to_owned()))?;
        if self.session.id().is_some() {
            self.session.delete().await.map_err(|e| unavailable(&e))?;
        }
        self.set_cookie_change(CookieChange::Set(id));
        Ok(())
    }

    /// Ends the session; the cookie goes only once the store has taken it.
    pub async fn log_out(&self) -> Result<(), AppError> {
        if self.session.id().is_some() {
            self.session.delete().await.map_err(|e| unavailable(&e))?;
        }
        if self.had_cookie {
            self.set_cookie_change(CookieChange::Clear);
        }
        Ok(())
    }

    /// What the handlers decided; without a decision, a cookie whose session was looked for and is no more goes.
    fn cookie_change(&self) -> Option<CookieChange> {
        let decided = *self.change.lock().unwrap_or_else(PoisonError::into_inner);
        decided.or_else(|| (self.had_cookie && self.session.id().is_none()).then_some(CookieChange::Clear))
    }

    fn set_cookie_change(&self, change: CookieChange) {
        *self.change.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }
}

fn unavailable(error: &tower_sessions::session::Error) -> AppError {
    AppError::Sessions(error.to_string())
}
