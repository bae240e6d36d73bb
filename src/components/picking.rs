use leptos::prelude::*;

use super::{query_form::query_form, table::Cell};
use crate::words;

/// The first cell of the row at `at`: a box to pick it with, known by its id, and the link to its own page. The link
/// alone for those who may change nothing.
pub fn pick(may_write: bool, at: usize, id: &str, name: String, href: String) -> Cell {
    if !may_write {
        return Cell::Link { href, text: name };
    }
    let label = format!("Select {name}");
    view! {
        <span class="pick-row">
            <input type="checkbox" name=format!("pick[{at}]") value=id.to_owned() aria-label=label/>
            <a class="clip" href=href dir="auto">{name}</a>
        </span>
    }
    .into_any()
    .into()
}

/// A list whose rows can be picked, and what to do with those that are: it leads to a page that shows what would be
/// touched. The list alone for those who may change nothing.
pub fn picking(may_write: bool, action: &'static str, fields: AnyView, list: AnyView) -> AnyView {
    if !may_write {
        return list;
    }
    let content = view! {
        {list}
        <div class="card filter many" role="group" aria-label="With the selected rows">
            <button type="button" class="quiet" data-all="" data-own="" hidden>{words::SELECT_ALL}</button>
            {fields}
            <button class="quiet" type="submit">"Review…"</button>
        </div>
    };
    query_form(action, "picking", None, content.into_any())
}
