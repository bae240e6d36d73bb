use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use super::{feedback::address_refused, parameters::parameters};
use crate::{ApiError, domain::accounts::encode_segment, server_functions::request::request_name, words};

/// Why a page cannot be shown, what to do about it, where else to go, and under which name it is in the log.
pub fn problem(error: ApiError) -> AnyView {
    let location = use_location();
    // The address as it is: trying again means asking for the same.
    let here = format!(
        "{}{}",
        location.pathname.get_untracked(),
        location.search.with_untracked(|search| if search.is_empty() { String::new() } else { format!("?{search}") })
    );
    let path = location.pathname.get_untracked();
    // On the dashboard itself there is no other one to go to.
    let dashboard = (path != "/").then(|| ("/".to_owned(), words::GO_TO_DASHBOARD));
    let start_over = (here != path).then_some((path, words::START_OVER));
    let (title, texts, first) = match error {
        ApiError::Unauthenticated => {
            ("Logged out", vec![words::SESSION_ENDED.to_owned()], Some((login_href(&here), "Log in")))
        }
        ApiError::Forbidden => ("No access", vec![words::NO_ACCESS.to_owned()], None),
        // What is not there may be the product that the address narrows the page to.
        ApiError::NotFound => {
            let narrows = parameters(|query| query.get("product").is_some());
            ("Not found", vec![words::NOT_FOUND.to_owned()], start_over.filter(|_| narrows))
        }
        ApiError::Deleted { ref id, .. } => {
            let figures = format!("/?product={}", encode_segment(id));
            ("Product deleted", vec![error.to_string()], Some((figures, words::FIGURES_OF_DELETED)))
        }
        ApiError::Invalid(fields) => {
            let of_range = ["dateFrom", "dateTo", "range", "compare", "interval"];
            let is_range = fields.iter().any(|refused| of_range.contains(&refused.field.as_str()));
            let title = if is_range { words::RANGE_REFUSED } else { words::FILTERS_REFUSED };
            (title, address_refused(&fields), start_over)
        }
        ApiError::Conflict(text) => ("That didn't work", vec![text], Some((here, words::TRY_AGAIN))),
        other => (words::PAGE_NOT_LOADED, vec![other.to_string()], Some((here, words::TRY_AGAIN))),
    };
    let places = first.into_iter().chain(dashboard).enumerate().map(|(at, (href, text))| {
        let class = if at == 0 { "button" } else { "button quiet" };
        view! { <a class=class href=href>{text}</a> }
    });
    let texts = texts.into_iter().map(|text| view! { <p>{text}</p> }).collect_view();
    view! {
        <Title text=title/>
        <section class="problem" role="alert">
            <h1>{title}</h1>
            {texts}
            <p class="actions">{places.collect::<Vec<_>>()}</p>
            {request_name().map(|name| view! { <p class="hint">{name}</p> })}
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
