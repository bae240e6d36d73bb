use std::future::Future;

use leptos::prelude::*;

use super::{
    frame::{Frame, Section},
    problem::problem,
};
use crate::{ApiError, domain::accounts::Viewer};

/// A page around what it was asked to load. `form` stays on the page when its input was refused.
pub fn loaded<T>(
    section: Section,
    load: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    viewer: fn(&T) -> &Viewer,
    show: impl FnOnce(T) -> AnyView + Send + 'static,
    form: impl FnOnce() -> AnyView + Send + 'static,
) -> AnyView
where
    T: Send + 'static,
{
    let page = Suspend::new(async move {
        match load.await {
            Ok(data) => {
                let viewer = viewer(&data).clone();
                view! { <Frame section viewer=Some(viewer)>{show(data)}</Frame> }.into_any()
            }
            Err(error) => {
                let section = if error == ApiError::Forbidden { Section::Elsewhere } else { section };
                let form = matches!(error, ApiError::Invalid(_)).then(form);
                view! { <Frame section viewer=None>{problem(error)} {form}</Frame> }.into_any()
            }
        }
    });
    view! { <Suspense>{page}</Suspense> }.into_any()
}
