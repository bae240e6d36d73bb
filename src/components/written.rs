use leptos::prelude::*;

/// A text that somebody has written, or an id: in the direction of its own letters, whatever stands around it.
pub fn written(text: String) -> AnyView {
    view! { <span dir="auto">{text}</span> }.into_any()
}

/// The same in a cell of a table: cut before it pushes the amounts beside it away.
pub fn clipped(text: String) -> AnyView {
    view! { <span class="clip" dir="auto">{text}</span> }.into_any()
}
