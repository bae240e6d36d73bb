/// Notes where somebody is in a list of products or orders, so that the pages of its rows lead back to it as it is.
/// `address`: the list's, with its filters.
pub fn note_list(list: &'static str, address: &str) {
    crate::server::context::note_list(list, address);
}

/// The list as it was seen last in this browser; `list` itself where it was not.
pub fn list_left(list: &'static str) -> String {
    crate::server::context::noted_list(list).unwrap_or_else(|| list.to_owned())
}
