use leptos::prelude::*;
use leptos_meta::Title;

/// What the tab is called: names of people's own among it. Leptos writes a title on the server as it is, so that what
/// would be markup is escaped here.
pub fn title(text: &str) -> AnyView {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    view! { <Title text=text/> }.into_any()
}
