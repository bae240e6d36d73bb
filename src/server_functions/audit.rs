use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::domain::accounts::{AuditPage, Viewer};

/// What the audit log is filtered by, as texts of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub date_from: Option<String>,
    pub date_to: Option<String>,
    pub after: Option<String>,
}

/// All that the page of the audit log shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditView {
    pub viewer: Viewer,
    pub page: AuditPage,
}

pub async fn load_audit(filter: AuditFilter) -> Result<AuditView, ApiError> {
    use crate::server::{context, identity::accounts::AuditParameters};
    let (state, current) = context::current_admin().await?;
    // As the page shows it, or as it is called.
    let action = filter.action.map(|name| name.trim().to_lowercase().replace(' ', "_"));
    let parameters = AuditParameters {
        actor: filter.actor.as_deref(),
        action: action.as_deref(),
        date_from: filter.date_from.as_deref(),
        date_to: filter.date_to.as_deref(),
        after: filter.after.as_deref(),
    };
    let page = state.accounts.list_audit(&parameters).await.map_err(context::api_error)?;
    Ok(AuditView { viewer: current.viewer(), page })
}
