use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What a vendor has noted down of a day, to see it beside the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OwnNote {
    pub note_id: String,
    /// By the vendor's calendar.
    pub day: Date,
    pub text: String,
}

/// What a note is written with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnNoteInput {
    /// `YYYY-MM-DD`, by the vendor's calendar.
    #[cfg_attr(feature = "openapi", schema(value_type = Date))]
    pub day: String,
    /// 1 to 200 characters on one line.
    pub text: String,
}

/// The most notes that one vendor may have.
pub const MOST_OWN_NOTES: i64 = 1_000;
/// The longest, in characters, on one line.
pub const MAX_NOTE: usize = 200;
