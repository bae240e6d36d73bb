//! Money is an integer number of a currency's minor units (cents, yen, fils), never a float.

use serde::{Deserialize, Serialize};

use crate::{field_error::FieldError, text::shown};

/// The largest amount accepted in one field, in minor units. A hundred thousand such amounts still sum to less than
/// 2^53, the largest integer a browser's number holds exactly.
pub const MAX_AMOUNT: i64 = 90_000_000_000;

/// An ISO 4217 currency whose minor unit has 0, 2 or 3 decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, example = "EUR"))]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// ISO 4217's active currencies without decimals, and with three.
const NO_DECIMALS: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
];
const THREE_DECIMALS: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
const FOUR_DECIMALS: &[&str] = &["CLF", "UYW"];

impl Currency {
    pub fn parse(code: &str) -> Result<Self, FieldError> {
        let refused = || {
            FieldError::new(
                "currency",
                format!("`{}` is not accepted: three capital letters of ISO 4217, such as EUR", shown(code)),
            )
        };
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| refused())?;
        if !bytes.iter().all(u8::is_ascii_uppercase) || FOUR_DECIMALS.contains(&code) {
            return Err(refused());
        }
        Ok(Self(bytes))
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the decimal point: 0, 2 or 3 (ISO 4217, "minor unit").
    pub fn decimals(&self) -> u32 {
        match self.code() {
            code if NO_DECIMALS.contains(&code) => 0,
            code if THREE_DECIMALS.contains(&code) => 3,
            _ => 2,
        }
    }

    /// Minor units in one major unit: 1, 100 or 1000.
    pub fn minor_units(&self) -> i64 {
        10_i64.pow(self.decimals())
    }

    /// An amount as people write it, without the currency: `-1234.50`.
    pub fn to_decimal(&self, amount: i64) -> String {
        let units = self.minor_units();
        let sign = if amount < 0 { "-" } else { "" };
        let (whole, rest) = (amount.unsigned_abs() / units as u64, amount.unsigned_abs() % units as u64);
        match self.decimals() {
            0 => format!("{sign}{whole}"),
            decimals => format!("{sign}{whole}.{rest:0width$}", width = decimals as usize),
        }
    }

    /// Reads an amount as people write it. Refuses more decimals than the currency has, zeros too: `1.250` euros may
    /// have been meant as 1250.
    pub fn parse_amount(&self, field: &str, text: &str) -> Result<i64, FieldError> {
        let amount = Decimal::parse(field, text, '.')?;
        if amount.decimals > self.decimals() {
            let message = format!("`{}` has more decimals than {} has ({})", shown(text), self.code(), self.decimals());
            return Err(FieldError::new(field, message));
        }
        Ok(amount.thousandths / (1000 / self.minor_units()))
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = FieldError;
    fn try_from(code: String) -> Result<Self, FieldError> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

/// A decimal number before its currency is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    pub thousandths: i64,
    /// Digits after the mark, 0 to 3.
    pub decimals: u32,
}

impl Decimal {
    /// Reads digits with `mark` before up to three decimals.
    pub fn parse(field: &str, text: &str, mark: char) -> Result<Self, FieldError> {
        let refused = || {
            let mark = if mark == ',' { "comma" } else { "point" };
            let message = format!(
                "`{}` is not an amount: digits with a {mark} before up to three decimals, such as 12.50",
                shown(text)
            );
            FieldError::new(field, message)
        };
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, decimals) =
            digits.split_once(mark).map_or((digits, None), |(whole, decimals)| (whole, Some(decimals)));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || decimals.is_some_and(|decimals| !all_digits(decimals) || decimals.len() > 3) {
            return Err(refused());
        }
        let whole: i64 = whole.parse().map_err(|_| refused())?;
        if whole > MAX_AMOUNT {
            return Err(FieldError::new(
                field,
                format!("`{}` is too large: at most {MAX_AMOUNT} minor units", shown(text)),
            ));
        }
        let decimals = decimals.unwrap_or_default();
        let rest: i64 = format!("{decimals:0<3}").parse().map_err(|_| refused())?;
        Ok(Self { thousandths: sign * (whole * 1000 + rest), decimals: decimals.len() as u32 })
    }
}

/// `numerator / denominator` rounded half away from zero; `None` when there is nothing to divide by.
pub fn divide_rounded(numerator: i64, denominator: i64) -> Option<i64> {
    if denominator <= 0 {
        return None;
    }
    let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
    let rounded = (numerator.abs() * 2 + denominator) / (denominator * 2);
    i64::try_from(rounded * numerator.signum()).ok()
}

/// Which part of `whole` this is, in tenths of a percent; `None` where there is nothing to be a part of.
pub fn permille(part: i64, whole: i64) -> Option<i64> {
    divide_rounded(part.checked_mul(1_000)?, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_nothing_is_no_share() {
        assert_eq!((permille(1, 8), permille(-1, 8), permille(0, 0)), (Some(125), Some(-125), None));
    }

    #[test]
    fn amounts_read_and_write_in_currencies_with_0_2_and_3_decimals() {
        for (code, text, amount) in
            [("JPY", "1250", 1250), ("EUR", "12.50", 1250), ("KWD", "1.250", 1250), ("EUR", "-0.05", -5)]
        {
            let currency = Currency::parse(code).unwrap();
            assert_eq!(currency.parse_amount("price", text), Ok(amount));
            assert_eq!(currency.to_decimal(amount), text);
        }
    }

    #[test]
    fn more_decimals_than_a_currency_has_are_refused_with_what_was_seen_zeros_too() {
        for (code, text, message) in [
            ("EUR", "1.250", "`1.250` has more decimals than EUR has (2)"),
            ("EUR", "12.505", "`12.505` has more decimals than EUR has (2)"),
            ("JPY", "1.000", "`1.000` has more decimals than JPY has (0)"),
            ("JPY", "12.0", "`12.0` has more decimals than JPY has (0)"),
        ] {
            assert_eq!(
                Currency::parse(code).unwrap().parse_amount("price", text),
                Err(FieldError::new("price", message))
            );
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "-", ".", "1.", ".5", "1,5", "1e3", "+1", "1.2345", "99999999999999999999", "NaN", "１"] {
            assert!(Decimal::parse("price", text, '.').is_err(), "{text}");
        }
    }

    #[test]
    fn division_rounds_half_away_from_zero() {
        assert_eq!(divide_rounded(5, 2), Some(3));
        assert_eq!(divide_rounded(-5, 2), Some(-3));
        assert_eq!(divide_rounded(4, 3), Some(1));
        assert_eq!(divide_rounded(5, 0), None);
    }
}
