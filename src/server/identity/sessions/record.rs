use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tower_sessions::session::{Id, Record};

use crate::{
    domain::accounts::{OwnSession, User},
    server::AppError,
};

/// The record's only field.
const LOGIN: &str = "login";
/// Longest `User-Agent` that is kept, in characters.
const MAX_BROWSER: usize = 200;

/// What a session holds: who is logged in, whole, so that a request needs no database to know; and how that came about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionLogin {
    pub user: User,
    /// The user's number at the time: see `Accounts::session_is_valid`.
    pub epoch: i64,
    /// Seconds since 1970.
    pub since: i64,
    /// When it ends, used or not; seconds since 1970.
    pub until: i64,
    /// The network address that logged in.
    pub address: Option<String>,
    /// As the browser calls itself.
    pub browser: String,
    /// Whether a second factor was proved at the login.
    #[serde(default)]
    pub second_factor: bool,
}

/// Whose browser it is, as far as the network tells.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    pub address: Option<String>,
    pub name: String,
}

impl Browser {
    pub fn new(address: Option<String>, user_agent: &str) -> Self {
        Self { address, name: user_agent.chars().filter(|c| !c.is_control()).take(MAX_BROWSER).collect() }
    }
}

impl SessionLogin {
    /// `None` for what another version, or somebody else, has written.
    pub fn of(record: &Record) -> Option<Self> {
        Self::deserialize(record.data.get(LOGIN)?).ok()
    }

    pub fn into_record(self, id: Id, expiry_date: OffsetDateTime) -> Result<Record, AppError> {
        let value = serde_json::to_value(self).map_err(|e| AppError::Internal(format!("a session as JSON: {e}")))?;
        Ok(Record { id, data: HashMap::from([(LOGIN.to_owned(), value)]), expiry_date })
    }

    /// As its user is shown it.
    pub fn shown(self, id: &Id, current: bool) -> OwnSession {
        let instant = |seconds| Timestamp::from_second(seconds).unwrap_or_default();
        OwnSession {
            session_id: handle(id),
            current,
            logged_in_at: instant(self.since),
            ends_at: instant(self.until),
            address: self.address,
            browser: self.browser,
        }
    }
}

/// Names a session without giving it away.
pub fn handle(id: &Id) -> String {
    hex::encode(&Sha256::digest(id.to_string())[..8])
}
