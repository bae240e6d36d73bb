use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use tower_sessions::{SessionStore, session::Id, session_store};

use super::{
    LIFETIME, Sessions,
    cookie::bearer,
    known_user::KnownUser,
    record::{Browser, SessionLogin, handle},
    remembered::KnownSession,
    touched::is_use,
};
use crate::{
    domain::accounts::{OwnSession, User},
    server::{
        AppError, AppState,
        identity::accounts::{Authenticated, KeyGrant},
    },
};

/// Who sends one request: the first of its cookies' sessions that has not ended, or on the JSON API whoever its key
/// belongs to. Clones are the same.
#[derive(Clone)]
pub struct RequestSession(Arc<Asking>);

/// What a `RequestSession` points to.
pub struct Asking {
    state: AppState,
    credentials: Credentials,
    /// Whether somebody has asked for it, and not a page by itself.
    is_use: bool,
    /// What this instance remembers of the first session of its cookies.
    remembered: OnceCell<Option<Arc<KnownSession>>>,
    known: OnceCell<Option<KnownUser>>,
    change: Mutex<Option<CookieChange>>,
    /// Cookies beside the session's that go with the answer.
    beside: Mutex<Vec<HeaderValue>>,
}

impl std::ops::Deref for RequestSession {
    type Target = Asking;
    fn deref(&self) -> &Asking {
        &self.0
    }
}

enum Credentials {
    Nothing,
    /// One session, or several of which any may have ended.
    Cookies(Vec<Id>),
    /// What follows `Bearer`.
    Key(String),
}

#[derive(Clone, Copy)]
enum CookieChange {
    Set(Id),
    Clear,
}

impl RequestSession {
    /// The session of a request to this path with these headers.
    pub fn new(state: &AppState, path: &str, headers: &HeaderMap) -> Self {
        let key = path.starts_with("/api/").then(|| bearer(headers)).flatten();
        let credentials = match (key, state.sessions.cookie.read(headers)) {
            (Some(key), _) => Credentials::Key(key.to_owned()),
            (None, ids) if ids.is_empty() => Credentials::Nothing,
            (None, ids) => Credentials::Cookies(ids),
        };
        Self::with(state, credentials, is_use(path, headers))
    }

    /// The session of a request with the same cookies as another, as somebody who asks for something by himself.
    pub fn again(state: &AppState, ids: &[Id]) -> Self {
        Self::with(state, Credentials::Cookies(ids.to_vec()), true)
    }

    fn with(state: &AppState, credentials: Credentials, is_use: bool) -> Self {
        Self(Arc::new(Asking {
            state: state.clone(),
            credentials,
            is_use,
            remembered: OnceCell::new(),
            known: OnceCell::new(),
            change: Mutex::default(),
            beside: Mutex::default(),
        }))
    }

    /// What the cookies of this request name; nothing where it is not by cookies that somebody is logged in.
    pub fn ids(&self) -> &[Id] {
        match &self.credentials {
            Credentials::Cookies(ids) => ids,
            _ => &[],
        }
    }

    /// Gives the answer the cookies that belong to what became of the session.
    pub fn set_cookies(&self, headers: &mut HeaderMap) {
        let change = *self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let cookie = match change {
            Some(CookieChange::Set(id)) => self.sessions().cookie.set(id),
            Some(CookieChange::Clear) => self.sessions().cookie.clear(),
            // The cookie of a session that is no more stays. It is worth nothing, and taking it away would log people
            // out: an answer to an older request may come after the one that brought a new cookie, whose place it
            // would clear.
            None => None,
        };
        let beside = std::mem::take(&mut *self.beside.lock().unwrap_or_else(PoisonError::into_inner));
        for cookie in cookie.into_iter().chain(beside) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }

    /// Has the answer set this cookie too.
    pub fn set_cookie(&self, cookie: HeaderValue) {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner).push(cookie);
    }

    /// Who sends this request. Asks the store once a request at most, and never where there is no cookie. Reading
    /// changes nothing but how long a session has been idle, and not that where the page asks by itself.
    pub async fn user(&self) -> Result<Option<User>, AppError> {
        Ok(self.known().await?.map(|known| known.user().clone()))
    }

    /// Whether it is this user who sends this request, with a browser.
    pub async fn is_of(&self, user: &User) -> Result<bool, AppError> {
        Ok(self.known().await?.is_some_and(|known| known.session().is_some_and(|session| session.login.user == *user)))
    }

    /// Whether it has been found out who sends this request, if only that it is nobody.
    pub fn is_known(&self) -> bool {
        self.known.initialized()
    }

    /// Finds out who sends this request, for all who ask later. Where that fails, they try again.
    pub async fn look(&self) {
        let _ = self.known().await;
    }

    /// Whether a browser brought a session along, which may have ended.
    pub fn had_cookie(&self) -> bool {
        matches!(self.credentials, Credentials::Cookies(_))
    }

    /// Whether whoever sent this request would be let in again, as the same user of the same vendor. Asks anew, once a
    /// second for all requests of one credential, and is no use of the session: for answers that take long.
    pub async fn is_still(&self, user: &User) -> Result<bool, AppError> {
        let standing = &self.state.sessions.standing;
        let now = match &self.credentials {
            Credentials::Nothing => None,
            Credentials::Key(key) => {
                let ask = async { Ok(self.state.accounts.find_key_user(key).await?.map(|found| found.user)) };
                standing.of(hex::encode(Sha256::digest(key.as_bytes())), ask).await?
            }
            Credentials::Cookies(_) => match self.known().await?.and_then(KnownUser::session) {
                Some(KnownSession { id, handle, .. }) => {
                    let ask = async { Ok(self.load(id, None).await?.map(|known| known.login.user.clone())) };
                    standing.of(handle.clone(), ask).await?
                }
                None => None,
            },
        };
        Ok(now.is_some_and(|now| now == *user))
    }

    /// Whether it is a program that asks, with a key of its user's.
    pub fn is_by_key(&self) -> bool {
        self.key().is_some()
    }

    /// What the key of this request may do; `None` where no key sends it.
    pub async fn grant(&self) -> Result<Option<KeyGrant>, AppError> {
        Ok(self.known().await?.and_then(|known| known.grant().cloned()))
    }

    /// What a program sends as its key.
    pub fn key(&self) -> Option<&str> {
        match &self.credentials {
            Credentials::Key(key) => Some(key),
            _ => None,
        }
    }

    /// Who is logged in with a browser: nobody where it is a key that sends the request.
    pub async fn logged_in_user(&self) -> Result<Option<User>, AppError> {
        Ok(self.known().await?.and_then(KnownUser::session).map(|session| session.login.user.clone()))
    }

    /// Whether somebody is logged in with a browser who has to prove a second factor, by this installation's rules, and
    /// has not.
    pub async fn lacks_second_factor(&self) -> Result<bool, AppError> {
        let rule = self.state.config.sessions.require_totp;
        let login = self.known().await?.and_then(KnownUser::session).map(|session| &session.login);
        Ok(login.is_some_and(|login| rule.is_for(login.user.role) && !login.second_factor))
    }

    /// Begins a session of its own for a user who has proved all that there is to prove: a new id, nothing of an older
    /// session. Those of the cookies end, but only after the new one is written: whatever fails, or dies, in between
    /// logs nobody out.
    pub async fn log_in(&self, authenticated: &Authenticated, browser: Browser) -> Result<(), AppError> {
        let id = self.begin(authenticated, browser).await?;
        self.end_cookies().await?;
        self.set_cookie_change(CookieChange::Set(id));
        Ok(())
    }

    /// The same, and ends all other sessions of the user, on every instance.
    pub async fn log_in_alone(&self, authenticated: &Authenticated, browser: Browser) -> Result<(), AppError> {
        let id = self.begin(authenticated, browser).await?;
        self.set_cookie_change(CookieChange::Set(id));
        self.sessions().end_all(&authenticated.user, Some(&id)).await?;
        self.end_cookies().await.map(|_| ())
    }

    /// Ends the session, and those of other cookies beside its own; the cookie goes only once the store has taken it.
    pub async fn log_out(&self) -> Result<(), AppError> {
        if self.end_cookies().await? {
            self.set_cookie_change(CookieChange::Clear);
        }
        Ok(())
    }

    /// Ends every session of the user that sends this request, on every instance.
    pub async fn log_out_everywhere(&self, user: &User) -> Result<(), AppError> {
        self.sessions().end_all(user, None).await?;
        self.end_cookies().await?;
        self.set_cookie_change(CookieChange::Clear);
        Ok(())
    }

    /// The user's sessions, the newest first.
    pub async fn list(&self, user: &User) -> Result<Vec<OwnSession>, AppError> {
        let current = self.known().await?.and_then(KnownUser::session).map(|session| session.id);
        let records = self.sessions().store.of_user(user.id).await.map_err(|e| unavailable(&e))?;
        let mut sessions: Vec<OwnSession> = records
            .iter()
            .filter(|record| !self.state.accounts.session_has_ended(&handle(&record.id)))
            .filter_map(|record| Some(SessionLogin::of(record)?.shown(&record.id, Some(record.id) == current)))
            .collect();
        sessions.sort_by(|a, b| (b.logged_in_at, &b.session_id).cmp(&(a.logged_in_at, &a.session_id)));
        Ok(sessions)
    }

    /// Ends one of the user's sessions, by the name it has in `list`. `NotFound` where there is none of that name.
    pub async fn end_one(&self, user: &User, session_id: &str) -> Result<(), AppError> {
        let records = self.sessions().store.of_user(user.id).await.map_err(|e| unavailable(&e))?;
        let id =
            records.iter().map(|record| record.id).find(|id| handle(id) == session_id).ok_or(AppError::NotFound)?;
        self.state.accounts.end_session(session_id).await?;
        self.sessions().store.end(user.id, &id).await.map_err(|e| unavailable(&e))
    }

    fn sessions(&self) -> &Sessions {
        &self.state.sessions
    }

    async fn known(&self) -> Result<Option<&KnownUser>, AppError> {
        Ok(self.known.get_or_try_init(|| self.find_out()).await?.as_ref())
    }

    async fn find_out(&self) -> Result<Option<KnownUser>, AppError> {
        match &self.credentials {
            Credentials::Nothing => Ok(None),
            Credentials::Key(key) => Ok(self.state.accounts.find_key_user(key).await?.map(KnownUser::Key)),
            Credentials::Cookies(ids) => {
                for id in ids.iter() {
                    if let Some(known) = self.find_session(id).await? {
                        return Ok(Some(known));
                    }
                }
                Ok(None)
            }
        }
    }

    async fn find_session(&self, id: &Id) -> Result<Option<KnownUser>, AppError> {
        let before = self.remembered.get().and_then(Option::as_ref).filter(|before| before.id == *id);
        let Some(known) = self.load(id, before.cloned()).await? else { return Ok(None) };
        if self.is_use && !self.sessions().touch(&known).await? {
            return Ok(None);
        }
        Ok(Some(KnownUser::Session(known)))
    }

    /// The session of this cookie as this instance last read it, if it did; it may have ended since.
    pub async fn remembered(&self) -> Option<Arc<KnownSession>> {
        let (Credentials::Cookies(ids), Some(remembered)) = (&self.credentials, &self.sessions().remembered) else {
            return None;
        };
        let first = ids.first()?;
        self.remembered.get_or_init(|| remembered.find(first)).await.clone()
    }

    /// A session that has not ended; `before` is what is remembered of it, where that was looked up already.
    async fn load(&self, id: &Id, before: Option<Arc<KnownSession>>) -> Result<Option<Arc<KnownSession>>, AppError> {
        if let Some(remembered) = &self.sessions().remembered {
            let before = if before.is_some() { before } else { remembered.find(id).await };
            if let Some(before) = before
                && let Some(known) = remembered.read_again(before).await
            {
                return Ok(self.is_valid(&known).await?.then_some(known));
            }
        }
        let Some(record) = self.sessions().store.load(id).await.map_err(|e| unavailable(&e))? else { return Ok(None) };
        let Some(login) = SessionLogin::of(&record) else {
            // Written by another version, or by nobody we know: to log in again mends it.
            tracing::warn!("a session that this version cannot read");
            return Ok(None);
        };
        let known = Arc::new(KnownSession::new(&record, login));
        if !self.is_valid(&known).await? {
            return Ok(None);
        }
        if let Some(remembered) = &self.sessions().remembered {
            remembered.keep(known.clone()).await;
        }
        Ok(Some(known))
    }

    /// Whether a session that is there has not ended for the database, and is still its user's; removes it where it is
    /// not.
    async fn is_valid(&self, KnownSession { id, login, handle, .. }: &KnownSession) -> Result<bool, AppError> {
        if self.state.accounts.session_has_ended(handle) {
            // A store that has gone back in time. That it is there again does no harm.
            tracing::warn!("a session that has ended is in the session store again");
            return Ok(false);
        }
        let valid = self.state.accounts.session_is_valid(&login.user, login.epoch).await?;
        if !valid {
            // What should have removed it did not find it. That it is still there does no harm.
            if let Err(error) = self.sessions().store.end(login.user.id, id).await {
                tracing::warn!(%error, "a session that has ended was not removed");
            }
        }
        Ok(valid)
    }

    async fn begin(&self, authenticated: &Authenticated, browser: Browser) -> Result<Id, AppError> {
        let Authenticated { user, epoch, second_factor } = authenticated;
        let now = OffsetDateTime::now_utc();
        let until = now + LIFETIME;
        let (since, until_seconds) = (now.unix_timestamp(), until.unix_timestamp());
        let Browser { address, name } = browser;
        let login = SessionLogin {
            user: user.clone(),
            epoch: *epoch,
            since,
            until: until_seconds,
            address,
            browser: name,
            second_factor: *second_factor,
        };
        let mut record = login.into_record(Id::default(), self.sessions().expiry(user.role, now, until_seconds))?;
        let store = &self.sessions().store;
        store.begin(user.id, &mut record, until).await.map_err(|e| unavailable(&e))?;
        // From here on, what ends the user's sessions finds this one. What did so before has changed the epoch, or shut
        // the user out.
        let still_good = self.state.accounts.session_is_valid_now(authenticated).await;
        match still_good {
            Ok(true) => Ok(record.id),
            refused => {
                store.end(user.id, &record.id).await.map_err(|e| unavailable(&e))?;
                Err(refused.err().unwrap_or(AppError::WrongCredentials))
            }
        }
    }

    /// Ends the sessions of all cookies, whosever they are. Whether there was a cookie.
    async fn end_cookies(&self) -> Result<bool, AppError> {
        let Credentials::Cookies(ids) = &self.credentials else { return Ok(false) };
        let store = &self.sessions().store;
        for id in ids.iter() {
            let login = store.load(id).await.map_err(|e| unavailable(&e))?.as_ref().and_then(SessionLogin::of);
            let ended = match login {
                Some(login) => {
                    // The database first: what the store is told may be lost with it. Of a session that is none,
                    // nothing is noted.
                    self.state.accounts.end_session(&handle(id)).await?;
                    store.end(login.user.id, id).await
                }
                None => store.delete(id).await,
            };
            ended.map_err(|e| unavailable(&e))?;
        }
        Ok(true)
    }

    fn set_cookie_change(&self, change: CookieChange) {
        *self.change.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }
}

pub(super) fn unavailable(error: &session_store::Error) -> AppError {
    AppError::Sessions(error.to_string())
}
