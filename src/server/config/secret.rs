/// Shortest secret accepted, in characters.
pub const MIN_SECRET: usize = 32;
/// A text made of fewer different characters than this is guessed in no time, however long it is.
const MIN_DIFFERENT: usize = 8;
/// Nor is one worth more than its length that is shorter than this and repeated.
const LONGEST_REPEATED: usize = 12;

/// Whether nobody guesses it by trying what people type to be done with it: it is long, of many different characters,
/// and no short text repeated.
pub fn is_strong(secret: &str) -> bool {
    let characters: Vec<char> = secret.chars().collect();
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    let is_repeated = |length: usize| characters.iter().zip(&characters[length..]).all(|(one, other)| one == other);
    characters.len() >= MIN_SECRET && different.len() >= MIN_DIFFERENT && !(1..=LONGEST_REPEATED).any(is_repeated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_are_only_long_are_refused() {
        for weak in [
            "",
            "short",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababababababababab",
            "passwordpasswordpasswordpasswordpassword",
            "changeme-changeme-changeme-changeme-chan",
            "00000000000000000000000000000000000000001",
        ] {
            assert!(!is_strong(weak), "{weak}");
        }
        for strong in ["0123456789abcdef0123456789abcdef", "a secret of the tests, long enough"] {
            assert!(is_strong(strong), "{strong}");
        }
        for _ in 0..1000 {
            let random = hex::encode(rand::random::<[u8; 16]>());
            assert!(is_strong(&random), "{random}");
        }
    }
}
