use leptos::prelude::*;

use super::written::written;

/// What a list or figures are narrowed to, each with the way to take it away.
pub struct Chip {
    /// What it is, such as `Product`.
    pub name: &'static str,
    pub value: String,
    /// The same page without it.
    pub without: String,
}

/// Nothing where there are none.
pub fn chips(chips: Vec<Chip>) -> Option<AnyView> {
    if chips.is_empty() {
        return None;
    }
    let chips = chips.into_iter().map(|Chip { name, value, without }| {
        let remove = format!("Remove filter: {name} {value}");
        view! {
            <li class="chip">
                {name} ": " {written(value)}
                <a href=without aria-label=remove data-noscroll=""><span aria-hidden="true">"×"</span></a>
            </li>
        }
    });
    Some(view! { <ul class="chips" aria-label="Filters">{chips.collect::<Vec<_>>()}</ul> }.into_any())
}
