//! What is told to the world about an invalidation. Nothing that must be right depends on it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use super::{
    Cause,
    keys::Tag,
    store::{Heard, Store},
};

/// An invalidation that took place, or is owed. Published as JSON on the channel `cache:invalidations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalidation {
    /// Names, without `tag:`.
    pub tags: Vec<String>,
    pub who: String,
    pub why: String,
    /// By the clock of the machine that changed something.
    pub at: Timestamp,
}

impl Invalidation {
    pub fn new(tags: &[Tag], cause: &Cause, at: Timestamp) -> Self {
        Self { tags: tags.iter().map(|tag| tag.name().to_owned()).collect(), who: cause.who.clone(), why: cause.why.to_owned(), at }
    }

    /// Which of a vendor's data it says has changed: `products`, `orders`, or both. None where it is about others.
    pub fn changed_for(&self, vendor: &str) -> Vec<&'static str> {
        let names = |tag: &Tag| self.tags.iter().any(|name| name == tag.name());
        let named: Vec<_> = [("products", Tag::products(vendor)), ("orders", Tag::orders(vendor))]
            .into_iter()
            .filter(|(_, tag)| names(tag))
            .map(|(what, _)| what)
            .collect();
        // A vendor's own tag alone says that something has, and not what.
        if named.is_empty() && (names(&Tag::vendor(vendor)) || names(&Tag::analytics())) { vec!["products", "orders"] } else { named }
    }

    pub fn to_json(&self) -> String {
        // Strings and a number: there is nothing in it that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Hands on what other instances publish. After a gap, everything may have changed.
pub(super) async fn listen(store: Arc<dyn Store>, messages: broadcast::Sender<Invalidation>) {
    let tell = move |heard: Heard<'_>| {
        let message = match heard {
            Heard::Message(text) => serde_json::from_str(text).ok(),
            Heard::Gap => {
                let cause = Cause { who: String::new(), why: "messages may have been missed" };
                Some(Invalidation::new(&[Tag::analytics()], &cause, Timestamp::now()))
            }
        };
        // Nobody listening is no error.
        let _ = message.map(|message| messages.send(message));
    };
    store.listen(&tell).await;
}
