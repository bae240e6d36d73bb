use super::Check;
use crate::server::{
    config::Config,
    identity::provider::{Provider, RETURN_PATH},
};

const NAME: &str = "marketplace login";

/// What is to be said of the marketplace's provider, where one is configured.
pub async fn examine(config: &Config) -> Option<Check> {
    let issuer = &config.provider.as_ref()?.issuer;
    let looked = match Provider::of(config) {
        Ok(provider) => provider?.look().await.map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    Some(match looked {
        Ok(0) => Check::fail(NAME, format!("{issuer} answers, and has no keys"), "correct OIDC_ISSUER"),
        Ok(keys) => Check::ok(
            NAME,
            format!(
                "{issuer} answers (keys: {keys}); its redirect URI for here is {}{RETURN_PATH}",
                config.http.public_url
            ),
        ),
        Err(why) => Check::fail(
            NAME,
            format!("{issuer}: {why}"),
            "start it, let this machine reach it, or correct OIDC_ISSUER; logging in by password goes on",
        ),
    })
}
