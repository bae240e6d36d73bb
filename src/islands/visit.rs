use std::cell::{Cell, RefCell};

use js_sys::Reflect;
use leptos::{
    prelude::{document, window},
    task::spawn_local,
    wasm_bindgen::{JsCast, JsValue},
};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Document, DomParser, Element, Event, FormData, Headers, HtmlElement, HtmlFormElement, HtmlInputElement, MouseEvent,
    RequestInit, Response, SupportedType, UrlSearchParams,
};

use super::{
    dom::{after, all, announce, find, here, listen, set_text, target},
    morph::morph,
};
use crate::words;

/// Why the page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Someone chose another range.
    Chosen,
    /// Someone went back or forth.
    History,
    /// Someone types what to look for: no address of its own to go back to.
    Typed,
    /// What is shown has changed.
    Changed,
}

/// The first pause before a page is asked for again, in milliseconds; each one after it is twice as long, up to the
/// last.
const FIRST_PAUSE: u32 = 1_000;
const LAST_PAUSE: u32 = 15_000;
/// What is typed this closely together, in milliseconds, is looked for at once.
const TYPED_AFTER: u32 = 250;

thread_local! {
    /// Counts what was asked for: only the newest answer is shown.
    static NEWEST: Cell<u32> = const { Cell::new(0) };
    /// What somebody wants to see and does not see yet.
    static WANTED: RefCell<Option<(String, Reason)>> = const { RefCell::new(None) };
}

/// Shows the ranges that links and the form of this page lead to in the page that is open.
pub fn listen_to_links() {
    listen(&document(), "click", |event: MouseEvent| {
        let is_plain =
            event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
        let link = target(&event).and_then(|target| target.closest("a[data-noscroll]").ok()?);
        if let Some(href) =
            link.filter(|_| is_plain && !event.default_prevented()).and_then(|link| link.get_attribute("href"))
        {
            event.prevent_default();
            close_menu();
            show(href, Reason::Chosen);
        }
    });
    listen(&document(), "submit", |event: Event| {
        let form = target(&event).filter(|form| form.matches(".range, main [role=search]").unwrap_or_default());
        if let Some(href) = form.and_then(|form| address(&form.dyn_into().ok()?)) {
            event.prevent_default();
            close_menu();
            show(href, Reason::Chosen);
        }
    });
    listen(&document(), "input", |event: Event| {
        let field = target(&event);
        if let Some(field) = field.filter(|field| field.matches("main [role=search] [type=search]").unwrap_or_default())
        {
            look_for_typed(&field);
        }
        if let Some(field) = target(&event).filter(|field| field.matches("[type=date]").unwrap_or_default()) {
            tell_day(&field);
        }
    });
    listen(&window(), "popstate", |_: Event| show(here(), Reason::History));
    listen(&document(), "click", |event: Event| {
        if target(&event).is_some_and(|target| target.closest("#trouble button").is_ok_and(|button| button.is_some())) {
            show(trouble_with().unwrap_or_else(here), Reason::Chosen);
        }
    });
    // What was typed before anybody listened.
    let field = find("main [role=search] [type=search]:focus").and_then(|field| field.dyn_into().ok());
    if let Some(field) = field.filter(|field: &HtmlInputElement| field.value() != field.default_value()) {
        look_for_typed(&field);
    }
}

/// Shows what is found by what a field of a search holds, unless more is typed at once.
fn look_for_typed(field: &Element) {
    // Whatever is still on its way is of what was typed before.
    let turn = NEWEST.get().wrapping_add(1);
    NEWEST.set(turn);
    let form = field.closest("form").ok().flatten().and_then(|form| form.dyn_into().ok());
    let Some(href) = form.and_then(|form| address(&form)) else { return };
    WANTED.set(Some((href.clone(), Reason::Typed)));
    after(TYPED_AFTER, move || {
        if NEWEST.get() == turn {
            show(href, Reason::Typed);
        }
    });
}

/// Writes the day that was chosen as the page writes days; the field writes it as the reader's own system does.
fn tell_day(field: &Element) {
    let day = field.dyn_ref::<HtmlInputElement>().and_then(|field| words::day(&field.value()));
    let hint = field.get_attribute("aria-describedby").filter(|id| id.ends_with("-hint"));
    set_text(hint.and_then(|id| document().get_element_by_id(&id)), &day.unwrap_or_default());
}

/// The address that a form of parameters leads to; fields without a value stay out of it.
pub fn address(form: &HtmlFormElement) -> Option<String> {
    let fields = FormData::new_with_form(form).ok()?;
    let fields: String = UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?.to_string().into();
    let given: Vec<_> = fields.split('&').filter(|field| !field.is_empty() && !field.ends_with('=')).collect();
    let action = form.get_attribute("action")?;
    Some(if given.is_empty() { action } else { format!("{action}?{}", given.join("&")) })
}

fn close_menu() {
    for menu in all("details.menu[open]") {
        let had_focus = document().active_element().is_some_and(|focused| menu.contains(Some(&focused)));
        _ = menu.remove_attribute("open");
        if let Some(opener) =
            menu.first_element_child().filter(|_| had_focus).and_then(|opener| opener.dyn_into::<HtmlElement>().ok())
        {
            _ = opener.focus();
        }
    }
}

/// Asks for the page at `href` and shows it, however long that takes; what is there stays until then. Where something
/// has changed and somebody waits for another page, that one is asked for: it is as new, and it is what they want.
pub fn show(href: String, reason: Reason) {
    let (href, reason) = match reason {
        Reason::Changed => WANTED.with_borrow(Clone::clone).unwrap_or((href, reason)),
        _ => {
            WANTED.set(Some((href.clone(), reason)));
            (href, reason)
        }
    };
    let turn = NEWEST.get().wrapping_add(1);
    NEWEST.set(turn);
    attempt(href, reason, turn, FIRST_PAUSE);
}

fn attempt(href: String, reason: Reason, turn: u32, pause: u32) {
    spawn_local(async move {
        set_busy(matches!(reason, Reason::Chosen | Reason::History));
        let answer = ask(&href, reason).await;
        if NEWEST.get() != turn {
            return;
        }
        set_busy(false);
        if !matches!(answer, Answer::None(_)) {
            WANTED.take();
        }
        match answer {
            Answer::Page(page, address) => arrive(&page, &address, reason),
            Answer::Refused(text) => trouble(&href, &text),
            Answer::Elsewhere(_) if reason == Reason::Changed && is_typed() => ended(&href),
            Answer::Elsewhere(address) => _ = window().location().assign(&address),
            Answer::None(text) => {
                trouble(&href, text);
                after(pause, move || {
                    if NEWEST.get() == turn {
                        attempt(href, reason, turn, (pause * 2).min(LAST_PAUSE));
                    }
                });
            }
        }
    });
}

enum Answer {
    /// The page, and its address.
    Page(Document, String),
    /// A page that says why not.
    Refused(String),
    /// To be gone to: the login, what is no page, or a page that somebody else is shown than this one, who has logged in
    /// since.
    Elsewhere(String),
    /// None, or none that helps: to be asked for again.
    None(&'static str),
}

async fn ask(href: &str, reason: Reason) -> Answer {
    match fetch(href, reason == Reason::Changed).await {
        Ok((response, text)) if response.ok() => {
            let address = response.url();
            let page = parse(&text);
            let main = page.as_ref().and_then(|page| page.query_selector("#main").ok()?);
            let whose = |main: Option<Element>| main.and_then(|main| main.get_attribute("data-visit"));
            match (page, whose(main)) {
                (Some(page), Some(user)) if whose(find("#main")).as_ref() == Some(&user) => Answer::Page(page, address),
                _ => Answer::Elsewhere(address),
            }
        }
        Ok((response, _)) if response.status() == 403 => Answer::Elsewhere(response.url()),
        Ok((response, _)) if matches!(response.status(), 502..=504) => Answer::None(words::NOT_RESPONDING),
        Ok((response, _)) if response.status() == 429 => Answer::None(words::TOO_MANY),
        Ok((_, text)) => {
            let said = parse(&text).and_then(|page| page.query_selector(".problem p").ok()??.text_content());
            Answer::Refused(said.unwrap_or_else(|| words::NOT_LOADED.to_owned()))
        }
        Err(_) => Answer::None(words::UNREACHABLE),
    }
}

/// `unattended`: nobody has asked for it, and so it is no use of the session.
pub async fn fetch(href: &str, unattended: bool) -> Result<(Response, String), JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "text/html")?;
    if unattended {
        headers.set("x-unattended", "1")?;
    }
    let how = RequestInit::new();
    how.set_headers(&headers);
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(href, &how)).await?.dyn_into()?;
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    Ok((response, text))
}

pub fn parse(text: &str) -> Option<Document> {
    DomParser::new().ok()?.parse_from_string(text, SupportedType::TextHtml).ok()
}

fn arrive(page: &Document, address: &str, reason: Reason) {
    let Some((main, wanted)) = find("#main").zip(page.query_selector("#main").ok().flatten()) else { return };
    let headline = || find(".figure .value, [data-rows] tbody th").and_then(|value| value.text_content());
    let before = headline();
    if here() != address {
        _ = window().history().and_then(|history| match reason {
            Reason::Chosen => history.push_state_with_url(&JsValue::NULL, "", Some(address)),
            Reason::Typed => history.replace_state_with_url(&JsValue::NULL, "", Some(address)),
            _ => Ok(()),
        });
    }
    morph(&main, &wanted, reason == Reason::Changed);
    document().set_title(&page.title());
    if reason != Reason::Changed {
        // What the form was given belongs to the range before, or to other filters.
        let forms = if reason == Reason::History { "form.range, main [role=search]" } else { "form.range" };
        for form in all(forms).filter_map(|form| form.dyn_into::<HtmlFormElement>().ok()) {
            form.reset();
        }
    } else {
        after(1_600, || all(".fresh").for_each(|text| _ = text.class_list().remove_1("fresh")));
    }
    if reason != Reason::Changed || headline() != before {
        announce(&find("#announce").and_then(|said| said.get_attribute("data-say")).unwrap_or_default());
    }
    // What is half typed stays, and so does the day that it is.
    all("[type=date]").for_each(|field| tell_day(&field));
    if let Ok(event) = Event::new("shown") {
        _ = document().dispatch_event(&event);
    }
}

fn set_busy(busy: bool) {
    if let Some(main) = find("#main") {
        _ = main.class_list().toggle_with_force("busy", busy);
        _ = if busy { main.set_attribute("aria-busy", "true") } else { main.remove_attribute("aria-busy") };
    }
}

/// Whether a field is not as the page had it: something was typed, chosen or ticked, and not sent.
fn is_typed() -> bool {
    // Of a list that the page has chosen nothing of, the first is chosen.
    let chosen = "#main :is(:checked:not([checked], [selected], option:first-child), \
        [checked]:not(:checked), [selected]:not(:checked, :first-child))";
    let is_changed = |field: Element| {
        let value = |name: &str| Reflect::get(&field, &JsValue::from_str(name)).ok();
        value("value") != value("defaultValue")
    };
    find(chosen).is_some() || all("#main :is(input:not([type=checkbox], [type=radio]), textarea)").any(is_changed)
}

/// Says above the figures, which stay, what is the matter.
fn trouble(href: &str, text: &str) {
    tell(href, text, false);
}

/// Says that the session has ended, and how to begin another one without leaving the page.
fn ended(href: &str) {
    tell(href, words::ENDED_TYPED_IS_KEPT, true);
}

fn tell(href: &str, text: &str, has_ended: bool) {
    if let Some(bar) = find("#trouble") {
        _ = bar.remove_attribute("hidden");
        _ = bar.set_attribute("data-href", href);
        set_text(find("#trouble p"), text);
        for (way, is_hidden) in [("#trouble button", has_ended), ("#trouble a", !has_ended)] {
            _ = find(way).map(|way| way.toggle_attribute_with_force("hidden", is_hidden));
        }
    }
}

fn trouble_with() -> Option<String> {
    find("#trouble")?.get_attribute("data-href")
}
