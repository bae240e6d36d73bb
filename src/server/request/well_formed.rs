//! What no address and no form may hold, said before anybody acts on it: bytes that are no text, and NUL, which one of
//! the two databases does not keep. Names of fields in errors are those that the API has: `unit_price` is `unitPrice`.

use std::borrow::Cow;

use axum::http::Uri;
use percent_encoding::percent_decode_str;

use crate::{domain::field_error::FieldError, server::AppError};

/// `NotFound` for a path that is none, `FieldError` for a query that is none.
pub fn check_address(uri: &Uri) -> Result<(), AppError> {
    let path = percent_decode_str(uri.path()).decode_utf8().map_err(|_| AppError::NotFound)?;
    if path.contains('\0') {
        return Err(AppError::NotFound);
    }
    for pair in pairs(uri.query().unwrap_or_default()) {
        pair?;
    }
    Ok(())
}

/// Refuses a text with a NUL in it.
pub fn check_text(field: &str, text: &str) -> Result<(), FieldError> {
    if text.contains('\0') { Err(FieldError::new(field, NUL)) } else { Ok(()) }
}

const NUL: &str = "must not hold the character NUL";

/// What a server function is sent, as a query or as a body: every field once, with a name that a page's form could have
/// given it.
pub fn check_form(form: &str) -> Result<(), AppError> {
    let mut names: Vec<String> = Vec::new();
    for pair in pairs(form) {
        let (name, _) = pair?;
        if !is_field(&name) {
            return Err(FieldError::new(field(&name), "is not a field of one value, as the pages send it").into());
        }
        if names.contains(&name) {
            return Err(FieldError::new(field(&name), "is given twice").into());
        }
        names.push(name);
    }
    Ok(())
}

/// Names and values, decoded.
fn pairs(text: &str) -> impl Iterator<Item = Result<(String, String), FieldError>> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name)
            .ok_or_else(|| FieldError::new("query", "must be name=value pairs in UTF-8, percent-encoded"))?;
        check_text("query", &name)?;
        let value =
            decode(value).ok_or_else(|| FieldError::new(field(&name), "must be text in UTF-8, percent-encoded"))?;
        check_text(&field(&name), &value)?;
        Ok((name, value))
    })
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

/// `name`, `form[name]` or `form[lines][0][name]`.
fn is_field(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !name.contains('[') {
        return is_word(name);
    }
    let Some(path) = name.strip_prefix("form[").and_then(|rest| rest.strip_suffix(']')) else { return false };
    let is_place = |place: &str| (1..=4).contains(&place.len()) && place.bytes().all(|byte| byte.is_ascii_digit());
    match path.split("][").collect::<Vec<_>>()[..] {
        [name] => is_word(name),
        [list, place, name] => is_word(list) && is_place(place) && is_word(name),
        _ => false,
    }
}

/// What a field of a form is called in an error: `form[unit_price]` is `unitPrice`, `form[lines][0][amount]` is
/// `lines[0].amount`.
pub fn field(name: &str) -> String {
    let of_form = name.strip_prefix("form[").and_then(|rest| rest.strip_suffix(']'));
    let path = of_form.unwrap_or_else(|| name.split('[').next().unwrap_or_default());
    let mut field = String::new();
    for word in path.split("][") {
        if word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty() {
            field.push_str(&format!("[{word}]"));
            continue;
        }
        if !field.is_empty() {
            field.push('.');
        }
        let mut parts = word.split('_');
        field.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let mut letters = part.chars();
            field.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            field.push_str(letters.as_str());
        }
    }
    if field.is_empty() { "form".to_owned() } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(error: AppError) -> String {
        match error {
            AppError::Invalid(errors) => errors[0].field.clone(),
            other => other.to_string(),
        }
    }

    #[test]
    fn forms_as_pages_send_them_are_taken_and_others_refused_by_field() {
        for form in [
            "",
            "email=a%40b&password=%2500",
            "form[unit_price]=1&form%5Bname%5D=caf%C3%A9+au",
            "form[lines][0][line]=1&form[lines][1][line]=2",
            "search=&search_too",
        ] {
            assert!(check_form(form).is_ok(), "{form}");
        }
        for (form, name) in [
            ("name=a%00", "name"),
            ("form[unit_price]=%00", "unitPrice"),
            ("form[lines][0][amount]=\0", "lines[0].amount"),
            ("name=%FF", "name"),
            ("%FF=a", "query"),
            ("order_id=1&order_id=2", "orderId"),
            ("order_id[]=1", "orderId"),
            ("name[x]=1", "name"),
            ("form[name][x]=1", "name.x"),
            ("form[lines][x][line]=1", "lines.x.line"),
            ("form[lines][99999][line]=1", "lines[99999].line"),
        ] {
            assert_eq!(check_form(form).map_err(refused), Err(name.to_owned()), "{form}");
        }
    }

    #[test]
    fn addresses_are_text_without_nul() {
        for address in ["/", "/products/a%2Fb%20%C3%A9?after=%25&x", "/a//b"] {
            assert!(check_address(&address.parse().unwrap()).is_ok(), "{address}");
        }
        for (address, why) in [
            ("/products/%00", "not found"),
            ("/%ff", "not found"),
            ("/?after=%00", "after"),
            ("/?%00=a", "query"),
            ("/?a=%c3", "a"),
        ] {
            assert_eq!(check_address(&address.parse().unwrap()).map_err(refused), Err(why.to_owned()), "{address}");
        }
    }
}
