use serde::{Deserialize, Serialize};

/// A view of the dashboard that somebody has saved: a link with a name of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SavedView {
    pub view_id: String,
    pub name: String,
    /// The parameters of the dashboard's address.
    pub query: String,
}

/// The most views that one user may have.
pub const MOST_VIEWS: usize = 20;
pub const MAX_VIEW_NAME: usize = 60;
/// The longest parameters of an address that are kept, in characters.
pub const MAX_VIEW_QUERY: usize = 1_000;
