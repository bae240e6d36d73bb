//! Names: of entries, of tags, and of everything else that the cache keeps in a store.
//!
//! Which keys and tags there are, and how long entries live, is the user's business. In the store, a tag's generation
//! lies under `tag:NAME`, a lease under `lease:…`, counts under `cache:stats…`; entries lie under the keys that the
//! user gives them.

use std::{fmt, time::Duration};

/// The name of an entry, what it belongs to, and how its payload is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    text: String,
    owner: Option<String>,
    schema: u32,
}

impl Key {
    /// On Redis Cluster, keys with the same text between `{` and `}` share a slot, and so one round trip: write the
    /// same there as in the tags of the entry.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), owner: None, schema: 0 }
    }

    /// Whose entry it is; for the log.
    #[must_use]
    pub fn owned_by(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// The number of the payload's schema. An entry that was stored with another one is a miss (`undecodable`): it
    /// comes from another release, which writes the same type differently.
    #[must_use]
    pub fn with_schema(mut self, schema: u32) -> Self {
        self.schema = schema;
        self
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    pub fn schema(&self) -> u32 {
        self.schema
    }
}

/// A name that entries are stamped with, and by which they are invalidated together: `FAMILY` or `FAMILY:ID`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// Families are few: misses are counted by them.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// What stands before the first colon.
    pub fn family(&self) -> &str {
        self.0.split_once(':').map_or(self.0.as_str(), |(family, _)| family)
    }

    /// Without the `tag:` that it has in the store.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The names of one cache in a store that it shares with others.
#[derive(Debug, Clone, Default)]
pub struct Namespace {
    /// What keys of entries begin with, up to the first colon; by these entries are told from whatever else is there,
    /// and counted.
    families: Vec<String>,
    /// Ends every name: `@` and the installation's.
    suffix: String,
}

impl Namespace {
    pub fn new<F: Into<String>>(families: impl IntoIterator<Item = F>) -> Self {
        Self { families: families.into_iter().map(Into::into).collect(), suffix: String::new() }
    }

    /// For an installation of this name: two that share a server see nothing of each other. Every name ends with
    /// `@NAME`.
    #[must_use]
    pub fn of_installation(mut self, name: &str) -> Self {
        self.suffix = format!("@{name}");
        self
    }

    /// What names of this installation end with.
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    pub(crate) fn entry(&self, key: &Key) -> String {
        format!("{}{}", key.text, self.suffix)
    }

    pub(crate) fn first_family(&self) -> &str {
        self.families.first().map_or("entry", String::as_str)
    }

    pub(crate) fn lease(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }

    pub(crate) fn tag(&self, tag: &Tag) -> String {
        // A third of what `format!` takes: it is done for every request.
        ["tag:", &tag.0, &self.suffix].concat()
    }

    /// The hash that instances add their counts to.
    pub(crate) fn stats(&self) -> String {
        format!("cache:stats{}", self.suffix)
    }

    /// The same for one minute or hour, by its number since 1970.
    pub(crate) fn stats_of(&self, span: Span, number: u64) -> String {
        format!("cache:stats:{}:{number}{}", span.name(), self.suffix)
    }

    /// Where invalidations are published.
    pub(crate) fn channel(&self) -> String {
        format!("cache:invalidations{}", self.suffix)
    }

    /// A pattern for SCAN that matches every entry and little else; [`is_entry`](Self::is_entry) decides.
    pub(crate) fn entries_pattern(&self) -> String {
        let mut initials: Vec<char> = self.families.iter().filter_map(|family| family.chars().next()).collect();
        initials.sort_unstable();
        initials.dedup();
        if initials.is_empty() {
            format!("*:*{}", self.suffix)
        } else {
            format!("[{}]*:*{}", initials.iter().collect::<String>(), self.suffix)
        }
    }

    /// The name of an entry as its user knows it.
    pub(crate) fn without_suffix(&self, key: &[u8]) -> Option<String> {
        key.strip_suffix(self.suffix.as_bytes()).and_then(|name| String::from_utf8(name.to_vec()).ok())
    }

    /// Whether a key of the store is an entry's: neither a tag nor a stranger's.
    pub(crate) fn is_entry(&self, key: &[u8]) -> bool {
        key.ends_with(self.suffix.as_bytes())
            && self
                .families
                .iter()
                .any(|family| key.strip_prefix(family.as_bytes()).is_some_and(|rest| rest.starts_with(b":")))
    }
}

/// What counts are kept by, for charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Minute,
    Hour,
}

impl Span {
    pub const ALL: [Self; 2] = [Self::Minute, Self::Hour];

    fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }

    pub fn lasts(self) -> Duration {
        match self {
            Self::Minute => Duration::from_secs(60),
            Self::Hour => Duration::from_secs(3600),
        }
    }

    /// How long the counts of one are kept: a day of minutes, a week of hours, and one more of each.
    pub(crate) fn kept(self) -> Duration {
        match self {
            Self::Minute => Duration::from_secs(25 * 3600),
            Self::Hour => Duration::from_secs(8 * 24 * 3600),
        }
    }

    /// The number of the span that this instant, in microseconds since 1970, is in.
    pub(crate) fn number(self, at_micros: u64) -> u64 {
        at_micros / 1_000_000 / self.lasts().as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_from_everything_else() {
        let names = Namespace::new(["analytics", "orders", "admin:metrics"]);
        assert_eq!(names.entries_pattern(), "[ao]*:*");
        for (key, is_entry) in [
            ("analytics:{7}:x", true),
            ("admin:metrics:x", true),
            ("admin:else", false),
            ("orders", false),
            ("tag:orders:{7}", false),
        ] {
            assert_eq!(names.is_entry(key.as_bytes()), is_entry, "{key}");
        }
    }

    #[test]
    fn a_family_ends_at_the_first_colon() {
        assert_eq!((Tag::new("vendor:{7:8}").family(), Tag::new("analytics").family()), ("vendor", "analytics"));
    }
}
