//! What is code in the browser, on pages that are complete without it. An island shows little of its own: it listens,
//! and changes what the server has written beside it. None has properties: what it needs stands in the page, in `data-`
//! attributes, so that a page that is brought up to date brings its islands up to date too.

use leptos::{html, prelude::*};

/// Small steps that every island takes.
#[cfg(feature = "hydrate")]
mod dom;
/// The keyboard, and what closes by a click beside it.
#[cfg(feature = "hydrate")]
mod keys;
/// One stream of events a browser.
#[cfg(feature = "hydrate")]
mod live;
/// Makes one piece of a page like another, and leaves alone what is alike.
#[cfg(feature = "hydrate")]
mod morph;
/// Reading a chart point by point.
#[cfg(feature = "hydrate")]
mod readout;
/// What a refund comes to.
#[cfg(feature = "hydrate")]
mod total;
/// Shows another range, or the same one anew, in the page that is open.
#[cfg(feature = "hydrate")]
mod visit;

/// Reads the chart it stands in, point by point: by mouse, touch or keyboard.
#[island]
pub fn Readout() -> impl IntoView {
    let here = NodeRef::<html::Span>::new();
    Effect::new(move |_| {
        #[cfg(feature = "hydrate")]
        if let Some(figure) = here.get().and_then(|here| here.closest("figure").ok()?) {
            readout::attach(figure);
        }
    });
    view! { <span node_ref=here hidden></span> }
}

/// Writes what a refund comes to into the button below its form, as it is typed.
#[island]
pub fn RefundTotal() -> impl IntoView {
    Effect::new(|_| {
        #[cfg(feature = "hydrate")]
        total::follow();
    });
    view! { <span hidden></span> }
}

/// How the page hears of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// Not yet known.
    Unknown,
    /// The stream is open, here or in another tab.
    Live,
    /// It broke, and is opened again.
    Reconnecting,
    /// The page is not looked at.
    Paused,
}

impl Hearing {
    fn text(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Live => crate::words::LIVE,
            Self::Reconnecting => crate::words::RECONNECTING,
            Self::Paused => crate::words::PAUSED,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Unknown => "stream",
            Self::Live => "stream on",
            Self::Reconnecting => "stream trying",
            Self::Paused => "stream off",
        }
    }
}

/// Keeps the page up to date, and says whether it is. The stream is named by `data-stream` of an element around it.
#[island]
pub fn Live() -> impl IntoView {
    let here = NodeRef::<html::Span>::new();
    let (hearing, set_hearing) = signal(Hearing::Unknown);
    Effect::new(move |_| {
        #[cfg(feature = "hydrate")]
        if let Some(stream) = here.get().and_then(|here| here.closest("[data-stream]").ok()?) {
            live::start(&stream, move |state| set_hearing.set(state));
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (here.get(), set_hearing);
    });
    view! { <span node_ref=here class=move || hearing.get().class()>{move || hearing.get().text()}</span> }
}

/// Has the page brought up to date every ten seconds, while it is looked at.
#[island]
pub fn Refresh() -> impl IntoView {
    let (hearing, set_hearing) = signal(Hearing::Unknown);
    Effect::new(move |_| {
        #[cfg(feature = "hydrate")]
        live::refresh_often();
        set_hearing.set(Hearing::Live);
    });
    view! { <span class=move || hearing.get().class()>{move || hearing.get().text()}</span> }
}

/// Ranges and metrics in the page that is open, keys for what has one, menus that close.
#[island]
pub fn Keys() -> impl IntoView {
    Effect::new(|_| {
        #[cfg(feature = "hydrate")]
        {
            visit::listen_to_links();
            keys::listen_to_keys();
        }
    });
    view! { <span hidden></span> }
}
