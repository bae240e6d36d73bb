use leptos::prelude::*;

/// A form whose fields are the parameters of an address.
pub fn query_form(
    action: impl Into<String>,
    class: &'static str,
    role: Option<&'static str>,
    fields: AnyView,
) -> AnyView {
    // A browser would fill in what was typed before somebody went away and came back, above a list that it is not of.
    let autocomplete = (role == Some("search")).then_some("off");
    view! { <form method="get" action=action.into() class=class role=role autocomplete=autocomplete>{fields}</form> }
        .into_any()
}
