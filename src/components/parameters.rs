use leptos::prelude::*;
use leptos_router::{hooks::use_url, location::Url, params::ParamsMap};

/// What `read` finds in the query of the page's address. Leptos's own reader (`use_query_map`) decodes every value a
/// second time: `100%25Baum`, which stands for `100%Baum`, would be read as `100�um`.
pub fn parameters<T>(read: impl FnOnce(&ParamsMap) -> T) -> T {
    use_url().with_untracked(|url| read(&of_query(url.search())))
}

/// The parameters of a query as it stands in an address.
fn of_query(query: &str) -> ParamsMap {
    let pairs = query.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // `ParamsMap` decodes each value that it is given, and no name.
        (Url::unescape(&name.replace('+', " ")), value.replace('+', " "))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_names_are_decoded_once() {
        let read = of_query("a=100%25Baum&b=x%2520y&next=%2Forders%3Fsearch%3DR%2526B&pick%5B0%5D=1+2%2B3&c=d=e&f");
        for (name, value) in [
            ("a", "100%Baum"),
            ("b", "x%20y"),
            ("next", "/orders?search=R%26B"),
            ("pick[0]", "1 2+3"),
            ("c", "d=e"),
            ("f", ""),
        ] {
            assert_eq!(read.get(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(of_query("").get(""), None);
    }
}
