use leptos::prelude::*;

use super::{query_form::query_form, table::Cell};

/// A box to pick the row at `at` with, known by its id; `name` is what the row is called. Nothing for those who may
/// change nothing.
pub fn pick(may_write: bool, at: usize, id: &str, name: &str) -> Cell {
    if !may_write {
        return String::new().into();
    }
    let label = format!("Select {name}");
    view! { <input type="checkbox" class="pick-row" name=format!("pick[{at}]") value=id.to_owned() aria-label=label/> }
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
        <fieldset class="card filter many">
            <legend class="unseen">"With the selected rows"</legend>
            {fields}
            <button class="quiet" type="submit">"Review…"</button>
        </fieldset>
    };
    query_form(action, "picking", None, content.into_any())
}
