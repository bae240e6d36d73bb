use std::borrow::Cow;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use crate::{
    field_error::FieldError,
    money::Currency,
    text::{is_visible, read_line, shown, trimmed},
};

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_role)]
pub enum Role {
    /// Sees and changes what belongs to one vendor.
    Vendor,
    /// Sees what belongs to one vendor, and changes nothing of it.
    Accountant,
    /// Sees the whole marketplace.
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether users of this role belong to a vendor, and see what is its.
    pub fn is_of_a_vendor(self) -> bool {
        matches!(self, Self::Vendor | Self::Accountant)
    }

    /// Whether it changes anything but its own account.
    pub fn may_write(self) -> bool {
        self != Self::Accountant
    }
}

fn refuse_role(text: &str) -> FieldError {
    FieldError::unknown("role", text, Role::VARIANTS)
}

/// Who is logged in, as the API and the pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Viewer {
    pub email: String,
    pub role: Role,
    /// The marketplace's own id of the vendor; `null` for an admin.
    pub vendor_id: Option<String>,
}

/// A vendor that someone was found to be entitled to: the database's id and the marketplace's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VendorRef {
    pub id: i64,
    pub external_id: String,
}

/// A user that a login found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: i64,
    pub email: String,
    pub role: Role,
    /// Some for every vendor user, none for an admin.
    pub vendor: Option<VendorRef>,
}

/// One of a user's own sessions: a browser in which that user is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnSession {
    /// Names the session here; worth nothing as a cookie.
    pub session_id: String,
    /// The one that this is read in.
    pub current: bool,
    pub logged_in_at: Timestamp,
    pub ends_at: Timestamp,
    /// The network address that logged in.
    pub address: Option<String>,
    /// As the browser calls itself (`User-Agent`).
    pub browser: String,
}

/// How it stands with a user's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecondFactorStatus {
    /// Whether logging in asks for a one-time code.
    pub enabled: bool,
    /// Codes for when the app is lost that were not used yet.
    pub recovery_codes_left: i64,
}

/// Letters that a user of a vendor wishes to get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterWishes {
    /// A report of the week before, on Mondays.
    pub weekly_report: bool,
    /// What runs low, on days on which that has changed.
    pub low_stock: bool,
}

/// A key that lets a program use the JSON API as the user it belongs to. The key itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    pub key_id: String,
    pub name: String,
    /// How the key begins.
    pub prefix: String,
    pub scope: KeyScope,
    /// Of a key that ingests: the one vendor that it writes for; `null` for any.
    pub vendor_id: Option<String>,
    pub created_at: Timestamp,
    /// `null` for a key without an end, which only earlier versions made.
    pub expires_at: Option<Timestamp>,
    /// To the minute; `null` before the first use.
    pub last_used_at: Option<Timestamp>,
}

/// Somebody's key, as an admin sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyOfUser {
    /// Whose it is.
    pub email: String,
    #[serde(flatten)]
    pub key: ApiKey,
}

/// What a key may do of what its user may.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_scope)]
pub enum KeyScope {
    /// Reads.
    Read,
    /// Reads and writes.
    Write,
    /// Sends orders, refunds and products, and nothing else; of admins alone.
    Ingest,
}

impl KeyScope {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn refuse_scope(text: &str) -> FieldError {
    FieldError::unknown("scope", text, KeyScope::VARIANTS)
}

/// Longest life of a key, and the one it has where nobody says, in days.
pub const MAX_KEY_DAYS: i64 = 3_650;
pub const USUAL_KEY_DAYS: i64 = 365;

/// The most keys that one user may have at a time.
pub const MAX_KEYS: usize = 20;
/// Longest name of a key, in characters.
pub const MAX_KEY_NAME: usize = 60;

/// A key's name as it is kept.
pub fn read_key_name(name: &str) -> Result<String, FieldError> {
    read_line("name", name, MAX_KEY_NAME)
}

/// A user as an admin looks after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Person {
    pub user_id: String,
    pub email: String,
    pub role: Role,
    /// The marketplace's id of the vendor; `null` for an admin.
    pub vendor_id: Option<String>,
    /// Invited, and no password chosen yet.
    pub invited: bool,
    pub disabled: bool,
    /// Whether logging in asks for a one-time code.
    pub second_factor: bool,
    /// Whether a login of the marketplace's provider is bound to it.
    pub marketplace_login: bool,
    pub created_at: Timestamp,
}

/// A user as an admin sees it on the vendor's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserSummary {
    pub email: String,
    pub disabled: bool,
    pub last_login_at: Option<Timestamp>,
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLine {
    pub at: Timestamp,
    /// The user's address; `cli` for whoever has a shell on the server, `unknown` for whoever tried to log in with what
    /// is no address.
    pub actor: String,
    pub action: String,
    /// What it was done to.
    pub detail: String,
    /// The client's network address.
    pub address: Option<String>,
    /// What it was before and after, JSON as a text.
    pub was: Option<String>,
    pub became: Option<String>,
    /// That of the vendor whose user it was: amounts in both are its minor units. `null` of others, and in lines from
    /// before this was noted.
    pub currency: Option<Currency>,
}

/// Lines of the audit log, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    pub entries: Vec<AuditLine>,
    /// `after` of the next page; `null` on the last.
    pub next: Option<String>,
}

/// Which lines of the audit log to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    pub actor: Option<String>,
    pub action: Option<String>,
    /// Microseconds since 1970.
    pub from_us: Option<i64>,
    /// The first instant that is not asked for.
    pub until_us: Option<i64>,
}

/// Light, dark, or as the device has it.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_theme)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What browsers are to draw their own parts in (`<meta name="color-scheme">`).
    pub fn color_scheme(self) -> &'static str {
        match self {
            Self::System => "light dark",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

fn refuse_theme(text: &str) -> FieldError {
    FieldError::unknown("theme", text, Theme::VARIANTS)
}

/// A vendor as its own pages need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Vendor {
    pub vendor_id: String,
    pub name: String,
    pub country: String,
    /// IANA name.
    pub time_zone: String,
    pub currency: Currency,
    /// Stock at or below which a product without a threshold of its own counts as low.
    pub low_stock_threshold: i64,
}

/// Shortest password accepted, in characters (OWASP ASVS 5.0, 6.2.1 and 6.2.9: at least 8, better 15; this product
/// takes 12).
pub const MIN_PASSWORD: usize = 12;
/// Longest password accepted, in characters: a bound on hashing work.
pub const MAX_PASSWORD: usize = 128;

pub fn check_password(password: &str) -> Result<(), FieldError> {
    let length = password.chars().count();
    if (MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        Ok(())
    } else {
        Err(FieldError::new("password", format!("must be {MIN_PASSWORD} to {MAX_PASSWORD} characters")))
    }
}

/// Whatever was typed as an address, in the form that two of them are compared in. All that counts by address counts by
/// this.
pub fn comparable_email(email: &str) -> String {
    trimmed(email).to_lowercase()
}

/// An address as it is stored and compared: without what is blank at its ends, in lower case.
pub fn normalise_email(email: &str) -> Result<String, FieldError> {
    let email = comparable_email(email);
    let valid = email.len() <= 254
        && email.chars().all(is_visible)
        && email
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if valid {
        Ok(email)
    } else {
        Err(FieldError::new("email", format!("`{}` is no address such as name@example.com", shown(&email))))
    }
}

/// Segments that lead elsewhere: to the folder above, or to a page or an operation of their own among those of the ids.
const RESERVED: [&str; 5] = [".", "..", "new", "change", "bulk"];

/// One of the marketplace's own ids as a segment of a path. Ids that are no segments of their own have a
/// blank after them: `..` would be taken for the folder above, however it is encoded. `id_of_segment` takes it away.
pub fn path_segment(id: &str) -> String {
    if RESERVED.contains(&id) { format!("{id}%20") } else { encode_segment(id) }
}

/// The id that a segment of a path names, decoded already.
pub fn id_of_segment(segment: &str) -> &str {
    match segment.strip_suffix(' ') {
        Some(id) if RESERVED.contains(&id) => id,
        _ => segment,
    }
}

/// A text as a value of a query or a part of a cache key: letters, digits, `-`, `_`, `.` and `~` as they are,
/// everything else percent-encoded (RFC 3986, unreserved characters).
pub fn encode_segment(id: &str) -> String {
    const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    Cow::from(utf8_percent_encode(id, &KEPT)).into_owned()
}
