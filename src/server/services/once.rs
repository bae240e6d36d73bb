//! Requests that are done once, however often they are sent: by the `Idempotency-Key` they carry, or by the field of
//! their form.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    domain::field_error::FieldError,
    server::{
        AppError,
        db::{
            Db, Tx,
            idempotency::{self, Remembered},
        },
    },
};

/// How long an answer is remembered under its key, in microseconds: a day.
const REMEMBERED_US: i64 = 86_400_000_000;
/// How long a request whose work has no transaction of its own may take to be answered, in microseconds. One that was
/// not answered by then was cut off in the middle, and is done again.
const ANSWERED_WITHIN_US: i64 = 60_000_000;
/// The longest key, in characters.
const MAX_KEY: usize = 200;

/// Who sends something, and the key it carries.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The user's address.
    pub who: String,
    /// The marketplace's id of the one vendor that may be written for; `None` for all that the user may.
    pub only_vendor: Option<String>,
    /// The network address that it comes from.
    pub address: Option<String>,
    key: Option<SentKey>,
}

/// What tells a request that is sent again from another one that asks for the same.
#[derive(Debug, Clone)]
enum SentKey {
    /// An `Idempotency-Key`: whoever chose it has chosen it for one request.
    OfRequest(String),
    /// The field of a form. A page may send several things with one: it is gone back to and filled in anew, or was
    /// rendered once for all who asked for it within a minute. So it counts together with what is sent.
    OfForm(String),
}

impl Sender {
    /// An error for a key that is none.
    pub fn new(who: &str, key: Option<&str>) -> Result<Self, FieldError> {
        let accepted =
            |key: &str| (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        match key {
            Some(key) if !accepted(key) => {
                Err(FieldError::new("Idempotency-Key", format!("must be 1 to {MAX_KEY} visible ASCII characters")))
            }
            key => Ok(Self {
                who: who.to_owned(),
                only_vendor: None,
                address: None,
                key: key.map(|key| SentKey::OfRequest(key.to_owned())),
            }),
        }
    }

    /// The same, from a network address.
    #[must_use]
    pub fn from_address(self, address: Option<String>) -> Self {
        Self { address, ..self }
    }

    /// The same, for one vendor alone.
    #[must_use]
    pub fn only_for(self, vendor: Option<String>) -> Self {
        Self { only_vendor: vendor, ..self }
    }

    /// A form of a page, with what its field says (`components::fields::once`). Where a form has none, as pages of an
    /// older version send it, what is sent again is meant again.
    pub fn of_form(who: &str, address: Option<String>, once: Option<&str>) -> Self {
        let key = once.filter(|once| !once.is_empty()).map(|once| SentKey::OfForm(once.to_owned()));
        Self { who: who.to_owned(), only_vendor: None, address, key }
    }

    /// What is to be done once, where there is a key: `what` of `content`, which is all that the request says.
    pub(in crate::server) fn once(&self, what: &str, content: &impl Serialize) -> Result<Option<Once>, AppError> {
        let scope = format!("{what} {}", self.who);
        let (key, fingerprint) = match &self.key {
            None => return Ok(None),
            Some(SentKey::OfRequest(key)) => (key.clone(), fingerprint(content)?),
            // An `Idempotency-Key` has no space.
            Some(SentKey::OfForm(once)) => {
                let fingerprint = fingerprint(&(once, content))?;
                (format!("form {fingerprint}"), fingerprint)
            }
        };
        Ok(Some(Once { scope, key, fingerprint, fingerprint_before: None }))
    }
}

fn fingerprint(content: &impl Serialize) -> Result<String, AppError> {
    let json = serde_json::to_vec(content).map_err(|error| AppError::Internal(format!("content as JSON: {error}")))?;
    Ok(hex::encode(Sha256::digest(&json)))
}

/// One request with a key.
#[derive(Debug, Clone)]
pub(in crate::server) struct Once {
    scope: String,
    key: String,
    fingerprint: String,
    /// The same content, as it was written down before a secret in it was changed.
    fingerprint_before: Option<String>,
}

impl Once {
    /// The same, known by this content too.
    pub(in crate::server) fn or_before(self, content: &impl Serialize) -> Result<Self, AppError> {
        Ok(Self { fingerprint_before: Some(fingerprint(content)?), ..self })
    }

    fn is_of(&self, before: &Remembered) -> bool {
        before.fingerprint == self.fingerprint || Some(&before.fingerprint) == self.fingerprint_before.as_ref()
    }

    /// What was answered to this request before, if it was. Else nobody else does the same until the transaction ends.
    pub(in crate::server) async fn answered<T: DeserializeOwned>(&self, tx: &mut Tx) -> Result<Option<T>, AppError> {
        let now_us = Timestamp::now().as_microsecond();
        let before =
            idempotency::claim(tx, &self.scope, &self.key, &self.fingerprint, now_us, now_us - REMEMBERED_US).await?;
        before.map(|before| self.read(&before)).transpose()
    }

    fn read<T: DeserializeOwned>(&self, before: &Remembered) -> Result<T, AppError> {
        if !self.is_of(before) {
            return Err(FieldError::new(
                "Idempotency-Key",
                "was sent with another content before: a key belongs to one request",
            )
            .into());
        }
        if before.answer.is_empty() {
            return Err(AppError::Conflict(
                "a request with this Idempotency-Key is still being answered: send it again later".to_owned(),
            ));
        }
        serde_json::from_str(&before.answer).map_err(|error| AppError::Internal(format!("remembered answer: {error}")))
    }

    /// Remembers what the transaction answers. One that fails is not remembered: nothing of it was kept.
    pub(in crate::server) async fn remember(&self, tx: &mut Tx, answer: &impl Serialize) -> Result<(), AppError> {
        let answer = serde_json::to_string(answer).map_err(|error| AppError::Internal(format!("answer: {error}")))?;
        Ok(idempotency::remember(tx, &self.scope, &self.key, &answer).await?)
    }

    /// For work that has no transaction of its own: what was answered to this request before, if it was. Else the key
    /// is claimed until [`Once::end`]. `Conflict` while it is being answered.
    pub(in crate::server) async fn begin<T: DeserializeOwned>(&self, db: &Db) -> Result<Option<T>, AppError> {
        let mut tx = db.write().await?;
        let now_us = Timestamp::now().as_microsecond();
        let before =
            idempotency::claim(&mut tx, &self.scope, &self.key, &self.fingerprint, now_us, now_us - REMEMBERED_US)
                .await?;
        let answer = match before {
            Some(before)
                if before.answer.is_empty()
                    && self.is_of(&before)
                    && before.at_us <= now_us - ANSWERED_WITHIN_US
                    && idempotency::claim_again(&mut tx, &self.scope, &self.key, before.at_us, now_us).await? =>
            {
                None
            }
            before => before.map(|before| self.read(&before)).transpose()?,
        };
        tx.commit().await?;
        Ok(answer)
    }

    /// Remembers what was answered, or that nothing was done.
    pub(in crate::server) async fn end(&self, db: &Db, answer: Option<&impl Serialize>) -> Result<(), AppError> {
        let mut tx = db.write().await?;
        match answer {
            Some(answer) => self.remember(&mut tx, answer).await?,
            None => idempotency::forget(&mut tx, &self.scope, &self.key).await?,
        }
        Ok(tx.commit().await?)
    }
}
