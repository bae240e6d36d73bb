use std::{cell::Cell, rc::Rc};

use leptos::{task::spawn_local, wasm_bindgen::JsCast};
use web_sys::{Event, HtmlFormElement, Response};

use super::{
    dom::{after, announce, find, find_in, listen, set_text},
    visit::{address, fetch, parse},
};

/// What is typed this closely together, in milliseconds, is one amount.
const SETTLED_AFTER: u32 = 250;

/// Asks the server what the refund would come to, which knows what is left of each line and how it is rounded, and
/// writes that into the button.
pub fn follow() {
    let Some(form) = find("#refund form[method=get]").and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) else {
        return;
    };
    let newest = Rc::new(Cell::new(0_u32));
    let of = form.clone();
    let tell = move || {
        let turn = newest.get().wrapping_add(1);
        newest.set(turn);
        let (form, newest) = (of.clone(), newest.clone());
        after(SETTLED_AFTER, move || {
            if newest.get() == turn {
                spawn_local(async move {
                    let total = total(&form).await.unwrap_or_default();
                    if newest.get() == turn {
                        show(&form, &total);
                    }
                });
            }
        });
    };
    tell();
    listen(&form, "input", move |_: Event| tell());
}

/// `None` where nothing was typed, or nothing that can be refunded.
async fn total(form: &HtmlFormElement) -> Option<String> {
    let is_empty = super::dom::elements(form.query_selector_all("input[type=number]").ok())
        .filter_map(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok())
        .all(|input| matches!(input.value().trim(), "" | "0"));
    if is_empty || !form.check_validity() {
        return None;
    }
    let href = address(form)?;
    let (response, text): (Response, String) = fetch(&href, false).await.ok()?;
    let page = parse(&text).filter(|_| response.ok())?;
    page.query_selector("[data-total]").ok()??.get_attribute("data-total")
}

fn show(form: &HtmlFormElement, total: &str) {
    let text = if total.is_empty() { String::new() } else { format!(" of {total}") };
    set_text(find_in(form, ".total"), &text);
    announce(total);
}
