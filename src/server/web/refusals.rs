//! How a refused form comes back to its page: with why and what was typed, in the address, signed for this page and
//! this user. A page shows nothing of that kind that this installation has not written for whoever looks at it.

use axum::{
    http::{HeaderValue, Uri, header},
    response::Response,
};

use crate::{
    domain::accounts::encode_segment,
    server::{identity::signing::Signing, request::addresses::brought_home},
};

/// What Leptos writes of a refusal (which function, and its error), and this program (what was typed, and the
/// signature).
const PARTS: [&str; 3] = ["__path", "__err", "__typed"];
const SIGNATURE: &str = "__signed";

/// What was typed into a form, as a part of an address; passwords and codes are not.
pub fn typed(form: &[u8]) -> Option<String> {
    let fields = form_urlencoded::parse(form).into_owned().filter(|(name, _)| !is_secret(name));
    crate::typed::pack(fields.collect())
}

/// Whether what is typed into a field of this name is kept nowhere.
pub fn is_secret(name: &str) -> bool {
    let name = name.strip_prefix("form[").and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    matches!(name, "password" | "current" | "token" | "code")
}

/// The answer of a server function to a form without scripts: it leads to a page of this site, whatever site the form
/// said it was on. Where it was refused, what was typed goes with it, so that nobody types it again.
pub fn sent_back(signing: &Signing, user: Option<i64>, mut response: Response, typed: Option<String>) -> Response {
    let Some(location) = response.headers().get(header::LOCATION) else { return response };
    let location = brought_home(location.to_str().unwrap_or_default());
    let location = match location.split_once('?') {
        // A login says why by a code of its own. One that took too long begins anew.
        Some((page, query))
            if query.contains("__err=")
                || (page == "/login" && query.starts_with("error=") && !query.starts_with("error=late")) =>
        {
            // Not what was typed the time before as well.
            let mut query: Vec<_> = query
                .split('&')
                .filter(|pair| !pair.starts_with("__typed=") && !pair.starts_with("__signed="))
                .map(str::to_owned)
                .collect();
            query.extend(typed.map(|typed| format!("__typed={typed}")));
            let query = query.join("&");
            let signature = encode_segment(&signing.signature(&signed_text(page, user, &query)));
            format!("{page}?{query}&{SIGNATURE}={signature}")
        }
        _ => location,
    };
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Whether an address says anything of a refusal.
pub fn tells_of_one(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| is_of_a_refusal(&name))
}

fn is_of_a_refusal(name: &str) -> bool {
    PARTS.contains(&name) || name == SIGNATURE
}

/// The address without what it says of a refusal, where nobody here has said so on this page to this user; `None` where
/// it is as it should be.
pub fn without_foreign(signing: &Signing, user: Option<i64>, uri: &Uri) -> Option<String> {
    if !tells_of_one(uri) {
        return None;
    }
    let query = uri.query()?;
    let signatures: Vec<_> = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == SIGNATURE).collect();
    if let [(_, signature)] = &signatures[..]
        && signing.is_signature(signature, &signed_text(uri.path(), user, query))
    {
        return None;
    }
    let others = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !is_of_a_refusal(name));
    let others = form_urlencoded::Serializer::new(String::new()).extend_pairs(others).finish();
    Some(if others.is_empty() { uri.path().to_owned() } else { format!("{}?{others}", uri.path()) })
}

/// What is signed of a query: all that it says of a refusal, as it will be read, on which page and by whom.
fn signed_text(page: &str, user: Option<i64>, query: &str) -> String {
    let parts = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| PARTS.contains(&name.as_ref()));
    let parts: String = parts.map(|(name, value)| format!("{name}={value}\0")).collect();
    let user = user.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
    format!("{page}\0{user}\0{parts}")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::server::config::Config;

    fn signing() -> Signing {
        Signing::new("refusal", &Config::for_tests().sessions)
    }

    fn back(location: &'static str, typed: Option<&str>) -> String {
        let response = Response::builder().header(header::LOCATION, location).body(Body::empty()).unwrap();
        let response = sent_back(&signing(), Some(7), response, typed.map(str::to_owned));
        response.headers()[header::LOCATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn what_was_typed_goes_back_with_a_refusal_but_no_password_does() {
        let typed = typed(b"name=Tea+%26+more&password=secret&current=secret&code=123456&form[password]=x");
        let typed = crate::typed::unpack(&typed.unwrap());
        assert_eq!(typed, [("name".to_owned(), "Tea & more".to_owned())]);
        let refused = back("/products/1?__typed=old&__err=x&__signed=old", Some("new"));
        assert!(refused.starts_with("/products/1?__err=x&__typed=new&__signed="), "{refused}");
        assert_eq!(back("/products/1?saved=1", Some("new")), "/products/1?saved=1", "accepted");
    }

    #[test]
    fn a_form_never_leads_to_another_site() {
        assert_eq!(back("https://evil.example/", None), "/");
        let refused = back("https://evil.example/account?__path=%2F_fn%2Fx&__err=y", None);
        assert!(refused.starts_with("/account?__path=%2F_fn%2Fx&__err=y&__signed="), "{refused}");
    }

    #[test]
    fn a_page_is_told_of_a_refusal_by_this_installation_alone() {
        let own = back("/account?done=key&__path=%2F_fn%2Fx&__err=eyJ9%3D%3D", Some("%5B%5D"));
        let without_as = |user, address: &str| without_foreign(&signing(), user, &address.parse().unwrap());
        let without = |address: &str| without_as(Some(7), address);
        assert_eq!(without(&own), None);
        for forged in [
            own.replace("eyJ9", "eyJ8"),
            own.replace("%5B%5D", "%5B1%5D"),
            own.replace("__signed=", "__signed=x"),
            own.replace("__path=", "__path=x"),
            format!("{own}&__err=another"),
            own.split("&__signed").next().unwrap_or_default().to_owned(),
            "/account?done=key&__err=x".to_owned(),
        ] {
            assert_eq!(without(&forged).as_deref(), Some("/account?done=key"), "{forged}");
        }
        // Written here, but for another page or somebody else.
        assert_eq!(without(&own.replace("/account", "/products")).as_deref(), Some("/products?done=key"));
        for other in [None, Some(8)] {
            assert_eq!(without_as(other, &own).as_deref(), Some("/account?done=key"), "{other:?}");
        }
        assert_eq!(without("/login?__err=x").as_deref(), Some("/login"));
        assert_eq!(without("/login?error=credentials"), None);
    }
}
