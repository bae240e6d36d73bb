//! What is told to the world about an invalidation. Nothing that must be right depends on it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::{
    Cache, Cause,
    key::Tag,
    store::{Heard, Store},
};

/// An invalidation that took place, or is pending. Published as JSON on the channel `cache:invalidations`.
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
        Self {
            tags: tags.iter().map(|tag| tag.name().to_owned()).collect(),
            who: cause.who.clone(),
            why: cause.why.to_owned(),
            at,
        }
    }

    /// Whether it names one of these tags.
    pub fn concerns(&self, tags: &[Tag]) -> bool {
        self.tags.iter().any(|name| tags.iter().any(|tag| tag.name() == name))
    }

    pub fn to_json(&self) -> String {
        // Strings and a number: there is nothing in it that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What is published of an invalidation.
#[derive(Serialize, Deserialize)]
pub(crate) struct Message {
    #[serde(flatten)]
    pub invalidation: Invalidation,
    /// The cache that tells of it: its own subscribers have heard. (0 of an older release, which says nothing.)
    #[serde(default)]
    pub from: u64,
}

impl Message {
    pub fn to_json(&self) -> String {
        // Strings and numbers: there is nothing in it that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What subscribers hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// These tags were invalidated. Some are told twice: what is delivered again, after an answer that did not come.
    Invalidated(Invalidation),
    /// The connection was lost and is back: any tag may have been invalidated.
    Reconnected,
}

impl Event {
    /// Whether something may have changed under the tag.
    pub fn concerns(&self, tag: &Tag) -> bool {
        match self {
            Self::Invalidated(invalidation) => invalidation.concerns(std::slice::from_ref(tag)),
            Self::Reconnected => true,
        }
    }
}

impl Cache {
    /// Invalidations of every instance, as far as they are heard: one may come twice, and one that is lost harms
    /// nothing.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.messages.subscribe()
    }
}

/// Hands on what other caches publish than the one that calls itself `own`.
pub(crate) async fn listen(store: Arc<dyn Store>, messages: broadcast::Sender<Event>, own: u64) {
    let tell = move |heard: Heard<'_>| {
        let event = match heard {
            Heard::Message(text) => {
                let message = serde_json::from_str(text).ok().filter(|message: &Message| message.from != own);
                message.map(|message| Event::Invalidated(message.invalidation))
            }
            Heard::Reconnected => Some(Event::Reconnected),
        };
        // Nobody listening is no error.
        let _ = event.map(|event| messages.send(event));
    };
    store.listen(&tell).await;
}
