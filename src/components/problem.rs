use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use super::feedback::address_refused;
use crate::{ApiError, domain::accounts::encode_segment, words};

/// Why a page cannot be shown, and what to do about it.
pub fn problem(error: ApiError) -> AnyView {
    let location = use_location();
    // The address as it is: trying again means asking for the same.
    let here = format!(
        "{}{}",
        location.pathname.get_untracked(),
        location.search.with_untracked(|search| if search.is_empty() { String::new() } else { format!("?{search}") })
    );
    let link = |href: String, text: &'static str| view! { <a class="button" href=href>{text}</a> }.into_any();
    let (title, texts, way_out) = match error {
        ApiError::Unauthenticated => {
            ("Logged out", vec![words::SESSION_ENDED.to_owned()], link(login_href(&here), "Log in"))
        }
        ApiError::Forbidden => {
            ("No access", vec![words::NO_ACCESS.to_owned()], link("/login".to_owned(), "Log in with another account"))
        }
        ApiError::NotFound => {
            ("Not found", vec![words::NOT_FOUND.to_owned()], link("/".to_owned(), words::GO_TO_DASHBOARD))
        }
        ApiError::Invalid(fields) => {
            let of_range = ["dateFrom", "dateTo", "range", "compare", "interval"];
            let is_range = fields.iter().any(|refused| of_range.contains(&refused.field.as_str()));
            let title = if is_range { words::RANGE_REFUSED } else { words::FILTERS_REFUSED };
            (title, address_refused(&fields), ().into_any())
        }
        ApiError::Conflict(text) => ("That didn't work", vec![text], ().into_any()),
        other => (words::PAGE_NOT_LOADED, vec![other.to_string()], link(here, "Try again")),
    };
    let texts = texts.into_iter().map(|text| view! { <p>{text}</p> }).collect_view();
    view! {
        <Title text=title/>
        <section class="problem" role="alert">
            <h1>{title}</h1>
            {texts}
            {way_out}
        </section>
    }
    .into_any()
}

fn login_href(next: &str) -> String {
    format!("/login?next={}", encode_segment(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_after_login_is_one_parameter() {
        assert_eq!(
            login_href("/?dateFrom=2026-01-01&dateTo=2026-01-31"),
            "/login?next=%2F%3FdateFrom%3D2026-01-01%26dateTo%3D2026-01-31"
        );
    }
}
