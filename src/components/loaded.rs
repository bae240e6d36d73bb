use std::sync::Arc;

use leptos::prelude::*;

use super::{
    frame::{Frame, Section, Visit},
    problem::problem,
};
use crate::{ApiError, domain::accounts::Viewer};

/// A page around its one resource, which is read here and nowhere else. While another range or page of the same list loads, what
/// is there stays and is dimmed. `form` stays on the page when its input was refused.
pub fn loaded<T>(
    section: Section,
    data: Resource<Result<T, ApiError>>,
    viewer: fn(&T) -> &Viewer,
    show: impl Fn(T) -> AnyView + Send + Sync + 'static,
    form: impl Fn() -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
{
    let visit = expect_context::<Visit>();
    let (pending, set_pending) = signal(false);
    // The server must not write `busy` into the page: it would stay there until the next change.
    let (hydrated, set_hydrated) = signal(false);
    Effect::new(move |_| set_hydrated.set(true));
    let busy = move || hydrated.get() && pending.get();
    let parts = Arc::new((show, form));
    let waiting = move || {
        view! {
            <Frame section viewer=visit.viewer.get_value() settled=false>
                <p class="waiting" role="status">"Loading…"</p>
            </Frame>
        }
    };
    view! {
        <div class="page" class:busy=busy aria-busy=move || busy().then_some("true")>
            <Transition fallback=waiting set_pending>
                {move || {
                    let parts = parts.clone();
                    Suspend::new(async move {
                        match data.await {
                            Ok(data) => {
                                let viewer = viewer(&data).clone();
                                visit.viewer.set_value(Some(viewer.clone()));
                                view! { <Frame section viewer=Some(viewer)>{parts.0(data)}</Frame> }.into_any()
                            }
                            Err(error) => {
                                let section = if error == ApiError::Forbidden { Section::Elsewhere } else { section };
                                let form = matches!(error, ApiError::Invalid(_)).then(|| parts.1());
                                view! { <Frame section viewer=visit.viewer.get_value()>{problem(error)} {form}</Frame> }.into_any()
                            }
                        }
                    })
                }}
            </Transition>
        </div>
    }
    .into_any()
}
