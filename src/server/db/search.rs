//! Texts as they are searched: without case, accents and width, alike on both databases.
//!
//! Neither database folds as Unicode does (SQLite knows A to Z alone, PostgreSQL what its locale knows), so this
//! program does it and keeps the result beside each name, in `search_text`. Where that is NULL it has not been worked
//! out yet: those who write many names at once leave it so and call [`fill`].

use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

use super::{DbError, Parameters, Tx, rows, sql};

/// A text folded as Unicode compares texts without regard to case (full case folding: `ß` is `ss`), and beyond that
/// without marks (`é` is `e`, however it was typed), width and the number of spaces. Letters that are no others with a
/// mark stay: `ø`, `ł`, `ı`.
pub fn fold(text: &str) -> String {
    // Twice: what is folded may come apart further.
    let folded = caseless::default_case_fold_str(&without_marks(text));
    without_marks(&folded).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Marks are what combines with the letter before it. Vowel signs, which have no combining class, are letters in their
/// scripts.
fn without_marks(text: &str) -> String {
    text.nfkd().filter(|c| canonical_combining_class(*c) == 0).collect()
}

/// A LIKE pattern, with `\` as its escape, for folded texts that hold this one.
pub(super) fn pattern(search: &str) -> String {
    let escaped: String = fold(search)
        .chars()
        .flat_map(|c| matches!(c, '%' | '_' | '\\').then_some('\\').into_iter().chain([c]))
        .collect();
    format!("%{escaped}%")
}

/// SQL for whether a row's name holds what `pattern` says. `row` is the table's alias, `place` the pattern's parameter.
pub(super) fn holds(row: &str, place: &str) -> String {
    // A row whose text is still to be worked out is found by A to Z. (PostgreSQL foresees how many rows hold a text by
    // what it knows of a column, and knows nothing of a COALESCE.)
    let is_like = format!("LIKE {place} ESCAPE '\\'");
    format!("({row}.search_text {is_like} OR ({row}.search_text IS NULL AND LOWER({row}.name) {is_like}))")
}

/// Tables with names to search.
pub(super) const TABLES: [&str; 3] = ["vendors", "products", "customers"];
/// Rows filled by one statement.
const AT_ONCE: i64 = 1_000;

/// Works out what is missing, within the transaction that wrote the names.
pub async fn fill(tx: &mut Tx) -> Result<(), DbError> {
    for table in TABLES {
        while fill_some(tx, table).await? {}
    }
    Ok(())
}

/// Whether there may be more.
pub(super) async fn fill_some(tx: &mut Tx, table: &str) -> Result<bool, DbError> {
    let missing = tx
        .rows(sql(format!("SELECT id, name FROM {table} WHERE search_text IS NULL ORDER BY id LIMIT {AT_ONCE}")))
        .await?;
    if missing.is_empty() {
        return Ok(false);
    }
    let mut parameters = Parameters::default();
    let mut values = Vec::with_capacity(missing.len());
    for row in &missing {
        let (id, text) = (parameters.int(rows::int(row, "id")?), parameters.text(fold(&rows::text(row, "name")?)));
        values.push(format!("({id}, {text})"));
    }
    let text = format!(
        "WITH n (id, text) AS (VALUES {}) UPDATE {table} SET search_text = n.text FROM n WHERE {table}.id = n.id",
        values.join(", ")
    );
    tx.execute(parameters.bind(text)).await?;
    Ok(missing.len() as i64 == AT_ONCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_width_and_composition_make_no_difference() {
        for (one, other) in [
            ("Émile", "emile"),
            ("ÖSTLUND", "östlund"),
            ("Ärmel", "A\u{308}RMEL"),
            ("ЖУК", "жук"),
            ("Straße", "STRASSE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("Ａｂｃ", "abc"),
            ("İstanbul", "istanbul"),
            ("ﬁne", "FINE"),
            ("ガラス", "カ\u{3099}ラス"),
            ("Tea\u{a0} \u{3000}Pot", " tea pot "),
            ("ŉ", "ʼN"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn letters_that_are_others_stay_others() {
        for (one, other) in [("ł", "l"), ("ø", "o"), ("ı", "i"), ("कि", "क"), ("ा", "ी")] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn folding_twice_is_folding_once() {
        for text in ["Straße", "ΐ", "ﷺ", "Ǆ", "ẞ", "I\u{307}", "각", "%_\\"] {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }

    #[test]
    fn what_like_would_read_otherwise_is_escaped() {
        assert_eq!(pattern("50%_\\É"), "%50\\%\\_\\\\e%");
    }
}
