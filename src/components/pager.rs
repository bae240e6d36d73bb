use leptos::prelude::*;

/// The way from page to page of a list: to its beginning, where this is not it, and on. Nothing on a list of one page.
pub fn pager(first: Option<String>, next: Option<String>) -> Option<AnyView> {
    if first.is_none() && next.is_none() {
        return None;
    }
    let link = |href: Option<String>, name| href.map(|href| view! { <a class="button quiet" href=href>{name}</a> });
    let view = view! {
        <nav class="pager" aria-label="Pages">{link(first, "First page")} {link(next, "Next page")}</nav>
    };
    Some(view.into_any())
}
