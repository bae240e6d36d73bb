//! Positions in lists, as callers carry them from page to page: opaque to them, and worth nothing in another list.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::domain::{
    field_error::FieldError,
    position::{Position, SortValue},
};

/// Another one stands for another form, and cursors of this one are refused then: whoever reads on begins again.
const VERSION: u8 = 1;

/// `list` says which list, and what it is sorted by.
pub fn encode(list: &str, position: &Position) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::json!([VERSION, list, position.value, position.id]).to_string())
}

/// The position that `encode` gave for the same list; the error names `after`. Where the list is sorted by texts,
/// `by_text`.
pub fn decode(list: &str, by_text: bool, text: &str) -> Result<Position, FieldError> {
    let refused =
        || FieldError::new("after", "is no place in this list: use `next` of the page before, with the same `sort`");
    let json = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    let (version, of, value, id): (u8, String, SortValue, String) =
        serde_json::from_slice(&json).map_err(|_| refused())?;
    let sorted_alike = match &value {
        SortValue::Text(text) => by_text && !text.contains('\0'),
        SortValue::Integer(_) => !by_text,
    };
    if (version, of.as_str()) != (VERSION, list) || !sorted_alike || id.contains('\0') {
        return Err(refused());
    }
    Ok(Position { value, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_for_its_own_list_alone() {
        let position = Position { value: SortValue::Text("Émile's \"Mug\"".to_owned()), id: "p/1".to_owned() };
        let cursor = encode("products.name", &position);
        assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cursor}");
        assert_eq!(decode("products.name", true, &cursor), Ok(position));
        for (list, by_text) in [("products.stock", false), ("vendors", true), ("products.name", false)] {
            assert_eq!(decode(list, by_text, &cursor).unwrap_err().field, "after", "{list}");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused_by_name() {
        let made_up = [
            serde_json::json!([1, "orders", "text", "o1"]),
            serde_json::json!([1, "orders", 9.5, "o1"]),
            serde_json::json!([1, "orders", 9, "o\0"]),
            serde_json::json!([2, "orders", 9, "o1"]),
            serde_json::json!([1, "orders", 9, "o1", 0]),
            serde_json::json!([1, "orders", u64::MAX, "o1"]),
            serde_json::json!({ "value": 1 }),
        ]
        .map(|json| BASE64_URL_SAFE_NO_PAD.encode(json.to_string()));
        for text in made_up.iter().map(String::as_str).chain(["o1", "", "====", "\0", "WzEsIm9yZGVycyIsOSwibzEiXQ=="]) {
            assert_eq!(decode("orders", false, text).unwrap_err().field, "after", "{text}");
        }
        assert!(decode("orders", false, "WzEsIm9yZGVycyIsOSwibzEiXQ").is_ok());
    }
}
