use leptos::prelude::*;

use crate::{
    server_functions::dashboard::{Freshness, Source},
    words,
};

/// That what is shown is from before, and how long ago, where it could not be read anew. Else nothing.
pub fn stale(Freshness { source, age_seconds }: Freshness) -> Option<AnyView> {
    (source == Source::Stale)
        .then(|| view! { <p class="age"><strong class="stale">{words::stale(age_seconds)}</strong></p> }.into_any())
}
