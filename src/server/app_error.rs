use std::sync::Arc;

use crate::{
    domain::{accounts::KeyScope, field_error::FieldError},
    server::db::DbError,
};

/// Why a service did not do what it was asked. `web` turns each into a status and a stable code; nothing else does.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppError {
    #[error("not logged in")]
    Unauthenticated,
    #[error("wrong address or password")]
    WrongCredentials,
    /// The password was right, and a one-time code has to be sent too.
    #[error("a one-time code is missing")]
    CodeMissing,
    #[error("wrong one-time code")]
    WrongCode,
    /// Whatever the code is: what this user's are worked out of was sealed with a secret that is gone.
    #[error("one-time codes that cannot be checked")]
    CodesUnreadable,
    /// Nobody of this role may do anything without a second factor, but set one up.
    #[error("a second factor is required")]
    SecondFactorRequired,
    /// The key of this request may not do what it asks for; another of the same user may.
    #[error("not in the scope of the key")]
    OutOfScope(KeyScope),
    #[error("not allowed")]
    Forbidden,
    /// Also for what belongs to another vendor: as if it were absent.
    #[error("not found")]
    NotFound,
    #[error("invalid input: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// It cannot be done in the state things are in; the text is for the one who asked.
    #[error("conflict: {0}")]
    Conflict(String),
    #[error("{0}")]
    Db(Arc<DbError>),
    /// Asked for too often; may be asked for again after so many seconds.
    #[error("asked for too often")]
    TooMany { retry_after_seconds: u64 },
    /// The user has as many event streams open as one may have, which is this many.
    #[error("too many event streams")]
    TooManyStreams(usize),
    /// What was asked for has been done, but for a part that can be made up for; the text says which, for the one who
    /// asked.
    #[error("done in part: {0}")]
    DoneInPart(String),
    /// Sessions cannot be read or written at the moment.
    #[error("session store: {0}")]
    Sessions(String),
    /// As much as this instance can do is being done.
    #[error("too much at once")]
    Busy,
    /// A defect, or a broken installation. The text goes to the log only.
    #[error("internal: {0}")]
    Internal(String),
}

impl AppError {
    /// The same for a form in which the refused field has another name.
    #[must_use]
    pub fn renamed(self, field: &str, in_form: &str) -> Self {
        let Self::Invalid(mut refused) = self else { return self };
        for one in refused.iter_mut().filter(|one| one.field == field) {
            in_form.clone_into(&mut one.field);
        }
        Self::Invalid(refused)
    }
}

impl From<DbError> for AppError {
    fn from(error: DbError) -> Self {
        Self::Db(Arc::new(error))
    }
}

impl From<FieldError> for AppError {
    fn from(invalid: FieldError) -> Self {
        Self::Invalid(vec![invalid])
    }
}

impl From<Vec<FieldError>> for AppError {
    fn from(invalid: Vec<FieldError>) -> Self {
        Self::Invalid(invalid)
    }
}
