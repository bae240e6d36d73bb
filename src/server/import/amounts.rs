//! Amounts of one file. Between commas they are written with a point. In a file with semicolons or tabs between its
//! fields they have a point or a comma, whichever it is throughout, and only where something in the file says which:
//! `1.250` alone may be a thousand and a quarter of one, or one and a quarter.

use crate::domain::{
    field_error::FieldError,
    money::{Decimal, MAX_AMOUNT},
    text::shown,
};

pub(in crate::server) struct Amounts {
    has_commas_between_fields: bool,
    mark: Option<Mark>,
}

/// What stands before the decimals of this file.
struct Mark {
    mark: char,
    /// Where it was first seen.
    line: u64,
    column: String,
    text: String,
    /// Whether an amount was seen in which it cannot stand between thousands.
    is_sure: bool,
}

impl Amounts {
    pub fn new(delimiter: u8) -> Self {
        Self { has_commas_between_fields: delimiter == b',', mark: None }
    }

    /// An amount that is not negative. Whether the currency has so many decimals is checked later.
    pub fn read(&mut self, line: u64, column: &str, text: &str) -> Result<Decimal, FieldError> {
        let mark =
            if self.has_commas_between_fields { point_only(column, text)? } else { self.mark(line, column, text)? };
        let amount = Decimal::parse(column, text, mark)?;
        if amount.thousandths < 0 || text.starts_with('-') {
            return Err(FieldError::new(column, format!("`{}` is negative", shown(text))));
        }
        if amount.thousandths > MAX_AMOUNT * 1000 {
            return Err(FieldError::new(
                column,
                format!("`{}` is too large: at most {MAX_AMOUNT} minor units", shown(text)),
            ));
        }
        Ok(amount)
    }

    fn mark(&mut self, line: u64, column: &str, text: &str) -> Result<char, FieldError> {
        let mut marks = text.match_indices(['.', ',']);
        let Some((at, found)) = marks.next() else { return Ok('.') };
        if marks.next().is_some() {
            let message = format!(
                "`{}` has marks between thousands: format the column as plain numbers, such as 1234.50",
                shown(text)
            );
            return Err(FieldError::new(column, message));
        }
        let found = if found == "," { ',' } else { '.' };
        let (whole, decimals) = (&text[..at], &text[at + 1..]);
        let is_sure = decimals.len() != 3 || whole.starts_with('0') || whole.len() > 3;
        match &mut self.mark {
            None => self.mark = Some(Mark { mark: found, line, column: column.to_owned(), text: shown(text), is_sure }),
            Some(before) if before.mark == found => before.is_sure |= is_sure,
            Some(before) => {
                let message = format!(
                    "`{}` has another decimal mark than `{}` on line {}: one is accepted in a file",
                    shown(text),
                    before.text,
                    before.line
                );
                return Err(FieldError::new(column, message));
            }
        }
        Ok(found)
    }

    /// After the last amount: what to report, or the line on which there is an amount that may be read in two ways.
    pub fn finish(self) -> Result<Option<String>, (u64, FieldError)> {
        match self.mark {
            Some(Mark { is_sure: false, line, column, text, .. }) => {
                let message = format!(
                    "`{text}` may be thousands or decimals, and nothing in the file says which: save it with commas \
                     between fields, and amounts such as 1234.50"
                );
                Err((line, FieldError::new(column, message)))
            }
            Some(Mark { mark: ',', text, .. }) => Ok(Some(format!("amounts with a decimal comma, such as {text}"))),
            _ => Ok(None),
        }
    }
}

fn point_only(column: &str, text: &str) -> Result<char, FieldError> {
    match text.contains(',') {
        false => Ok('.'),
        true => {
            let message = format!(
                "`{}` has a comma: between commas, amounts have a point before their decimals and nothing between \
                 thousands, such as 1234.50; \
                 a file with a decimal comma has semicolons between its fields",
                shown(text)
            );
            Err(FieldError::new(column, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file of these amounts, one a line from 2 on, comes to in thousandths; or the line that is refused.
    fn read(delimiter: u8, texts: &[&str]) -> Result<Vec<i64>, u64> {
        let mut amounts = Amounts::new(delimiter);
        let read = (2..)
            .zip(texts)
            .map(|(line, text)| amounts.read(line, "gross", text).map(|amount| amount.thousandths).map_err(|_| line));
        let read: Result<Vec<_>, _> = read.collect();
        let read = read?;
        amounts.finish().map(|_| read).map_err(|(line, _)| line)
    }

    #[test]
    fn a_mark_that_may_stand_between_thousands_is_never_guessed() {
        for texts in [["1.250", "7"], ["1,250", "7"], ["7", "12.000"], ["999,999", "0"]] {
            assert!(read(b';', &texts).is_err(), "{texts:?}");
        }
        assert_eq!(read(b';', &["7", "1,250", "900"]), Err(3), "where it stands, though the file goes on");
        assert_eq!(read(b';', &["1,250", "12,5"]), Ok(vec![1_250, 12_500]), "said later");
        assert_eq!(read(b';', &["1,250", "0,125"]), Ok(vec![1_250, 125]));
        assert_eq!(read(b'\t', &["1250.500", "1.250"]), Ok(vec![1_250_500, 1_250]));
        assert_eq!(read(b';', &["12,50", "1.250"]), Err(3));
        assert_eq!(read(b';', &["12.50", "12,50"]), Err(3));
        for text in ["1.250,00", "1,250.00", "1.250.000", "-1,50", "1,", ",5", "1,2345", "1 250,00", "€ 1,50"] {
            assert_eq!(read(b';', &["0,50", text]), Err(3), "{text}");
        }
    }

    #[test]
    fn between_commas_a_point_is_the_only_mark() {
        assert_eq!(read(b',', &["1.250", "12.5", "7"]), Ok(vec![1_250, 12_500, 7_000]));
        assert_eq!(read(b',', &["1,25"]), Err(2));
    }
}
