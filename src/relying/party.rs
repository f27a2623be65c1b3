//! The sign-in itself: where to send the browser, and what its callback is worth.

use super::error::oauth_code;
use super::metadata::{Metadata, MetadataCache};
use super::registration::Registration;
use super::verify::{Flow, accept};
use super::{HttpClient, HttpError, IdTokenFault, RelyingError, SignedIn};
use crate::clock::{Entropy, NoEntropy, random};
use crate::config::{Provider, UserinfoFormat};
use crate::crypto::SecretString;
use crate::mandate::Instant;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreIdToken, CoreTokenResponse,
};
use openidconnect::url::Url;
use openidconnect::{
    AuthenticationContextClass, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, LanguageTag, LogoutRequest, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, RedirectUrl, RequestTokenError, Scope,
    StandardErrorResponse, TokenResponse,
};
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;
use time::Duration;

/// How one sign-in is asked for.
#[derive(Clone, Default)]
pub struct BeginOptions {
    /// Demand that the person signs in anew (`prompt=login`), and check that they did.
    pub prompt_login: bool,
    /// Accept a sign-in at the provider no older than this (`max_age`), and check it. FranceConnect and ProConnect
    /// refuse the parameter.
    pub max_age: Option<Duration>,
    /// Languages of the provider's pages, preferred first (BCP 47).
    pub ui_locales: Vec<String>,
    /// The address the person says is theirs, for providers that take it. Personal data: for no log.
    pub login_hint: Option<String>,
}

/// A sign-in that was begun.
pub struct Begun {
    /// Where to send the browser.
    pub url: Url,
    /// What to remember for that browser, and for it alone (invariant 6).
    pub expected: Expected,
}

/// What the callback must fit. Kept with the browser's session, used once.
#[derive(Clone)]
pub struct Expected {
    /// The `state` sent: 32 random bytes.
    pub state: SecretString,
    /// The `nonce` sent: 32 random bytes.
    pub nonce: SecretString,
    /// The PKCE verifier, where the provider takes one.
    pub pkce_verifier: Option<SecretString>,
    /// When the sign-in was begun.
    pub begun_at: Instant,
    /// The earliest sign-in at the provider to accept; nothing accepts any.
    pub authenticated_since: Option<Instant>,
}

/// The query of a callback. It carries the code, so it has no `Debug`.
#[derive(Clone, Default, Deserialize)]
pub struct CallbackQuery {
    /// Authorisation code.
    pub code: Option<String>,
    /// The `state` we sent.
    pub state: Option<String>,
    /// The provider that answers (RFC 9207).
    pub iss: Option<String>,
    /// OAuth error code, instead of `code`.
    pub error: Option<String>,
}

/// `openidconnect`'s client, with what discovery gives.
pub(super) type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Porteplume at one provider. The provider is called when it is first needed, not before.
pub struct RelyingParty {
    name: Cow<'static, str>,
    pub(super) registration: Registration,
    pub(super) http: HttpClient,
    pub(super) metadata: MetadataCache,
}

impl RelyingParty {
    /// Porteplume as registered at the provider that logs call `name`, which sends browsers back to `redirect_uri`.
    ///
    /// # Errors
    /// [`RelyingError::Discovery`] when the issuer is no address.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        provider: Provider,
        redirect_uri: Url,
        http: HttpClient,
    ) -> Result<Self, RelyingError> {
        let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|_| RelyingError::Discovery)?;
        let metadata = MetadataCache::new(issuer.clone(), http.clone());
        Ok(Self {
            name: name.into(),
            registration: Registration { provider, issuer, redirect_uri },
            http,
            metadata,
        })
    }

    /// The provider's short name, for logs and metrics.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The provider's name as people know it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.registration.provider.label
    }

    /// The provider's issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.registration.provider.issuer
    }

    /// Checks that the provider answers and is who it should be (for `doctor` and readiness).
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn probe(&self, now: Instant) -> Result<(), RelyingError> {
        self.metadata.get(now).await.map(drop)
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    /// [`RelyingError::Http`] or [`RelyingError::Discovery`] when the provider is away and no recent copy of its
    /// metadata is kept; [`RelyingError::NoEntropy`].
    pub async fn begin(
        &self,
        entropy: &dyn Entropy,
        options: &BeginOptions,
        now: Instant,
    ) -> Result<Begun, RelyingError> {
        let oldest = if options.prompt_login { Some(Duration::ZERO) } else { options.max_age };
        let expected = Expected {
            state: fresh(entropy)?,
            nonce: fresh(entropy)?,
            pkce_verifier: if self.registration.provider.pkce { Some(fresh(entropy)?) } else { None },
            begun_at: now,
            authenticated_since: oldest.map(|age| now.plus(-age.abs())),
        };
        let metadata = self.metadata.get(now).await?;
        let url = self.authorization_url(&self.client(&metadata), &expected, options);
        Ok(Begun { url, expected })
    }

    fn authorization_url(&self, client: &Client, expected: &Expected, options: &BeginOptions) -> Url {
        let state = CsrfToken::new(expected.state.expose().to_owned());
        let nonce = Nonce::new(expected.nonce.expose().to_owned());
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .add_scopes(self.registration.provider.scopes.iter().cloned().map(Scope::new));
        for acr in &self.registration.provider.acr_values {
            request = request.add_auth_context_value(AuthenticationContextClass::new(acr.clone()));
        }
        for language in options.ui_locales.iter().filter(|_| self.registration.provider.ui_locales) {
            request = request.add_ui_locale(LanguageTag::new(language.clone()));
        }
        if let Some(hint) = options.login_hint.as_ref().filter(|_| self.registration.provider.login_hint) {
            request = request.add_extra_param("login_hint", hint.clone());
        }
        if let Some(claims) = &self.registration.provider.claims {
            request = request.add_extra_param("claims", claims.to_string());
        }
        if let Some(verifier) = &expected.pkce_verifier {
            let verifier = PkceCodeVerifier::new(verifier.expose().to_owned());
            request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        }
        if options.prompt_login {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        if let Some(max_age) = options.max_age {
            request = request.set_max_age(max_age.unsigned_abs());
        }
        let (url, ..) = request.url();
        url
    }

    /// Completes a sign-in: checks the callback, exchanges the code, verifies the ID token, fetches userinfo.
    ///
    /// # Errors
    /// [`RelyingError`]: whatever cannot be checked is refused.
    pub async fn complete(
        &self,
        query: &CallbackQuery,
        expected: &Expected,
        now: Instant,
    ) -> Result<SignedIn, RelyingError> {
        let state = query.state.clone().map(SecretString::new).ok_or(RelyingError::State)?;
        if state != expected.state {
            return Err(RelyingError::State);
        }
        let metadata = self.metadata.get(now).await?;
        let code = self.code(query, &metadata)?;
        let client = self.client(&metadata);
        let tokens = self.exchange(&client, code, expected).await?;
        let id_token = tokens.id_token().ok_or(IdTokenFault::Missing)?;
        let flow = Flow { registration: &self.registration, expected, now };
        let mut signed_in = match accept(&client, &flow, id_token, tokens.access_token()) {
            // Keys were changed since we last looked.
            Err(unknown @ IdTokenFault::UnknownKey) => {
                let newer = self.metadata.newer_than(&metadata, now).await?.ok_or(unknown)?;
                accept(&self.client(&newer), &flow, id_token, tokens.access_token())?
            }
            verified => verified?,
        };
        if self.registration.provider.userinfo != UserinfoFormat::None {
            let userinfo = self.userinfo(&signed_in.access_token, &signed_in.subject, now).await?;
            signed_in.complete_with(userinfo);
        }
        Ok(signed_in)
    }

    /// Where to send the browser to sign out at the provider as well; nothing when the provider has no such page.
    ///
    /// # Errors
    /// As [`Self::begin`]; [`IdTokenFault::Malformed`] when the hint is no ID token.
    pub async fn logout_url(
        &self,
        id_token_hint: &SecretString,
        return_to: &Url,
        state: Option<&SecretString>,
        now: Instant,
    ) -> Result<Option<Url>, RelyingError> {
        let metadata = self.metadata.get(now).await?;
        let Some(endpoint) = metadata.additional_metadata().end_session_endpoint.clone() else {
            return Ok(None);
        };
        self.http.check_url(endpoint.url())?;
        let hint: CoreIdToken = id_token_hint.expose().parse().map_err(|_| IdTokenFault::Malformed)?;
        let mut request = LogoutRequest::from(endpoint)
            .set_id_token_hint(&hint)
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::from_url(return_to.clone()));
        if let Some(state) = state {
            request = request.set_state(CsrfToken::new(state.expose().to_owned()));
        }
        Ok(Some(request.http_get_url()))
    }

    fn client(&self, metadata: &Metadata) -> Client {
        CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.registration.provider.client_id.clone()),
            Some(ClientSecret::new(self.registration.provider.client_secret.expose().to_owned())),
        )
        .set_auth_type(self.registration.auth_type())
        .set_redirect_uri(RedirectUrl::from_url(self.registration.redirect_uri.clone()))
    }

    /// The code of a callback that comes from the right provider and reports no error.
    fn code(
        &self,
        query: &CallbackQuery,
        metadata: &Arc<Metadata>,
    ) -> Result<AuthorizationCode, RelyingError> {
        let names_itself = metadata.additional_metadata().authorization_response_iss_parameter_supported;
        match query.iss.as_deref() {
            Some(issuer) if issuer != self.registration.issuer.as_str() => {
                return Err(RelyingError::CallbackIssuer);
            }
            None if names_itself => return Err(RelyingError::CallbackIssuer),
            _ => {}
        }
        match (query.error.as_deref(), query.code.as_deref()) {
            (Some("access_denied"), _) => Err(RelyingError::Denied),
            (Some(error), _) => Err(RelyingError::Provider(oauth_code(error))),
            (None, Some(code)) if !code.is_empty() => Ok(AuthorizationCode::new(code.to_owned())),
            (None, _) => Err(RelyingError::NoCode),
        }
    }

    async fn exchange(
        &self,
        client: &Client,
        code: AuthorizationCode,
        expected: &Expected,
    ) -> Result<CoreTokenResponse, RelyingError> {
        let mut request = client.exchange_code(code).map_err(|_| RelyingError::Discovery)?;
        if let Some(verifier) = &expected.pkce_verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        }
        request.request_async(&self.http).await.map_err(refused)
    }
}

fn refused(
    error: RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>,
) -> RelyingError {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            RelyingError::CodeRefused(oauth_code(answer.error().as_ref()))
        }
        RequestTokenError::Request(error) => error.into(),
        _ => RelyingError::TokenAnswer,
    }
}

/// 32 random bytes as text: within PKCE's bounds (43 to 128 characters), above FranceConnect's for `nonce` (22).
fn fresh(entropy: &dyn Entropy) -> Result<SecretString, NoEntropy> {
    random::<32>(entropy).map(|bytes| SecretString::new(URL_SAFE_NO_PAD.encode(bytes)))
}
