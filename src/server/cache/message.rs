//! What is told to the world about an invalidation. Nothing that must be right depends on it.

use serde::{Deserialize, Serialize};

use super::{Cause, keys::Tag};

/// An invalidation that took place. Published as JSON on the channel `cache:invalidations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalidation {
    /// Names, without `tag:`.
    pub tags: Vec<String>,
    pub who: String,
    pub why: String,
    /// µs since 1970, by the clock of the instance that invalidated.
    pub at_micros: u64,
}

impl Invalidation {
    pub(super) fn new(tags: &[Tag], cause: &Cause, at_micros: u64) -> Self {
        Self { tags: tags.iter().map(|tag| tag.name().to_owned()).collect(), who: cause.who.clone(), why: cause.why.to_owned(), at_micros }
    }

    pub(super) fn to_json(&self) -> String {
        // Strings and a number: there is nothing in it that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }
}
