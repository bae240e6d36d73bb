use serde::{Deserialize, Serialize};

use crate::text::shown;

/// One field of an input that was refused: its name, and what is accepted, in words for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{field}: {message}")]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

impl FieldError {
    /// Whatever of an input has come into it: a field and a message are one line each, and not too long for a log or a
    /// page.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: one_line(field.into(), MAX_FIELD), message: one_line(message.into(), MAX_MESSAGE) }
    }

    /// For a text that names none of the `accepted` values.
    pub fn unknown(field: &str, text: &str, accepted: &[&str]) -> Self {
        Self::new(field, format!("`{}` is not accepted: one of {}", shown(text), accepted.join(", ")))
    }
}

/// The longest name of a field, and the longest message, in characters.
const MAX_FIELD: usize = 200;
const MAX_MESSAGE: usize = 800;

fn one_line(text: String, most: usize) -> String {
    // Bytes are never fewer than characters.
    if text.len() <= most && !text.chars().any(char::is_control) {
        return text;
    }
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    match text.char_indices().nth(most) {
        Some(_) => line.take(most).chain(['…']).collect(),
        None => line.collect(),
    }
}

/// Collects every refusal of an input, so that its sender sees all of them at once.
#[derive(Debug, Default)]
pub struct Checks(Vec<FieldError>);

impl Checks {
    /// Notes a refusal unless `accepted` holds.
    pub fn require(&mut self, accepted: bool, field: &str, message: impl FnOnce() -> String) {
        if !accepted {
            self.0.push(FieldError::new(field, message()));
        }
    }

    /// The value, or nothing and a note of its refusal.
    pub fn accept<T>(&mut self, read: Result<T, FieldError>) -> Option<T> {
        read.map_err(|invalid| self.0.push(invalid)).ok()
    }

    /// Nothing refused, or everything that was.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
