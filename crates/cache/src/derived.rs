//! What is worked out from an entry's bytes once, and used again for as long as this process keeps the entry.
//!
//! It has no life of its own: it is a part of the entry that it was worked out from, is found only through a lookup
//! that found that entry current, and goes with it. A value that is loaded again is another entry, with nothing derived
//! from it yet.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use bytes::Bytes;

/// Clones are the same.
#[derive(Clone, Default)]
pub struct Derived(Arc<Mutex<Slots>>);

pub(crate) type Slots = Vec<(&'static str, Slot)>;

pub(crate) type Slot = Arc<OnceLock<Option<Bytes>>>;

impl Derived {
    /// Which one it is.
    pub(crate) fn downgrade(&self) -> Weak<Mutex<Slots>> {
        Arc::downgrade(&self.0)
    }

    /// What `derive` gives, or gave when it was first asked for by this name. It is to depend on nothing but the name
    /// and the bytes of the entry: everybody who is served the entry is served it. While one works it out, others who
    /// want the same wait, blocking.
    pub fn get_or_derive(&self, name: &'static str, derive: impl FnOnce() -> Option<Bytes>) -> Option<Bytes> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match slots.iter().find(|(known, _)| *known == name) {
                Some((_, slot)) => slot.clone(),
                None => {
                    let slot = Slot::default();
                    slots.push((name, slot.clone()));
                    slot
                }
            }
        };
        slot.get_or_init(derive).clone()
    }
}

/// What an entry is does not depend on what was worked out from it so far.
impl PartialEq for Derived {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Derived {}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Derived")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_derived_is_derived_once_for_all_clones() {
        let derived = Derived::default();
        let first = derived.get_or_derive("a", || Some(Bytes::from_static(b"first")));
        assert_eq!(derived.clone().get_or_derive("a", || unreachable!("derived again")), first);
        assert_eq!(derived.get_or_derive("b", || None), None);
        assert_eq!(derived.get_or_derive("b", || unreachable!("failed before")), None);
    }
}
