//! Reading the audit log. It is written in `accounts`, in the transaction of what it tells of.

use super::{Db, DbError, Parameters, rows};
use crate::domain::{
    accounts::{AuditLine, AuditQuery},
    money::Currency,
};

/// Lines that `query` is about, the newest first, `limit` at most; those older than `before`, an id, where there is
/// one.
pub async fn list(
    db: &Db,
    query: &AuditQuery,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(AuditLine, i64)>, DbError> {
    let mut parameters = Parameters::default();
    let mut conditions = Vec::new();
    if let Some(actor) = &query.actor {
        conditions.push(format!("actor = {}", parameters.text(actor.clone())));
    }
    if let Some(action) = &query.action {
        conditions.push(format!("action = {}", parameters.text(action.clone())));
    }
    if let Some(from) = query.from_us {
        conditions.push(format!("at_us >= {}", parameters.int(from)));
    }
    if let Some(until) = query.until_us {
        conditions.push(format!("at_us < {}", parameters.int(until)));
    }
    if let Some(before) = before {
        conditions.push(format!("id < {}", parameters.int(before)));
    }
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let limit = parameters.int(limit);
    let text = format!(
        "SELECT id, at_us, actor, action, detail, address, was, became, currency FROM audit_log{filter} ORDER BY id DESC \
         LIMIT {limit}"
    );
    let mut tx = db.read().await?;
    let found = tx.rows(parameters.bind(text)).await?;
    found
        .iter()
        .map(|row| {
            let text_or_null = |column: &str| Ok::<Option<String>, DbError>(sqlx::Row::try_get(row, column)?);
            let line = AuditLine {
                at: rows::instant(row, "at_us")?,
                actor: rows::text(row, "actor")?,
                action: rows::text(row, "action")?,
                detail: rows::text(row, "detail")?,
                address: text_or_null("address")?,
                was: text_or_null("was")?,
                became: text_or_null("became")?,
                currency: text_or_null("currency")?.and_then(|code| Currency::parse(&code).ok()),
            };
            Ok((line, rows::int(row, "id")?))
        })
        .collect()
}
