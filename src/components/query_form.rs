use leptos::{
    ev::SubmitEvent,
    html,
    prelude::*,
    web_sys::{FormData, HtmlFormElement, UrlSearchParams},
};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::fields::reset_when_shown_anew;

/// A form whose fields are the parameters of an address. Where scripts run it goes there inside the browser, and leaves out fields
/// without a value. (Leptos' own `Form` sends its button along, as a parameter without a name.)
#[component]
pub fn QueryForm(
    #[prop(into)] action: String,
    class: &'static str,
    #[prop(optional)] role: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let form = NodeRef::<html::Form>::new();
    reset_when_shown_anew(form);
    let navigate = use_navigate();
    let address = action.clone();
    let submit = move |event: SubmitEvent| {
        let form = event_target::<HtmlFormElement>(&event);
        let fields = FormData::new_with_form(&form).and_then(|fields| UrlSearchParams::new_with_str_sequence_sequence(&fields));
        // Where the browser cannot read its own form, it is left to submit it.
        if let Some(fields) = fields.ok().and_then(|fields| fields.to_string().as_string()) {
            event.prevent_default();
            navigate(&href(&address, &fields), NavigateOptions { scroll: false, ..Default::default() });
        }
    };
    view! { <form method="get" action=action class=class role=role node_ref=form on:submit=submit>{children()}</form> }
}

fn href(action: &str, fields: &str) -> String {
    let given: Vec<_> = fields.split('&').filter(|field| !field.is_empty() && !field.ends_with('=')).collect();
    if given.is_empty() { action.to_owned() } else { format!("{action}?{}", given.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_without_a_value_stay_out_of_the_address() {
        assert_eq!(href("/products", "search=&status=active&sort=name"), "/products?status=active&sort=name");
        assert_eq!(href("/products", "search=a%3D&status="), "/products?search=a%3D");
        assert_eq!(href("/orders", "status="), "/orders");
    }
}
