use bytes::Bytes;
use futures::{Stream, stream};
use jiff::{civil::Date, tz::TimeZone};

use super::Accounts;
use crate::{
    domain::{
        accounts::{AuditLine, AuditPage, AuditQuery, comparable_email},
        field_error::{Checks, FieldError},
        period::parse_day,
        position::{Position, SortValue},
        text::shown,
    },
    server::{AppError, cursor, db, services::export},
};

/// The list's name in cursors.
const LIST: &str = "audit";
/// Lines on a page.
const PAGE: usize = 100;
/// Lines that an export reads at a time.
const PIECE: i64 = 1_000;

/// The parameters of the list, as texts from an address. Empty ones, which forms send, count as absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditParameters<'a> {
    /// A user's address, or `cli`.
    pub actor: Option<&'a str>,
    pub action: Option<&'a str>,
    /// Days in UTC, both included.
    pub date_from: Option<&'a str>,
    pub date_to: Option<&'a str>,
    pub after: Option<&'a str>,
}

impl AuditParameters<'_> {
    /// What to look for, and where the page before ended.
    pub fn read(&self) -> Result<(AuditQuery, Option<i64>), Vec<FieldError>> {
        let text = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let mut checks = Checks::default();
        let mut day = |field, given| text(given).and_then(|text| checks.accept(parse_day(field, &text)));
        let (from, to) = (day("dateFrom", self.date_from), day("dateTo", self.date_to));
        if let (Some(from), Some(to)) = (from, to) {
            checks.require(from <= to, "dateTo", || {
                format!("`{to}` lies before dateFrom `{from}`: the same day or a later one is accepted")
            });
        }
        let is_name = |text: &String| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let action = text(self.action);
        checks.require(action.as_ref().is_none_or(is_name), "action", || {
            format!("`{}` is no action, such as login", shown(self.action.unwrap_or_default()))
        });
        let after = text(self.after).and_then(|text| checks.accept(cursor::decode(LIST, false, &text)));
        checks.finish()?;
        let midnight = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp().as_microsecond());
        let query = AuditQuery {
            actor: text(self.actor).map(|actor| comparable_email(&actor)),
            action,
            from_us: from.and_then(midnight),
            until_us: to.and_then(|day| day.tomorrow().ok()).and_then(midnight),
        };
        let before = after.and_then(|position| match position.value {
            SortValue::Integer(id) => Some(id),
            SortValue::Text(_) => None,
        });
        Ok((query, before))
    }
}

impl Accounts {
    /// A page of 100 lines, the newest first.
    pub async fn list_audit(&self, parameters: &AuditParameters<'_>) -> Result<AuditPage, AppError> {
        let (query, before) = parameters.read()?;
        let mut found = db::audit::list(&self.db, &query, before, PAGE as i64 + 1).await?;
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        let next = found
            .last()
            .filter(|_| more)
            .map(|(_, id)| cursor::encode(LIST, &Position { value: SortValue::Integer(*id), id: String::new() }));
        Ok(AuditPage { entries: found.into_iter().map(|(line, _)| line).collect(), next })
    }

    /// All lines that are asked for as CSV, a piece at a time: each is read when the one before has been taken.
    pub fn export_audit(&self, query: AuditQuery) -> impl Stream<Item = Result<Bytes, AppError>> + Send + use<> {
        let db = self.db.clone();
        stream::try_unfold(Some(None), move |at: Option<Option<i64>>| {
            let (db, query) = (db.clone(), query.clone());
            async move {
                let Some(before) = at else { return Ok(None) };
                let found = db::audit::list(&db, &query, before, PIECE).await?;
                let last = found.last().map(|(_, id)| *id);
                let mut rows: Vec<Vec<String>> = Vec::new();
                if before.is_none() {
                    rows.push(
                        ["at", "actor", "action", "detail", "address", "was", "became", "currency"]
                            .map(str::to_owned)
                            .to_vec(),
                    );
                }
                rows.extend(found.into_iter().map(|(line, _)| cells(&line)));
                if rows.is_empty() {
                    return Ok(None);
                }
                // Fewer than were asked for: there are no more.
                let next = last.filter(|_| rows.len() as i64 >= PIECE).map(Some);
                Ok(Some((export::piece(rows.into_iter())?, next)))
            }
        })
    }
}

fn cells(line: &AuditLine) -> Vec<String> {
    let or_empty = |text: &Option<String>| export::as_text(text.as_deref().unwrap_or_default());
    vec![
        line.at.to_string(),
        export::as_text(&line.actor),
        line.action.clone(),
        export::as_text(&line.detail),
        line.address.clone().unwrap_or_default(),
        or_empty(&line.was),
        or_empty(&line.became),
        line.currency.map(|currency| currency.code().to_owned()).unwrap_or_default(),
    ]
}
