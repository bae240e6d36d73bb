//! Variables, read one by one.

use secrecy::SecretString;

use super::{ConfigError, redact};

/// Reads variables one by one, and collects what is wrong with them.
pub(super) struct Reader<V> {
    pub vars: V,
    pub production: bool,
    pub errors: Vec<ConfigError>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    pub fn text(&self, name: &str) -> Option<String> {
        (self.vars)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub fn read<T>(&mut self, name: &'static str, accepted: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.read_shown(name, accepted, parse, str::to_owned)
    }

    /// As `read`, for values that must not be shown as they are.
    pub fn read_secret(
        &mut self,
        name: &'static str,
        accepted: &str,
        is_accepted: impl FnOnce(&str) -> bool,
    ) -> Option<SecretString> {
        self.read_shown(name, accepted, |text| is_accepted(text).then(|| text.into()), redact)
    }

    pub fn read_shown<T>(
        &mut self,
        name: &'static str,
        accepted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        show: impl FnOnce(&str) -> String,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.errors.push(ConfigError::Refused { name, value: show(&text), accepted: accepted.to_owned() });
        }
        value
    }

    /// Notes that a variable is missing, where production requires it and it has not been refused already.
    pub fn require(&mut self, name: &'static str, accepted: &'static str) {
        if self.production && self.text(name).is_none() {
            self.errors.push(ConfigError::Missing { name, accepted });
        }
    }
}

pub(super) trait OrRequired<T> {
    fn or_required<V: Fn(&str) -> Option<String>>(
        self,
        reader: &mut Reader<V>,
        name: &'static str,
        accepted: &'static str,
        development: impl FnOnce() -> T,
    ) -> T;
}

impl<T> OrRequired<T> for Option<T> {
    /// The value; without one, what development uses, noted as missing where this is production.
    fn or_required<V: Fn(&str) -> Option<String>>(
        self,
        reader: &mut Reader<V>,
        name: &'static str,
        accepted: &'static str,
        development: impl FnOnce() -> T,
    ) -> T {
        self.unwrap_or_else(|| {
            reader.require(name, accepted);
            development()
        })
    }
}
