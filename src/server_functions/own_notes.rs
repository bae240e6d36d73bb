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
) -> Result<(), ApiError> {
    use crate::server::{context, services::saved_views::back_to};
    let (state, current) = context::writing_vendor().await?;
    let saved = state.analytics.save_note(&current, note_id.as_deref(), &day, &note).await;
    saved.map_err(context::api_error)?;
    leptos_axum::redirect(&back_to(&query, "note=saved"));
    Ok(())
}

/// Deletes a note, and goes back to the dashboard as `query` shows it, with `note=deleted`.
#[server(prefix = "/_fn", endpoint = "note/delete")]
pub async fn delete_note(note_id: String, #[server(default)] query: String) -> Result<(), ApiError> {
    use crate::server::{context, services::saved_views::back_to};
    let (state, current) = context::writing_vendor().await?;
    state.analytics.delete_note(&current, &note_id).await.map_err(context::api_error)?;
    leptos_axum::redirect(&back_to(&query, "note=deleted"));
    Ok(())
}
