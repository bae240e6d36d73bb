use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Sender;
use crate::server::{
    AppError,
    db::{
        Tx,
        accounts::{AuditEntry, insert_audit},
    },
};

/// Longest JSON of one side that is kept, in bytes: enough for a whole order, too little to fill the database with.
const MOST: usize = 16_000;

/// Notes what somebody does in the transaction that does it, with what was before and after.
pub async fn note(
    tx: &mut Tx,
    sender: &Sender,
    action: &str,
    detail: &str,
    was: Option<Value>,
    became: Option<Value>,
) -> Result<(), AppError> {
    let entry = AuditEntry {
        at_us: Timestamp::now().as_microsecond(),
        actor: &sender.who,
        action,
        detail,
        address: sender.address.as_deref(),
        was: was.map(written),
        became: became.map(written),
    };
    Ok(insert_audit(tx, &entry).await?)
}

fn written(value: Value) -> String {
    let text = value.to_string();
    if text.len() <= MOST { text } else { format!("{{\"tooLong\":{}}}", text.len()) }
}

/// The fields of two values of one type that differ, before and after.
pub fn changes<T: Serialize>(before: &T, after: &T) -> Result<(Value, Value), AppError> {
    let fields = |value: &T| match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(AppError::Internal(format!("{other} has no fields"))),
        Err(error) => Err(AppError::Internal(format!("as JSON: {error}"))),
    };
    let (before, after) = (fields(before)?, fields(after)?);
    let (mut was, mut became) = (Map::new(), Map::new());
    for (name, value) in after {
        let earlier = before.get(&name).cloned().unwrap_or_default();
        if earlier != value {
            was.insert(name.clone(), earlier);
            became.insert(name, value);
        }
    }
    Ok((was.into(), became.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stays_as_it_is_is_not_noted() {
        let (was, became) =
            changes(&json!({ "a": 1, "b": [2], "c": 3 }), &json!({ "a": 1, "b": [3], "c": 3 })).unwrap();
        assert_eq!((was, became), (json!({ "b": [2] }), json!({ "b": [3] })));
    }
}
