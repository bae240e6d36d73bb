use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Function, Promise, Reflect};
use leptos::{
    prelude::{document, set_interval, window},
    wasm_bindgen::{JsCast, JsValue, closure::Closure},
};
use web_sys::{BroadcastChannel, Element, Event, EventSource, MessageEvent};

use super::{
    Hearing,
    dom::{after, find, here, is_hidden, listen, now, set_text},
    visit::{Reason, show},
};
use crate::words;

/// Changes that follow each other this closely, in milliseconds, are one.
const SETTLED_AFTER: u32 = 300;
/// Before a stream that was refused is asked for again, in milliseconds.
const REFUSED_PAUSE: u32 = 5_000;
/// How often the age is written anew, in seconds.
const AGE_STEP: u64 = 5;

/// What tabs tell each other.
const CHANGED: &str = "changed";
const LIVE: &str = "live";
const RECONNECTING: &str = "reconnecting";
const WHO: &str = "who";

/// Keeps the page up to date. `told` hears how that goes.
///
/// Of all tabs that are looked at, the one that holds the lock has the stream and tells the others: a browser opens few
/// connections to a server, and streams would use them up. Where the browser has no locks (a page that came over plain
/// HTTP) each such tab has its own.
pub fn start(stream: &Element, told: impl Fn(Hearing) + 'static) {
    let name = format!("vendorscope {}", stream.get_attribute("data-stream").unwrap_or_default());
    let tab = Rc::new(Tab {
        posts: BroadcastChannel::new(&name).ok(),
        name,
        told: Box::new(told),
        source: RefCell::new(None),
        release: RefCell::new(None),
        waits: Cell::new(false),
        is_refreshing: Cell::new(false),
        hearing: Cell::new(Hearing::Unknown),
    });
    if let Some(posts) = &tab.posts {
        let by = tab.clone();
        listen(posts, "message", move |event: MessageEvent| by.read(&event.data().as_string().unwrap_or_default()));
    }
    let by = tab.clone();
    listen(&document(), "visibilitychange", move |_: Event| if is_hidden() { by.pause() } else { by.resume() });
    let by = tab.clone();
    listen(&window(), "pagehide", move |_: Event| by.pause());
    let by = tab.clone();
    listen(&window(), "online", move |_: Event| by.refresh());
    count_age();
    if is_hidden() {
        tab.tell(Hearing::Paused);
    } else {
        tab.want();
        tab.post(WHO);
    }
}

/// For a page of which no stream tells.
const OFTEN: std::time::Duration = std::time::Duration::from_secs(10);

/// Has the page brought up to date every now and then, and when somebody looks at it again.
pub fn refresh_often() {
    let refresh = || {
        if !is_hidden() {
            show(here(), Reason::Changed);
        }
    };
    set_interval(refresh, OFTEN);
    listen(&document(), "visibilitychange", move |_: Event| refresh());
}

struct Tab {
    name: String,
    posts: Option<BroadcastChannel>,
    told: Box<dyn Fn(Hearing)>,
    source: RefCell<Option<EventSource>>,
    /// Gives the lock back.
    release: RefCell<Option<Function>>,
    /// Whether the lock was asked for, and not yet given.
    waits: Cell<bool>,
    is_refreshing: Cell<bool>,
    hearing: Cell<Hearing>,
}

impl Tab {
    fn tell(&self, hearing: Hearing) {
        self.hearing.set(hearing);
        (self.told)(hearing);
    }

    fn post(&self, text: &str) {
        if let Some(posts) = &self.posts {
            _ = posts.post_message(&JsValue::from_str(text));
        }
    }

    fn read(self: &Rc<Self>, text: &str) {
        match text {
            WHO if self.source.borrow().is_some() => match self.hearing.get() {
                Hearing::Live => self.post(LIVE),
                Hearing::Reconnecting => self.post(RECONNECTING),
                Hearing::Unknown | Hearing::Paused => {}
            },
            // Whoever has a stream knows better.
            _ if self.source.borrow().is_some() || is_hidden() => {}
            CHANGED => self.refresh(),
            LIVE => self.tell(Hearing::Live),
            RECONNECTING => self.tell(Hearing::Reconnecting),
            _ => {}
        }
    }

    fn pause(&self) {
        if let Some(source) = self.source.take() {
            source.close();
        }
        if let Some(release) = self.release.take() {
            _ = release.call0(&JsValue::NULL);
        }
        self.tell(Hearing::Paused);
    }

    fn resume(self: &Rc<Self>) {
        self.want();
        self.post(WHO);
        // Nothing was heard in the meantime.
        self.refresh();
    }

    /// Opens the stream as soon as no other tab has it.
    fn want(self: &Rc<Self>) {
        if self.waits.get() || self.source.borrow().is_some() {
            return;
        }
        let Some((locks, request)) = locks() else { return self.open() };
        self.waits.set(true);
        let tab = self.clone();
        let given = Closure::once_into_js(move |_lock: JsValue| -> JsValue {
            tab.waits.set(false);
            // Held until this promise is kept.
            let mut keep = |resolve: Function, _: Function| {
                if is_hidden() {
                    _ = resolve.call0(&JsValue::NULL);
                } else {
                    tab.release.replace(Some(resolve));
                    tab.open();
                }
            };
            Promise::new(&mut keep).into()
        });
        _ = request.call2(&locks, &JsValue::from_str(&self.name), &given);
    }

    fn open(self: &Rc<Self>) {
        let Ok(source) = EventSource::new("/api/vendor/events") else { return };
        let tab = self.clone();
        listen(&source, "open", move |_: Event| {
            // What happened while there was no stream was not heard.
            if tab.hearing.get() == Hearing::Reconnecting {
                tab.refresh();
            }
            tab.tell(Hearing::Live);
            tab.post(LIVE);
        });
        let tab = self.clone();
        listen(&source, "changed", move |_: Event| {
            tab.post(CHANGED);
            tab.refresh();
        });
        let tab = self.clone();
        listen(&source, "error", move |_: Event| {
            tab.tell(Hearing::Reconnecting);
            tab.post(RECONNECTING);
            let is_over =
                tab.source.borrow().as_ref().is_some_and(|source| source.ready_state() == EventSource::CLOSED);
            if is_over {
                // Refused, and the browser does not ask again by itself. If the session has ended, the page leads to
                // the login.
                tab.source.take();
                let tab = tab.clone();
                after(REFUSED_PAUSE, move || {
                    if !is_hidden() && tab.source.borrow().is_none() {
                        tab.refresh();
                        tab.open();
                    }
                });
            }
        });
        self.source.replace(Some(source));
    }

    /// Has the page brought up to date soon.
    fn refresh(self: &Rc<Self>) {
        if !self.is_refreshing.replace(true) {
            let tab = self.clone();
            after(SETTLED_AFTER, move || {
                tab.is_refreshing.set(false);
                show(here(), Reason::Changed);
            });
        }
    }
}

/// The browser's locks, and how to ask them for one.
fn locks() -> Option<(JsValue, Function)> {
    let locks = Reflect::get(&window().navigator(), &JsValue::from_str("locks")).ok()?;
    let request = Reflect::get(&locks, &JsValue::from_str("request")).ok()?.dyn_into().ok()?;
    Some((locks, request))
}

/// Writes how old the figures are, as long as the page is open.
fn count_age() {
    let arrived = Rc::new(Cell::new(now()));
    let by = arrived.clone();
    listen(&document(), "shown", move |_: Event| by.set(now()));
    set_interval(
        move || {
            let age = find("[data-age]").filter(|_| !is_hidden());
            if let Some(seconds) = age.as_ref().and_then(|age| age.get_attribute("data-age")?.parse::<u64>().ok()) {
                let waited = ((now() - arrived.get()).max(0.0) / 1000.0) as u64;
                set_text(age, &words::updated(seconds + waited));
            }
        },
        std::time::Duration::from_secs(AGE_STEP),
    );
}
