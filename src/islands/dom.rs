use std::time::Duration;

use leptos::{
    prelude::{document, set_timeout, window},
    wasm_bindgen::{JsCast, closure::Closure, convert::FromWasmAbi},
};
use web_sys::{Element, EventTarget, NodeList};

/// Calls `heard` at every event of this name, as long as the page is there.
pub fn listen<E: FromWasmAbi + 'static>(target: &EventTarget, name: &str, heard: impl FnMut(E) + 'static) {
    let heard = Closure::<dyn FnMut(E)>::new(heard);
    // Fails only for what is no function.
    _ = target.add_event_listener_with_callback(name, heard.as_ref().unchecked_ref());
    heard.forget();
}

pub fn find(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok()?
}

pub fn find_in(element: &Element, selector: &str) -> Option<Element> {
    element.query_selector(selector).ok()?
}

pub fn all(selector: &str) -> impl Iterator<Item = Element> {
    elements(document().query_selector_all(selector).ok())
}

pub fn elements(list: Option<NodeList>) -> impl Iterator<Item = Element> {
    list.into_iter().flat_map(|list| (0..list.length()).filter_map(move |i| list.get(i)?.dyn_into().ok()))
}

/// The element that an event came from.
pub fn target(event: &web_sys::Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Sets an attribute; fails only for names that are none.
pub fn set(element: &Element, name: &str, value: &str) {
    _ = element.set_attribute(name, value);
}

pub fn set_text(element: Option<Element>, text: &str) {
    if let Some(element) = element.filter(|element| element.text_content().as_deref() != Some(text)) {
        element.set_text_content(Some(text));
    }
}

/// Says something to those who listen to the page instead of looking at it.
pub fn announce(text: &str) {
    set_text(find("#announce"), text);
}

pub fn after(milliseconds: u32, then: impl FnOnce() + 'static) {
    set_timeout(then, Duration::from_millis(milliseconds.into()));
}

pub fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// Milliseconds since the page was opened.
pub fn now() -> f64 {
    js_sys::Date::now()
}

pub fn here() -> String {
    window().location().href().unwrap_or_default()
}
