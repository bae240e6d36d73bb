use serde::{Deserialize, Serialize};

/// Where a page of a list ended: the value that the list is sorted by, and the id that decides between equals. It holds
/// no row to look up: whatever becomes of the row that stood there, the next page begins behind this place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    pub value: SortValue,
    /// The marketplace's.
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    Integer(i64),
    Text(String),
}
