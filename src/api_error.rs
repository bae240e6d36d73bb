use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

use crate::{domain::field_error::FieldError, words};

/// What a page is told when a server function could not do its work. Never holds an internal message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ApiError {
    #[error("{}", words::SESSION_ENDED)]
    Unauthenticated,
    #[error("{}", words::NO_ACCESS)]
    Forbidden,
    #[error("{}", words::NOT_FOUND)]
    NotFound,
    /// A product of this id and name was deleted.
    #[error("{}", words::product_deleted(name))]
    Deleted { id: String, name: String },
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// It cannot be done in the state things are in; the text says why.
    #[error("{0}")]
    Conflict(String),
    #[error("{}", words::UNAVAILABLE)]
    Unavailable,
    /// May be asked for again after so many seconds.
    #[error("{}", words::too_many(*.0))]
    TooMany(u64),
    #[error("Something went wrong on our side. If it happens again, tell us this number: {0}")]
    Internal(String),
    /// The server was not understood.
    #[error("{}", words::NOT_LOADED)]
    Transport(String),
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            #[cfg(feature = "ssr")]
            ServerFnErrorErr::Args(message) => crate::server::context::form_error(&message),
            // Also what an address says of an error, which anybody can write.
            other => Self::Transport(other.to_string()),
        }
    }
}
