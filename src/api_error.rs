use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

use crate::domain::field_error::FieldError;

/// What a page is told when a server function could not do its work. Never holds an internal message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ApiError {
    #[error("Please log in.")]
    Unauthenticated,
    #[error("This page is not for your account.")]
    Forbidden,
    #[error("There is no such thing here.")]
    NotFound,
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// It cannot be done in the state things are in; the text says why.
    #[error("{0}")]
    Conflict(String),
    #[error("The service is not available at the moment. Please try again shortly.")]
    Unavailable,
    /// May be asked for again after so many seconds.
    #[error("This was asked for too often. Please try again in {0} s.")]
    TooMany(u64),
    #[error("Something went wrong on our side (request {0}).")]
    Internal(String),
    /// The browser could not reach the server, or did not understand it.
    #[error("The server could not be reached: {0}")]
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
