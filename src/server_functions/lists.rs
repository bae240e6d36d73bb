/// Notes where somebody is in a list of products or orders, so that the pages of its rows lead back to it as it is.
/// `address`: the list's, with its filters.
pub fn note_list(list: &'static str, address: &str) {
    crate::server::context::note_list(list, address);
}

/// The list at the address that a form of a page below it sends, and `more` as a parameter; all of the list where that
/// is no address of it.
pub fn back_to_list(list: &'static str, address: &str, more: &str) -> String {
    let address = if crate::server::context::is_of_list(list, address) { address } else { list };
    format!("{address}{}{more}", if address.contains('?') { '&' } else { '?' })
}

/// The list as it was seen last in this browser; `list` itself where it was not.
pub fn list_left(list: &'static str) -> String {
    crate::server::context::noted_list(list).unwrap_or_else(|| list.to_owned())
}
