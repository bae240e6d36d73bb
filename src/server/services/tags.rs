//! Tags that people name.

use std::collections::BTreeMap;

use vendorscope_cache::Tag;

use crate::{
    domain::{field_error::FieldError, text::shown},
    server::{AppError, cache_keys, identity::accounts::Accounts},
};

/// These tags, each once. `Invalid` where one is none, or is of a vendor that does not exist: renewing that would do
/// nothing, and somebody who mistyped an id would be told that it was done.
pub async fn known_tags(accounts: &Accounts, names: &[&str]) -> Result<Vec<Tag>, AppError> {
    let mut tags = names.iter().map(|name| cache_keys::parse_tag(name)).collect::<Result<Vec<_>, _>>()?;
    tags.sort();
    tags.dedup();
    // A vendor has several tags, and is asked for once.
    let of_vendors: BTreeMap<_, _> =
        tags.iter().filter_map(|tag| Some((cache_keys::vendor_of_tag(tag)?, tag))).collect();
    for (vendor, tag) in of_vendors {
        match accounts.find_vendor(&vendor).await {
            Ok(_) => {}
            Err(AppError::NotFound) => {
                let message = format!(
                    "`{}` is not accepted: there is no vendor `{}` (/admin/vendors names each with its id)",
                    shown(&cache_keys::written_tag(tag)),
                    shown(&vendor)
                );
                return Err(FieldError::new("tags", message).into());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(tags)
}
