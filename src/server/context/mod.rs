//! What a server function needs of the request it runs in. Leptos keeps that in its context: the state, put there by
//! the router, and the request's head, in whose extensions the session is.

use axum::http::{header, request::Parts};
use leptos::context::use_context;
use leptos_axum::ResponseOptions;
pub use vendorscope_cache::Origin;

use super::{
    AppError, AppState,
    request::{
        LeftOut, Rendering, RequestId, is_under,
        problem::{self, Problem},
        wants_html,
        well_formed::field,
    },
};
use crate::{ApiError, domain::field_error::FieldError};

/// What the forms about an account do.
mod account;
/// What the page of the cache does.
mod cache;
/// Small things that a browser keeps.
mod cookies;
/// Who asks.
mod current;
/// What the forms about other people do.
mod people;

pub use account::{
    begin_totp, change_password, change_time_zone, confirm_totp, create_key, end_session, has_mail, list_sessions,
    log_in, log_in_by_code, log_out, log_out_everywhere, provider_name, remove_totp, reset_password, revoke_key,
    send_reset_link, set_letter_wishes, stop_letters, unconfirmed_totp,
};
pub use cache::{
    cache_entry, cache_stats, cost_of_invalidating, cost_of_warming, invalidate_named, reset_counters, warm_named,
};
pub use cookies::{
    is_of_list, last_look, note_list, noted_list, remember_range, remembered_range, set_theme, take_new_key,
    take_new_link, take_recovery_codes, theme,
};
pub use current::{
    browser_user, client_address, current_admin, current_vendor, sender, vendor_to_show, viewer, writing_admin,
    writing_vendor,
};
pub use people::{
    change_person, end_sessions_of, invite, link_for, reset_second_factor_of, revoke_key_of_anybody, unbind,
};

/// What the page is told of a service's error; sets the status of the answer, and logs what is ours to mend.
pub fn api_error(error: AppError) -> ApiError {
    match use_context::<Parts>() {
        Some(parts) => api_error_for(&parts, error),
        None => problem::api_error(&Problem::from(error), &RequestId::default()),
    }
}

/// What a form is answered with whose fields are not those of the server function; `message` is the decoder's.
pub fn form_error(message: &str) -> ApiError {
    let named = message.split_once("missing field `").and_then(|(_, rest)| rest.split('`').next());
    let error = match named {
        Some(name) => FieldError::new(field(name), "is missing"),
        None => FieldError::new("form", "does not have the fields that are sent from the page"),
    };
    api_error(error.into())
}

fn api_error_for(parts: &Parts, error: AppError) -> ApiError {
    let id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
    // A page is rendered in tasks of its own, outside of the request's span.
    let span = tracing::info_span!("page", id = id.as_str(), path = parts.uri.path());
    let problem = span.in_scope(|| Problem::from(error));
    // A form without scripts is answered with a redirect that carries the error: another status would keep browsers
    // from following.
    let is_plain_form = is_under(parts.uri.path(), "/_fn") && wants_html(&parts.headers);
    if let Some(response) = use_context::<ResponseOptions>().filter(|_| !is_plain_form) {
        response.set_status(problem.status);
        if let Some(retry_after) = problem.retry_after() {
            response.insert_header(header::RETRY_AFTER, retry_after);
        }
    }
    problem::api_error(&problem, &id)
}

/// Says which cache entries the page is made of, and of nothing else but the request, its user and the minute that it
/// is: it may be sent again for as long as all of them are current. See [`Rendering`].
pub fn made_of(origins: Vec<Option<Origin>>) {
    if let Some(rendering) = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Rendering>().cloned()) {
        rendering.made_of(origins.into_iter().collect());
    }
}

/// What was left out of the page's address because it was not understood.
pub fn left_out() -> Vec<String> {
    let told = use_context::<Parts>().and_then(|parts| parts.extensions.get::<LeftOut>().cloned());
    told.map(|LeftOut(told)| told.to_vec()).unwrap_or_default()
}

/// The name that this request has in the log, for whoever asks about it.
pub fn request_name() -> Option<String> {
    use_context::<Parts>()?.extensions.get::<RequestId>().map(RequestId::told)
}

fn request() -> Result<(AppState, Parts), AppError> {
    let missing = |what| AppError::Internal(format!("a server function without {what} in its context"));
    Ok((
        use_context::<AppState>().ok_or_else(|| missing("the state"))?,
        use_context::<Parts>().ok_or_else(|| missing("its request"))?,
    ))
}
