use serde::{Deserialize, Serialize};

/// One field of an input that was refused: its name, and what is accepted, in words for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{field}: {message}")]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// For a text that names none of the `accepted` values.
    pub fn unknown(field: &str, text: &str, accepted: &[&str]) -> Self {
        Self::new(field, format!("`{text}` is not accepted: one of {}", accepted.join(", ")))
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
