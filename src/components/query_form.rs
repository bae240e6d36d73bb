use leptos::prelude::*;

/// A form whose fields are the parameters of an address.
pub fn query_form(
    action: impl Into<String>,
    class: &'static str,
    role: Option<&'static str>,
    fields: AnyView,
) -> AnyView {
    view! { <form method="get" action=action.into() class=class role=role>{fields}</form> }.into_any()
}
