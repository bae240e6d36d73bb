//! Text from outside: one way for every way in, so that what looks the same is the same. Names are brought into one
//! form; ids, which are somebody else's, are refused where they are not in it already.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::field_error::{Checks, FieldError};

/// The longest id of the marketplace, in characters.
pub const MAX_ID: usize = 100;
/// The most of a refused text that a message shows, in characters.
const MAX_SHOWN: usize = 80;

/// A text that says something: forms send empty ones for what was left out.
pub fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// A name as it is kept: composed letters (NFC), nothing blank at its ends, runs of blanks one space, no characters
/// without width that only break lines or hint at a direction. Refused where 1 to `most` characters are not left, or
/// with control characters, or with those that turn the direction of the text around them.
pub fn read_line(field: &str, text: &str, most: usize) -> Result<String, FieldError> {
    let refused = || FieldError::new(field, format!("must be 1 to {most} characters, without control characters"));
    let line = normalise_line(text).map_err(|unwanted| match unwanted {
        c if turns_direction(c) => {
            FieldError::new(field, format!("holds U+{:04X}, which turns the direction of the text around it", c as u32))
        }
        _ => refused(),
    })?;
    if line.chars().all(|c| is_blank(c) || is_invisible(c)) || line.chars().count() > most {
        Err(refused())
    } else {
        Ok(line.into_owned())
    }
}

/// An id, if it is in the form that `read_line` brings names into. `.` and `..` are none: in an address they mean
/// something else.
pub fn check_id(field: &str, id: &str) -> Result<(), FieldError> {
    let line = read_line(field, id, MAX_ID)?;
    if line != id {
        let message = format!(
            "`{}` is refused: ids have no blanks at their ends, none but single spaces within, no invisible \
             characters, and composed letters \
             (NFC); that would be `{line}`",
            shown(id)
        );
        return Err(FieldError::new(field, message));
    }
    if matches!(id, "." | "..") {
        return Err(FieldError::new(field, format!("`{id}` is no id: in an address it means a folder")));
    }
    Ok(())
}

/// A text of any number of lines, as it is kept: like a name, but for its blanks, which stay within it. Lines end with
/// LF.
pub fn read_lines(field: &str, text: &str, most: usize) -> Result<String, FieldError> {
    let mut kept = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars().filter(|c| !is_dropped(*c)) {
        match c {
            '\r' => kept.push('\n'),
            '\n' | '\t' => kept.push(c),
            c if turns_direction(c) => {
                return Err(FieldError::new(
                    field,
                    format!("holds U+{:04X}, which turns the direction of the text around it", c as u32),
                ));
            }
            c if c.is_control() => {
                return Err(FieldError::new(
                    field,
                    format!("must be at most {most} characters, without control characters"),
                ));
            }
            c => kept.push(c),
        }
    }
    let kept: String = trimmed(&kept).nfc().collect();
    match kept.chars().count() <= most {
        true => Ok(kept),
        false => Err(FieldError::new(field, format!("must be at most {most} characters"))),
    }
}

/// What somebody looks for, in the form that names are in. Refused above `most` characters, and with a NUL, which no
/// name holds. `None` where nothing is left of it.
pub fn read_search(text: &str, most: usize) -> Result<Option<String>, FieldError> {
    if text.contains('\0') {
        return Err(FieldError::new("search", "must not hold the character NUL"));
    }
    // Whatever else is in no name finds nothing.
    let line = normalise_line(text).map_or_else(|_| trimmed(text).to_owned(), Cow::into_owned);
    match line.chars().count() <= most {
        true => Ok(Some(line).filter(|line| !line.is_empty())),
        false => Err(FieldError::new("search", format!("must be at most {most} characters"))),
    }
}

/// Without what shows nothing at either end.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c| is_blank(c) || is_dropped(c) || matches!(c, '\u{200c}' | '\u{200d}'))
}

/// Whether a character takes its place on a line and shows something there.
pub fn is_visible(c: char) -> bool {
    !(c.is_control() || is_blank(c) || is_invisible(c))
}

/// A text from outside within a message: on one line, not too long, every character to be seen.
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (at, c) in text.chars().enumerate() {
        match c {
            _ if at == MAX_SHOWN => {
                shown.push('…');
                break;
            }
            ' ' => shown.push(' '),
            c if is_visible(c) => shown.push(c),
            c => shown.extend(c.escape_unicode()),
        }
    }
    shown
}

impl Checks {
    /// The name as it is kept, as `read_line` has it, or nothing of it and a note of its refusal.
    pub fn line(&mut self, field: &str, text: &mut String, most: usize) {
        let read = read_line(field, text, most);
        *text = self.accept(read).unwrap_or_default();
    }

    /// Notes a refusal unless it is an id.
    pub fn id(&mut self, field: &str, id: &str) {
        self.accept(check_id(field, id));
    }
}

/// `Err` with the first character that no name may hold.
fn normalise_line(text: &str) -> Result<Cow<'_, str>, char> {
    let bytes = text.as_bytes();
    let is_plain = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.contains("  ")
        && !text.starts_with(' ')
        && !text.ends_with(' ');
    if is_plain {
        return Ok(Cow::Borrowed(text));
    }
    let mut line = String::with_capacity(text.len());
    let mut after_blank = false;
    for c in trimmed(text).chars().filter(|c| !is_dropped(*c)) {
        if c.is_control() || turns_direction(c) {
            return Err(c);
        }
        if is_blank(c) {
            after_blank = true;
            continue;
        }
        if std::mem::take(&mut after_blank) {
            line.push(' ');
        }
        line.push(c);
    }
    Ok(Cow::Owned(if is_nfc(&line) { line } else { line.nfc().collect() }))
}

/// White space of any width, on or between lines.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
}

/// Shows nothing and says nothing that a name needs: where a line may or may not break, and which direction the letters
/// beside it have.
fn is_dropped(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Embeddings, overrides and isolates: they reach beyond the text that holds them.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Unicode's Default_Ignorable_Code_Point, and what is drawn empty: nothing is seen of them alone, though they join or
/// vary others.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_becomes_the_same() {
        for text in [
            "Café au lait",
            " Café au lait ",
            "\u{a0}Café\u{3000}au\u{2009}\u{200b} lait\u{feff}",
            "Cafe\u{301} au  lait\t",
            "\u{200b}\u{200e}Ca\u{ad}f\u{200b}é au lait\u{200d}\r\n",
            "Cafe\u{2060}\u{301} au lait",
        ] {
            assert_eq!(read_line("name", text, 20).as_deref(), Ok("Café au lait"), "{text:?}");
        }
    }

    #[test]
    fn what_scripts_and_emoji_need_stays() {
        for text in [
            "نامه\u{200c}ای",
            "👩\u{200d}👩\u{200d}👧 & ❤\u{fe0f}",
            "क्\u{200d}ष",
            "Mug, \"Fog\" & ash: 2",
            "ｆｕｌｌ",
            "𝒜",
        ] {
            assert_eq!(read_line("name", text, 20).as_deref(), Ok(text));
        }
    }

    #[test]
    fn names_of_nothing_to_be_seen_and_characters_that_reach_beyond_them_are_refused() {
        for text in [
            "",
            " ",
            "\u{200b}",
            "\u{200b}\u{200d}\u{2060}",
            "\u{3164}",
            "\u{2800}",
            "\u{fe0f}\u{e0041}",
            "\u{34f} \u{115f}",
            "12345678901",
        ] {
            assert_eq!(
                read_line("name", text, 10).unwrap_err().message,
                "must be 1 to 10 characters, without control characters",
                "{text:?}"
            );
        }
        for text in ["a\0", "\0", "a\tb", "a\nb", "a\u{85}b", "a\u{7f}", "\u{9b}31m"] {
            assert!(read_line("name", text, 10).is_err(), "{text:?}");
        }
        for text in ["\u{202e}gpj.exe", "a\u{2066}b", "a\u{2069}"] {
            assert!(read_line("name", text, 10).unwrap_err().message.contains("turns the direction"), "{text:?}");
        }
    }

    #[test]
    fn ids_are_refused_rather_than_changed() {
        for id in ["a", "A-1/2", "..a", "é", "a b", &"é".repeat(100)] {
            assert_eq!(check_id("id", id), Ok(()), "{id:?}");
        }
        for id in [
            "",
            " a",
            "a ",
            "a  b",
            "a\u{a0}b",
            "a\u{200b}",
            "e\u{301}",
            "a\0",
            "a\nb",
            "\u{202e}a",
            ".",
            "..",
            &"é".repeat(101),
        ] {
            assert!(check_id("id", id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn longer_texts_keep_their_lines() {
        assert_eq!(
            read_lines("description", " One\r\n\r\n  two\rthree\t4 \u{200b}\n", 30).as_deref(),
            Ok("One\n\n  two\nthree\t4")
        );
        assert_eq!(read_lines("description", "", 5).as_deref(), Ok(""));
        for text in ["a\0b", "a\u{1b}[31m", "\u{202e}a", "123456"] {
            assert!(read_lines("description", text, 5).is_err(), "{text:?}");
        }
    }

    #[test]
    fn messages_show_every_character_on_one_line() {
        assert_eq!(shown("a\nb\u{202e}c\u{a0}d e"), "a\\u{a}b\\u{202e}c\\u{a0}d e");
        assert_eq!(shown(&"é".repeat(100)), format!("{}…", "é".repeat(80)));
    }

    #[test]
    fn what_is_searched_is_in_the_form_of_names() {
        assert_eq!(read_search(" Cafe\u{301}\u{a0} au ", 20), Ok(Some("Café au".to_owned())));
        assert_eq!(read_search("\u{200b}", 20), Ok(None));
        assert!(read_search("a\0", 20).is_err() && read_search("123456", 5).is_err());
        assert_eq!(read_search("a\u{202e}", 20), Ok(Some("a\u{202e}".to_owned())));
    }
}
