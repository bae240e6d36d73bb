//! The marketplace's OpenID Connect provider: authorisation code flow with PKCE (RFC 7636), state and nonce.

use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use fred::rustls::ClientConfig;
use moka::future::Cache;
use openidconnect::{
    AccessToken, AdditionalClaims, AuthType, AuthorizationCode, ClaimsVerificationError, Client, ClientId,
    ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdTokenFields, IssuerUrl, JwsSigningAlgorithm, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse,
    SubjectIdentifier, TokenResponse, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType,
        CoreGenderClaim, CoreIdTokenVerifier, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use vendorscope_redis::Tls;

use super::sessions::BegunLogin;
use crate::server::config::{Config, EMAIL, ProviderConfig, redis_tls::client_config};

/// How long one answer of the provider may take.
const WITHIN: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const MOST: usize = 1024 * 1024;
/// How long it is not asked again where its addresses are and what its keys are. A key that is not known has it asked
/// at once.
const KNOWN_FOR: Duration = Duration::from_secs(60 * 60);
/// What a provider says in `amr` of a login with several factors (RFC 8176).
const SEVERAL_FACTORS: &str = "mfa";
/// Where it sends people back to.
pub const RETURN_PATH: &str = "/login/marketplace/callback";

/// Claims beside those that OpenID Connect names.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct OtherClaims(HashMap<String, serde_json::Value>);

impl AdditionalClaims for OtherClaims {}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        OtherClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type KnownClient = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why the provider has logged nobody in. The texts are for the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or not as a provider does.
    #[error("the provider is away: {0}")]
    Away(String),
    /// It answers, and what it says proves nothing.
    #[error("the provider has proved nobody: {0}")]
    Refused(String),
}

/// Whom the provider has proved.
pub struct Proven {
    pub issuer: String,
    /// What it calls somebody, for good.
    pub subject: String,
    /// It says that more than one factor was asked for.
    pub several_factors: bool,
    address: Option<ClaimedAddress>,
    token: AccessToken,
}

/// The address by which an account is found the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimedAddress {
    Verified(String),
    /// Nobody has checked whose it is.
    Unverified(String),
}

/// What discovery has found out.
struct Known {
    client: KnownClient,
    /// Of these the provider's keys are: a text that anybody with the secret could have signed proves nothing.
    algorithms: Vec<CoreJwsSigningAlgorithm>,
    keys: usize,
}

impl Known {
    fn verifier(&self) -> CoreIdTokenVerifier<'_> {
        self.client.id_token_verifier().set_allowed_algs(self.algorithms.clone())
    }
}

/// The provider, and what is known of it.
pub struct Provider {
    config: ProviderConfig,
    issuer: IssuerUrl,
    return_address: RedirectUrl,
    http: reqwest::Client,
    known: Cache<(), Arc<Known>>,
}

impl Provider {
    /// The one that is configured, if there is one. Asks nobody yet. `Err` where an address is none.
    pub fn of(config: &Config) -> Result<Option<Self>, String> {
        let Some(provider) = &config.provider else { return Ok(None) };
        // The authorities of this machine.
        Self::new(provider, &config.http.public_url, client_config(&Tls::default())?).map(Some)
    }

    fn new(config: &ProviderConfig, public_url: &str, tls: ClientConfig) -> Result<Self, String> {
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|error| format!("OIDC_ISSUER: {error}"))?;
        let return_address =
            RedirectUrl::new(format!("{public_url}{RETURN_PATH}")).map_err(|error| format!("PUBLIC_URL: {error}"))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // Whoever is redirected could be led to what only this machine reaches.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(WITHIN)
            .build()
            .map_err(|error| why(&error))?;
        let known = Cache::builder().max_capacity(1).time_to_live(KNOWN_FOR).build();
        Ok(Self { config: config.clone(), issuer, return_address, http, known })
    }

    /// What the button of the login page calls it.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The address at the provider where a login goes on, and what it goes on with here; `next`: where to after it.
    pub async fn begin(&self, next: Option<&str>) -> Result<(String, BegunLogin), ProviderError> {
        let known = self.known().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = known
            .client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(self.config.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge);
        let (address, state, nonce) = request.url();
        let login = BegunLogin {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            next: next.map(str::to_owned),
        };
        Ok((address.into(), login))
    }

    /// Whether an answer is this provider's, by the issuer that it may name (RFC 9207).
    pub fn is_issuer(&self, issuer: &str) -> bool {
        issuer == self.config.issuer
    }

    /// Whom a code proves that came back for this login.
    pub async fn finish(&self, login: &BegunLogin, code: &str) -> Result<Proven, ProviderError> {
        let mut known = self.known().await?;
        let exchange = known
            .client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| ProviderError::Away(why(&error)))?
            .set_pkce_verifier(PkceCodeVerifier::new(login.verifier.clone()));
        let tokens = exchange.request_async(&self.http()).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(_) => ProviderError::Refused(why(&error)),
            _ => ProviderError::Away(why(&error)),
        })?;
        let token = tokens.id_token().ok_or_else(|| ProviderError::Refused("no ID token".to_owned()))?;
        let nonce = Nonce::new(login.nonce.clone());
        let mut claims = token.claims(&known.verifier(), &nonce);
        if matches!(claims, Err(ClaimsVerificationError::SignatureVerification(_))) {
            // Its keys may have changed since they were asked for.
            known = self.ask_again().await?;
            claims = token.claims(&known.verifier(), &nonce);
        }
        let claims = claims.map_err(|error| ProviderError::Refused(why(&error)))?;
        let factors = claims.auth_method_refs().map(Vec::as_slice).unwrap_or_default();
        let address = self.address(
            claims.email().map(|email| email.as_str()),
            claims.email_verified(),
            claims.preferred_username().map(|name| name.as_str()),
            claims.additional_claims(),
        );
        Ok(Proven {
            issuer: self.config.issuer.clone(),
            subject: claims.subject().as_str().to_owned(),
            several_factors: factors.iter().any(|factor| factor.as_str() == SEVERAL_FACTORS),
            address,
            token: tokens.access_token().clone(),
        })
    }

    /// The address of whom it has proved: from the ID token, or where that has none, asked for once more. `None` where
    /// the provider does not say.
    pub async fn address_of(&self, proven: &Proven) -> Result<Option<ClaimedAddress>, ProviderError> {
        if proven.address.is_some() {
            return Ok(proven.address.clone());
        }
        let known = self.known().await?;
        let subject = SubjectIdentifier::new(proven.subject.clone());
        let Ok(request) = known.client.user_info(proven.token.clone(), Some(subject)) else { return Ok(None) };
        let asked: Result<UserInfoClaims<OtherClaims, CoreGenderClaim>, _> = request.request_async(&self.http()).await;
        let claims = asked.map_err(|error| ProviderError::Away(why(&error)))?;
        Ok(self.address(
            claims.email().map(|email| email.as_str()),
            claims.email_verified(),
            claims.preferred_username().map(|name| name.as_str()),
            claims.additional_claims(),
        ))
    }

    /// Asks it anew. How many keys it has.
    pub async fn look(&self) -> Result<usize, ProviderError> {
        Ok(self.ask_again().await?.keys)
    }

    /// The claim that names an account. `email` is worth what the provider says of it; whoever names another claim
    /// vouches for it.
    fn address(
        &self,
        email: Option<&str>,
        email_verified: Option<bool>,
        username: Option<&str>,
        others: &OtherClaims,
    ) -> Option<ClaimedAddress> {
        match self.config.claim.as_str() {
            EMAIL if email_verified == Some(true) => email.map(|email| ClaimedAddress::Verified(email.to_owned())),
            EMAIL => email.map(|email| ClaimedAddress::Unverified(email.to_owned())),
            "preferred_username" => username.map(|name| ClaimedAddress::Verified(name.to_owned())),
            other => Some(ClaimedAddress::Verified(others.0.get(other)?.as_str()?.to_owned())),
        }
    }

    /// What is known of it, asked for where it is not, once for all who want to know at the same time.
    async fn known(&self) -> Result<Arc<Known>, ProviderError> {
        let found = self.known.try_get_with((), self.discover()).await;
        found.map_err(|error: Arc<ProviderError>| ProviderError::clone(&error))
    }

    async fn ask_again(&self) -> Result<Arc<Known>, ProviderError> {
        let known = self.discover().await?;
        self.known.insert((), known.clone()).await;
        Ok(known)
    }

    async fn discover(&self) -> Result<Arc<Known>, ProviderError> {
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http())
            .await
            .map_err(|error| ProviderError::Away(why(&error)))?;
        let algorithms: Vec<_> = metadata
            .id_token_signing_alg_values_supported()
            .iter()
            .filter(|algorithm| !algorithm.uses_shared_secret())
            .cloned()
            .collect();
        let keys = metadata.jwks().keys().len();
        let methods = metadata.token_endpoint_auth_methods_supported().cloned().unwrap_or_default();
        // By the header (client_secret_basic) unless it asks for the other way.
        let has = |method| methods.contains(&method);
        let in_body = has(CoreClientAuthMethod::ClientSecretPost) && !has(CoreClientAuthMethod::ClientSecretBasic);
        let (id, secret) = (
            ClientId::new(self.config.client_id.clone()),
            ClientSecret::new(self.config.client_secret.expose_secret().to_owned()),
        );
        let client = KnownClient::from_provider_metadata(metadata, id, Some(secret))
            .set_redirect_uri(self.return_address.clone())
            .set_auth_type(if in_body { AuthType::RequestBody } else { AuthType::BasicAuth });
        Ok(Arc::new(Known { client, algorithms, keys }))
    }

    /// As the crate for OpenID Connect asks.
    fn http(&self) -> impl Fn(HttpRequest) -> HttpFuture + use<> {
        let http = self.http.clone();
        move |request| Box::pin(send(http.clone(), request))
    }
}

type HttpFuture = futures::future::BoxFuture<'static, Result<HttpResponse, HttpError>>;

#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error("an answer of more than {MOST} bytes")]
    TooLarge,
}

async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let mut response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    while let Some(chunk) = response.chunk().await? {
        if answer.body().len() + chunk.len() > MOST {
            return Err(HttpError::TooLarge);
        }
        answer.body_mut().extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// An error with what has caused it, on one line.
fn why(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
