use leptos::prelude::*;

/// A text that somebody has written, or an id: in the direction of its own letters, whatever stands around it.
pub fn written(text: String) -> AnyView {
    view! { <span dir="auto">{text}</span> }.into_any()
}
