use leptos::{prelude::document, wasm_bindgen::JsCast};
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent};

use super::dom::{all, find, listen, target};

/// What is open, and closes by Escape or a click beside it.
const OPEN: &str = "details.menu[open], details.define[open]";

pub fn listen_to_keys() {
    listen(&document(), "click", |event: Event| {
        let target = target(&event);
        for open in all(OPEN) {
            if target.as_ref().is_none_or(|target| !open.contains(Some(target))) {
                _ = open.remove_attribute("open");
            }
        }
        let is_in =
            |selector| target.as_ref().is_some_and(|target| target.closest(selector).is_ok_and(|at| at.is_some()));
        if is_in("[data-keys]") {
            show_sheet();
        } else if is_in("[data-all]") {
            pick_all();
        }
    });
    listen(&document(), "keydown", press);
    offer();
    listen(&document(), "shown", |_: Event| offer());
}

/// Shows what is of use with this script only.
fn offer() {
    for button in all("[data-keys], [data-all]") {
        _ = button.remove_attribute("hidden");
    }
}

fn press(event: KeyboardEvent) {
    let key = event.key();
    if event.default_prevented() || event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    if key == "Escape" {
        return close(&event);
    }
    let at = target(&event);
    if let Some(menu) = at.as_ref().and_then(|at| at.closest("details.menu[open]").ok()?)
        && let Some(step) = match key.as_str() {
            "ArrowDown" => Some(1),
            "ArrowUp" => Some(-1),
            _ => None,
        }
        && at.as_ref().is_some_and(|at| matches!(at.tag_name().as_str(), "A" | "SUMMARY"))
    {
        event.prevent_default();
        return walk(&menu, step);
    }
    let types = "input:not([type=checkbox]), select, textarea, [contenteditable], dialog[open]";
    if matches!(key.as_str(), "j" | "k" | "x") && !event.shift_key() && is_free(at.as_ref(), types) && on_rows(&key) {
        return event.prevent_default();
    }
    if event.repeat() || !is_free(at.as_ref(), types) {
        return;
    }
    match key.as_str() {
        "?" => show_sheet(),
        _ if event.shift_key() => return,
        "/" if find("[data-rows], main [role=search]").is_some() => focus(find("#search")),
        "/" => return click(&event, "/"),
        key => return click(&event, &key.to_lowercase()),
    }
    event.prevent_default();
}

/// Whether nothing is typed where the focus is.
fn is_free(at: Option<&Element>, types: &str) -> bool {
    at.is_none_or(|at| at.closest(types).is_ok_and(|field| field.is_none()))
}

fn focus(element: Option<Element>) {
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        _ = element.focus();
    }
}

/// Goes from row to row of a list, or picks the one that has the focus. Whether there is a list.
fn on_rows(key: &str) -> bool {
    let rows: Vec<Element> = all("[data-rows] tbody tr").collect();
    let focused = document().active_element();
    let at = focused.and_then(|focused| rows.iter().position(|row| row.contains(Some(&focused))));
    let row = match (key, at) {
        ("x", at) => {
            let field = at.and_then(|at| rows[at].query_selector("[type=checkbox]").ok()?);
            if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
                field.click();
            }
            return !rows.is_empty();
        }
        (_, None) => 0,
        ("j", Some(at)) => (at + 1).min(rows.len() - 1),
        (_, Some(at)) => at.saturating_sub(1),
    };
    focus(rows.get(row).and_then(|row| row.query_selector("th a").ok()?));
    !rows.is_empty()
}

/// Picks every row of the list, or none where all are picked.
fn pick_all() {
    let boxes = all("[data-rows] [type=checkbox]").filter_map(|field| field.dyn_into::<HtmlInputElement>().ok());
    let boxes: Vec<_> = boxes.collect();
    let is_picked = !boxes.iter().all(HtmlInputElement::checked);
    for field in boxes {
        field.set_checked(is_picked);
    }
}

/// Does what the link or button with this key does. Arrows are named `arrowleft` and `arrowright`.
fn click(event: &KeyboardEvent, key: &str) {
    let is_a_key = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '/');
    let found = find(&format!("[data-key=\"{key}\"]"))
        .filter(|_| is_a_key)
        .and_then(|found| found.dyn_into::<HtmlElement>().ok());
    if let Some(found) = found {
        event.prevent_default();
        found.click();
        if found.tag_name() == "SUMMARY" {
            focus(find(".range input"));
        }
    }
}

fn close(event: &KeyboardEvent) {
    for open in all(OPEN) {
        let focused = document().active_element();
        let had_focus = focused.is_some_and(|focused| open.contains(Some(&focused)));
        _ = open.remove_attribute("open");
        event.prevent_default();
        focus(open.first_element_child().filter(|_| had_focus));
    }
}

/// Moves the focus from link to link of a menu.
fn walk(menu: &Element, step: i32) {
    let links: Vec<Element> = super::dom::elements(menu.query_selector_all("summary, li a").ok()).collect();
    let Some(focused) = document().active_element() else { return };
    let at = links.iter().position(|link| *link == focused).unwrap_or_default() as i32;
    let next = (at + step).rem_euclid(links.len().max(1) as i32);
    focus(links.get(next as usize).cloned());
}

fn show_sheet() {
    if let Some(sheet) = find("#keys").and_then(|sheet| sheet.dyn_into::<HtmlDialogElement>().ok())
        && !sheet.open()
    {
        _ = sheet.show_modal();
    }
}
