use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{ApiError, domain::accounts::encode_segment};

/// Why a page cannot be shown, and what to do about it.
pub fn problem(error: ApiError) -> AnyView {
    let location = use_location();
    // The address as it is now: trying again means asking for the same.
    let here = move || {
        format!(
            "{}{}",
            location.pathname.get(),
            location.search.with(|search| if search.is_empty() { String::new() } else { format!("?{search}") })
        )
    };
    if error == ApiError::Unauthenticated {
        // The session ended while the page was open. A full load, so that nothing of it stays behind.
        Effect::new(move |_| _ = window().location().set_href(&login_href(&here())));
    }
    let (title, way_out) = match &error {
        ApiError::Unauthenticated => {
            ("You are logged out", view! { <a class="button" href=move || login_href(&here()) rel="external">"Log in"</a> }.into_any())
        }
        ApiError::Forbidden => {
            ("Not for your account", view! { <a class="button" href="/login" rel="external">"Log in with another account"</a> }.into_any())
        }
        ApiError::NotFound => ("Not found", view! { <a class="button" href="/">"Back to the start"</a> }.into_any()),
        ApiError::Invalid(_) => ("This address asks for something that cannot be shown", ().into_any()),
        ApiError::Conflict(_) => ("This cannot be done", ().into_any()),
        ApiError::Unavailable | ApiError::TooMany(_) | ApiError::Internal(_) | ApiError::Transport(_) => {
            ("This page could not be loaded", view! { <a class="button" href=here rel="external">"Try again"</a> }.into_any())
        }
    };
    view! {
        <section class="problem" role="alert">
            <h1>{title}</h1>
            <p>{error.to_string()}</p>
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
        assert_eq!(login_href("/?dateFrom=2026-01-01&dateTo=2026-01-31"), "/login?next=%2F%3FdateFrom%3D2026-01-01%26dateTo%3D2026-01-31");
    }
}
