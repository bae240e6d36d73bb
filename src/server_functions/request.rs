/// What was left out of the page's address because the page does not understand it, in sentences.
pub fn left_out() -> Vec<String> {
    crate::server::context::left_out()
}

/// The name that the request has in the log, for whoever asks about it; `None` outside of a request.
pub fn request_name() -> Option<String> {
    crate::server::context::request_name()
}
