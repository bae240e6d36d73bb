//! What was typed into a refused form, on its way back to the form's page: a part of an address.

use std::io::{Read, Write};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

/// The most that an address takes of it, in bytes: proxies take addresses of 8 KB.
const MOST: usize = 6_000;
/// The field that says that another one was left out. No form has one of this name.
pub const LEFT_OUT: &str = "__left_out";

/// Names and texts as a part of an address. What is too long, though compressed, loses its longest texts, and says so.
pub fn pack(mut fields: Vec<(String, String)>) -> Option<String> {
    loop {
        let packed = deflate(&serde_json::to_vec(&fields).ok()?)?;
        if packed.len() <= MOST {
            return Some(packed);
        }
        let longest = (0..fields.len()).filter(|at| fields[*at].0 != LEFT_OUT).max_by_key(|at| fields[*at].1.len())?;
        fields.remove(longest);
        if fields.iter().all(|(name, _)| name != LEFT_OUT) {
            fields.push((LEFT_OUT.to_owned(), String::new()));
        }
    }
}

/// What `pack` has made; nothing of anything else.
pub fn unpack(packed: &str) -> Vec<(String, String)> {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(packed) else { return Vec::new() };
    let mut text = Vec::new();
    // Whatever it says that it comes to, no form is longer than a body may be.
    match DeflateDecoder::new(&bytes[..]).take(1024 * 1024).read_to_end(&mut text) {
        Ok(_) => serde_json::from_slice(&text).unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

fn deflate(bytes: &[u8]) -> Option<String> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(encoder.finish().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, text: String) -> (String, String) {
        (name.to_owned(), text)
    }

    /// A text of `count` letters and blanks in a script of 32 letters, of 500 words, as a long text may have.
    fn text(first: u32, count: usize) -> String {
        let mut at = 7_u32;
        let mut below = |most: u32| {
            at = at.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            (at >> 16) % most
        };
        let letter = |number| char::from_u32(first + number).expect("a letter");
        let words: Vec<String> = (0..500)
            .map(|_| {
                let length = 2 + below(8);
                (0..length).map(|_| letter(below(32))).collect()
            })
            .collect();
        let mut text = String::new();
        while text.chars().count() < count {
            text += &words[below(500) as usize];
            text.push(' ');
        }
        text.chars().take(count).collect()
    }

    #[test]
    fn what_was_typed_comes_back_in_any_script() {
        for first in [0x61, 0x430, 0x628, 0x4e00, 0x1f600] {
            let typed = vec![field("name", "Tea & more".to_owned()), field("description", text(first, 5_000))];
            assert_eq!(unpack(&pack(typed.clone()).unwrap()), typed, "{first:x}");
        }
    }

    #[test]
    fn what_is_too_long_is_left_out_alone_and_that_is_said() {
        let typed = vec![field("name", "Tea".to_owned()), field("description", text(0x4e00, 50_000))];
        let packed = pack(typed).unwrap();
        assert!(packed.len() <= MOST);
        assert_eq!(unpack(&packed), [field("name", "Tea".to_owned()), field(LEFT_OUT, String::new())]);
        assert_eq!(unpack("no such thing"), []);
    }
}
