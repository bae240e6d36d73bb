//! What a vendor notes down of a day.

use leptos::prelude::*;

use crate::ApiError;

/// Notes something down, or writes the note of this id anew, and goes back to the dashboard as `query` shows it, with
/// `note=saved`.
#[server(prefix = "/_fn", endpoint = "note/save")]
pub async fn save_note(
    #[server(default)] note_id: Option<String>,
    day: String,
    #[server(default)] note: String,
    #[server(default)] query: String,
    #[server(default)] once: Option<String>,
) -> Result<(), ApiError> {
    use crate::server::{context, services::saved_views::back_to};
    let (state, current) = context::writing_vendor().await?;
    let sender = context::sender(&current, once.as_deref());
    let input = crate::domain::own_notes::OwnNoteInput { day, text: note };
    let saved = state.analytics.save_note(&current, note_id.as_deref(), input, &sender).await;
    // As the form calls it.
    saved.map_err(|refused| context::api_error(refused.renamed("text", "note")))?;
    leptos_axum::redirect(&back_to(&query, "note=saved"));
    Ok(())
}

/// Deletes a note, and goes back to the dashboard as `query` shows it, with `note=deleted`.
#[server(prefix = "/_fn", endpoint = "note/delete")]
pub async fn delete_note(
    note_id: String,
    #[server(default)] query: String,
    #[server(default)] once: Option<String>,
) -> Result<(), ApiError> {
    use crate::server::{context, services::saved_views::back_to};
    let (state, current) = context::writing_vendor().await?;
    let sender = context::sender(&current, once.as_deref());
    state.analytics.delete_note(&current, &note_id, &sender).await.map_err(context::api_error)?;
    leptos_axum::redirect(&back_to(&query, "note=deleted"));
    Ok(())
}
