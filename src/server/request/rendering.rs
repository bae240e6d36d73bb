use std::sync::{Arc, OnceLock};

use vendorscope_cache::Origin;

/// What a page that is being rendered says it is made of; put into the extensions of its request where the page may be
/// sent again. Clones are the same.
#[derive(Clone, Default)]
pub struct Rendering(Arc<OnceLock<Option<Vec<Origin>>>>);

impl Rendering {
    /// `None` where something it is made of is no current cache entry.
    pub fn made_of(&self, origins: Option<Vec<Origin>>) {
        // A page is loaded once. Were it twice, what came first would not be all.
        if self.0.set(origins).is_err() {
            tracing::error!("a page said twice what it is made of");
        }
    }

    /// `None` as well where the page said nothing.
    pub fn origins(&self) -> Option<Vec<Origin>> {
        self.0.get().cloned().flatten().filter(|origins| !origins.is_empty())
    }
}
