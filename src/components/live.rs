use std::time::Duration;

use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
};
use web_sys::EventSource;

/// Several changes that follow each other this closely are one.
const SETTLED_AFTER: Duration = Duration::from_millis(300);

/// Calls `changed` soon after the server has said that something of the vendor's has changed. In the browser only; without scripts
/// a page is as old as it is.
pub fn on_change(changed: impl Fn() + Clone + 'static) {
    Effect::new(move |_| {
        let Ok(events) = EventSource::new("/api/vendor/events") else { return };
        let changed = changed.clone();
        let mut settled = debounce(SETTLED_AFTER, move |()| changed());
        let heard = Closure::<dyn FnMut()>::new(move || settled(()));
        if events.add_event_listener_with_callback("changed", heard.as_ref().unchecked_ref()).is_err() {
            return;
        }
        let open = StoredValue::new_local((events, heard));
        on_cleanup(move || {
            open.try_with_value(|(events, _)| events.close());
        });
    });
}
