//! Views of the dashboard that somebody saves.

use leptos::prelude::*;

use crate::ApiError;

/// Saves the dashboard's address under a name, and goes there with `&view=saved`, or `&view=replaced` where there was one
/// of that name.
#[server(prefix = "/_fn", endpoint = "account/view/save")]
pub async fn save_view(name: String, query: String) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::current_vendor().await?;
    let kept = state.analytics.save_view(&current.vendor, &current.user, &name, &query).await;
    let (kept, is_new) = kept.map_err(context::api_error)?;
    leptos_axum::redirect(&format!("/?{kept}&view={}", if is_new { "saved" } else { "replaced" }));
    Ok(())
}

/// Forgets a view, and goes to the dashboard with `?view=deleted`.
#[server(prefix = "/_fn", endpoint = "account/view/delete")]
pub async fn delete_view(view_id: String) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::current_vendor().await?;
    state.analytics.delete_view(&current.vendor, &current.user, &view_id).await.map_err(context::api_error)?;
    leptos_axum::redirect("/?view=deleted");
    Ok(())
}
