//! The authorization request (OpenID Connect Core, section 3.1.2) and where its answer may go.
//!
//! Two kinds of refusal, told apart by type: before client and redirect URI are known to be a registered pair, nothing may
//! be sent anywhere ([`AuthorizeError::Page`]); afterwards the client is told ([`AuthorizeError::Redirect`]).

use super::claim::Scope;
use super::details::AskedMandate;
use super::dpop::Thumbprint;
use super::options::Pkce;
use super::params::{Params, ParamsError, is_visible_ascii};
use super::pkce::CodeChallenge;
use super::registration::{ClientRegistration, RedirectUri};
use super::rep_scope::asked_themes;
use super::request_object::RequestObjectError;
use super::response::{AuthorizeCode, ErrorAnswer, ResponseMode};
use crate::mandate::{ClientId, Instant};
use std::collections::BTreeSet;
use thiserror::Error;
use time::Duration;

/// The longest `state` and `nonce`, in characters. Longer ones are refused, never cut.
pub(super) const MAX_STATE: usize = 512;
/// The longest `id_token_hint`, in characters.
const MAX_HINT: usize = 4096;
/// The longest list of languages or levels, in characters.
const MAX_LIST: usize = 256;

/// Why a request gets an error page of ours and never a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PageError {
    /// The request cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ParamsError),
    /// `client_id`, `redirect_uri` or `state` stands more than once.
    #[error("a parameter stands more than once")]
    Repeated,
    /// `client_id` is absent, malformed or not registered.
    #[error("the service is not registered here")]
    UnknownClient,
    /// `redirect_uri` is absent or not registered exactly.
    #[error("the return address is not registered for this service")]
    UnregisteredRedirectUri,
    /// What `request_uri` refers to was used, is too old, was never pushed, or another client pushed it (RFC 9126, section 4).
    #[error("the request is used up, too old or another service's")]
    RequestUri,
    /// The request object is none, or is missing.
    #[error(transparent)]
    RequestObject(#[from] RequestObjectError),
    /// `state` is too long or not printable ASCII, so it could not be given back.
    #[error("the state cannot be given back")]
    UnusableState,
}

impl PageError {
    /// Stable code, shown beside the message and journaled.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable(error) => error.code(),
            Self::Repeated => "parameter_repeated",
            Self::UnknownClient => "client_unknown",
            Self::UnregisteredRedirectUri => "redirect_uri_unregistered",
            Self::RequestUri => "invalid_request_uri",
            Self::RequestObject(error) => error.code(),
            Self::UnusableState => "state_unusable",
        }
    }
}

/// Why an authorization request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthorizeError {
    /// Show a page; send nothing anywhere.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Tell the client, at its registered address.
    #[error("{}", .0.description)]
    Redirect(ErrorAnswer),
}

/// One value of `prompt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prompt {
    /// No page may be shown: succeed silently or fail.
    None,
    /// The aidant authenticates again.
    Login,
    /// The choice is confirmed; it always is.
    Consent,
    /// The usager is chosen afresh.
    SelectAccount,
}

impl Prompt {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }
}

/// Where and how an answer goes: the part of a request that stays needed until its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnAddress {
    /// The registered redirect URI.
    pub redirect_uri: RedirectUri,
    /// The client's `state`, given back unchanged.
    pub state: Option<String>,
    /// Plain, or signed.
    pub mode: ResponseMode,
}

/// A request that may go on to the aidant's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The client.
    pub client: ClientId,
    /// Where the answer goes.
    pub to: ReturnAddress,
    /// What is granted of the scope asked for.
    pub scope: Scope,
    /// Given back in the ID token, unchanged.
    pub nonce: Option<String>,
    /// What the code's verifier must meet.
    pub code_challenge: Option<CodeChallenge>,
    /// Values of `prompt`; [`Prompt::None`] stands alone.
    pub prompt: BTreeSet<Prompt>,
    /// How old the aidant's authentication may be.
    pub max_age: Option<Duration>,
    /// Languages asked for, first the best liked.
    pub ui_locales: Vec<String>,
    /// Levels asked for, first the best liked. A wish, not a demand (OpenID Connect Core, section 3.1.2.1).
    pub acr_values: Vec<String>,
    /// An ID token given earlier; to be verified before use.
    pub id_token_hint: Option<String>,
    /// The key that its code, and so its tokens, are bound to (RFC 9449, section 10).
    pub bound_to: Option<Thumbprint>,
    /// What the service narrows the choice to.
    pub asked: AskedMandate,
}

/// The client a request names, to look its registration up.
///
/// # Errors
/// [`PageError`] when it names none, or two.
pub fn client_of(params: &Params) -> Result<ClientId, PageError> {
    if params.is_repeated("client_id") {
        return Err(PageError::Repeated);
    }
    params.get("client_id").and_then(|id| ClientId::parse(id).ok()).ok_or(PageError::UnknownClient)
}

impl AuthorizationRequest {
    /// Checks a request against the registration of the client it names ([`client_of`]).
    ///
    /// # Errors
    /// [`AuthorizeError`], the first rule that does not hold.
    pub fn check(params: &Params, client: &ClientRegistration) -> Result<Self, AuthorizeError> {
        if client_of(params)? != *client.id() {
            return Err(PageError::UnknownClient.into());
        }
        let to = return_address(params, client)?;
        supported(params)
            .and_then(|()| known(params, client))
            .and_then(|()| Self::read(params, client, to.clone()))
            .map_err(|(code, description)| AuthorizeError::Redirect(ErrorAnswer { to, code, description }))
    }

    fn read(params: &Params, client: &ClientRegistration, to: ReturnAddress) -> Result<Self, Refused> {
        let scope = client
            .grant(params.get("scope").unwrap_or_default())
            .map_err(|_| (AuthorizeCode::InvalidScope, "the scope must contain openid"))?;
        let mut asked =
            params.get("authorization_details").map(AskedMandate::parse).transpose().map_err(|_| {
                let description =
                    "authorization_details must be one entry of type mandate with known members";
                (AuthorizeCode::InvalidAuthorizationDetails, description)
            })?;
        let rules = client.profile().rules();
        let mut prompt = prompt(params)?;
        if rules.parameters.is_some() {
            let themes = asked_themes(params.get("claims"));
            let themes =
                themes.map_err(|_| invalid("claims must ask for rep_scope with a list of labels"))?;
            asked.get_or_insert_default().themes = themes;
        }
        if rules.fresh_sign_in && prompt.contains(&Prompt::None) {
            return Err(invalid("this client's requests are never silent"));
        }
        if rules.fresh_sign_in {
            prompt.insert(Prompt::Login);
        }
        Ok(Self {
            client: client.id().clone(),
            to,
            scope,
            nonce: bounded(params, "nonce", MAX_STATE)?,
            code_challenge: challenge(params, client.pkce())?,
            prompt,
            max_age: max_age(params)?,
            ui_locales: list(params, "ui_locales")?,
            acr_values: list(params, "acr_values")?,
            id_token_hint: bounded(params, "id_token_hint", MAX_HINT)?,
            bound_to: bound_to(params)?,
            asked: asked.unwrap_or_default(),
        })
    }

    /// Whether no page may be shown.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.prompt.contains(&Prompt::None)
    }

    /// Whether the aidant must authenticate (again) before this request, received at `received_at`, may be
    /// answered. Whoever authenticated since then has met `prompt=login` and any `max_age`.
    #[must_use]
    pub fn demands_login(&self, authenticated_at: Option<Instant>, received_at: Instant) -> bool {
        let Some(authenticated_at) = authenticated_at else { return true };
        if authenticated_at >= received_at {
            return false;
        }
        let age = received_at.since(authenticated_at);
        self.prompt.contains(&Prompt::Login) || self.max_age.is_some_and(|max| age > max)
    }
}

fn return_address(params: &Params, client: &ClientRegistration) -> Result<ReturnAddress, PageError> {
    // A repeated `state` could only be given back wrongly, so it counts among these two.
    if params.is_repeated("redirect_uri") || params.is_repeated("state") {
        return Err(PageError::Repeated);
    }
    let redirect_uri = params
        .get("redirect_uri")
        .and_then(|asked| client.redirect_uri(asked))
        .ok_or(PageError::UnregisteredRedirectUri)?;
    let state = params.get("state").map(str::to_owned);
    if state.as_deref().is_some_and(|state| !is_visible_ascii(state, MAX_STATE)) {
        return Err(PageError::UnusableState);
    }
    // One that is not known is told plainly that it is not.
    let mode = params.get("response_mode").and_then(ResponseMode::parse).unwrap_or_default();
    Ok(ReturnAddress { redirect_uri, state, mode })
}

type Refused = (AuthorizeCode, &'static str);

/// Refuses what discovery says is not supported: ignoring `request` silently would leave the client
/// believing that what it signed was heard.
fn supported(params: &Params) -> Result<(), Refused> {
    if params.has_repeated() {
        return Err((AuthorizeCode::InvalidRequest, "a parameter stands more than once"));
    }
    if params.get("request").is_some() {
        return Err((AuthorizeCode::RequestNotSupported, "this client has no keys to sign requests with"));
    }
    if params.get("request_uri").is_some() {
        return Err((AuthorizeCode::RequestUriNotSupported, "request_uri is not supported"));
    }
    if params.get("registration").is_some() {
        return Err((AuthorizeCode::RegistrationNotSupported, "registration is not supported"));
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err((AuthorizeCode::UnsupportedResponseType, "only response_type=code is supported"));
        }
        None => return Err((AuthorizeCode::InvalidRequest, "response_type is missing")),
    }
    match params.get("response_mode") {
        Some(mode) if ResponseMode::parse(mode).is_none() => {
            Err((AuthorizeCode::InvalidRequest, "response_mode must be query, jwt or query.jwt"))
        }
        _ => Ok(()),
    }
}

/// Refuses a parameter that the client's profile does not know.
fn known(params: &Params, client: &ClientRegistration) -> Result<(), Refused> {
    match client.profile().rules().parameters {
        Some(known) if params.names().any(|name| !known.contains(&name)) => {
            Err(invalid("a parameter is not one of this client's profile"))
        }
        _ => Ok(()),
    }
}

const fn invalid(description: &'static str) -> Refused {
    (AuthorizeCode::InvalidRequest, description)
}

fn challenge(params: &Params, pkce: Pkce) -> Result<Option<CodeChallenge>, Refused> {
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (None, None) if pkce == Pkce::Exempt => Ok(None),
        (None, _) => Err(invalid("code_challenge is missing: PKCE with S256 is demanded")),
        // Without a method the standard means `plain`, which shows the verifier to whoever sees the request.
        (Some(text), Some("S256")) => CodeChallenge::parse(text)
            .map(Some)
            .map_err(|_| invalid("code_challenge must be 43 characters of base64url")),
        (Some(_), _) => Err(invalid("code_challenge_method must be S256")),
    }
}

fn prompt(params: &Params) -> Result<BTreeSet<Prompt>, Refused> {
    let known = |word: &str| Prompt::ALL.into_iter().find(|prompt| prompt.as_str() == word);
    let words = params.get("prompt").unwrap_or_default().split(' ').filter(|word| !word.is_empty());
    let values: BTreeSet<Prompt> = words
        .map(|word| known(word).ok_or_else(|| invalid("prompt holds an unknown value")))
        .collect::<Result<_, _>>()?;
    if values.contains(&Prompt::None) && values.len() > 1 {
        return Err(invalid("prompt=none must stand alone"));
    }
    Ok(values)
}

fn max_age(params: &Params) -> Result<Option<Duration>, Refused> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(seconds) if digits => Ok(Some(Duration::seconds(seconds.into()))),
        _ => Err(invalid("max_age must be a number of seconds")),
    }
}

fn bound_to(params: &Params) -> Result<Option<Thumbprint>, Refused> {
    let asked = params.get("dpop_jkt");
    asked
        .map(|jkt| Thumbprint::parse(jkt).ok_or_else(|| invalid("dpop_jkt is no SHA-256 thumbprint")))
        .transpose()
}

fn bounded(params: &Params, name: &str, max: usize) -> Result<Option<String>, Refused> {
    match params.get(name) {
        Some(text) if !is_visible_ascii(text, max) => {
            Err(invalid("a parameter is too long or not printable ASCII"))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

fn list(params: &Params, name: &str) -> Result<Vec<String>, Refused> {
    let text = bounded(params, name, MAX_LIST)?.unwrap_or_default();
    Ok(text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CHALLENGE, NOW, REDIRECT, answerer, client, params};
    use super::*;
    use proptest::prelude::*;

    /// A request that is in order, changed: `(name, value)` sets, an empty value removes.
    fn request(changes: &[(&str, &str)]) -> Params {
        let mut pairs = vec![
            ("client_id", "caisse"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid given_name"),
            ("state", "s p&="),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        pairs.extend(changes);
        Params::of(pairs).unwrap()
    }

    fn check(changes: &[(&str, &str)]) -> Result<AuthorizationRequest, AuthorizeError> {
        AuthorizationRequest::check(&request(changes), &client())
    }

    fn told(changes: &[(&str, &str)]) -> AuthorizeCode {
        match check(changes) {
            Err(AuthorizeError::Redirect(answer)) => answer.code,
            other => panic!("{changes:?}: {other:?}"),
        }
    }

    fn page(changes: &[(&str, &str)]) -> PageError {
        match check(changes) {
            Err(AuthorizeError::Page(error)) => error,
            other => panic!("{changes:?}: {other:?}"),
        }
    }

    #[test]
    fn oidcc_server() {
        let request = check(&[]).unwrap();
        assert_eq!(request.nonce.as_deref(), Some("n-0S6_WzA2Mj"));
        assert_eq!(
            request.to.success(&answerer(), "SplxlOBeZQQYbYS6WxSbIA").unwrap(),
            "https://caisse.example/cb?dummy1=lorem&code=SplxlOBeZQQYbYS6WxSbIA&state=s+p%26%3D&iss=https%3A%2F%2Fporteplume.example"
        );
    }

    #[test]
    fn user_rejects_authentication() {
        let to = check(&[]).unwrap().to;
        let answer =
            ErrorAnswer { to, code: AuthorizeCode::AccessDenied, description: "the aidant declined" };
        assert_eq!(
            answer.location(&answerer()).unwrap(),
            "https://caisse.example/cb?dummy1=lorem&error=access_denied&error_description=the+aidant+declined\
             &state=s+p%26%3D&iss=https%3A%2F%2Fporteplume.example"
        );
    }

    #[test]
    fn oidcc_response_type_missing() {
        assert_eq!(told(&[("response_type", "")]), AuthorizeCode::InvalidRequest);
        for other in ["token", "id_token", "code id_token", "code token", "none"] {
            assert_eq!(told(&[("response_type", other)]), AuthorizeCode::UnsupportedResponseType, "{other}");
        }
    }

    #[test]
    fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
        assert_eq!(check(&[("nonce", "")]).unwrap().nonce, None);
    }

    #[test]
    fn ensure_authorization_request_without_state_success() {
        let request = check(&[("state", "")]).unwrap();
        assert!(!request.to.success(&answerer(), "c").unwrap().contains("state="));
    }

    #[test]
    fn oidcc_alternate_happy_flow() {
        let request = check(&[("scope", "birthdate given_name openid email")]).unwrap();
        assert_eq!(request.scope.to_string(), "openid given_name birthdate email");
    }

    #[test]
    fn oidcc_ensure_request_with_unknown_parameter_succeeds() {
        for harmless in [
            ("extra", "foobar"),
            ("display", "page"),
            ("display", "popup"),
            ("login_hint", "someone@example.org"),
            ("claims_locales", "se"),
            ("claims", r#"{"userinfo":{"name":{"essential":true}}}"#),
            ("ui_locales", "se fr-FR en"),
            ("acr_values", "1 eidas1"),
            ("id_token_hint", "not.a.token"),
            ("response_mode", "query"),
        ] {
            assert!(check(&[harmless]).is_ok(), "{harmless:?}");
        }
        assert_eq!(check(&[("ui_locales", "se fr-FR en")]).unwrap().ui_locales, ["se", "fr-FR", "en"]);
    }

    #[test]
    fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
        assert_eq!(told(&[("request", "e30.e30.")]), AuthorizeCode::RequestNotSupported);
        assert_eq!(told(&[("request_uri", "urn:x")]), AuthorizeCode::RequestUriNotSupported);
        assert_eq!(told(&[("registration", "{}")]), AuthorizeCode::RegistrationNotSupported);
    }

    #[test]
    fn oidcc_ensure_registered_redirect_uri() {
        for other in [
            "",
            "https://caisse.example/cb",
            "https://caisse.example/cb?dummy1=lorem&dummy2=ipsum",
            "https://caisse.example/cb?dummy1=lorem/path",
            "https://caisse.example/CB?dummy1=lorem",
            "https://CAISSE.example/cb?dummy1=lorem",
            "https://caisse.example:443/cb?dummy1=lorem",
            "https://caisse.example/x/../cb?dummy1=lorem",
            "https://caisse.example/cb?dummy1=lorem#",
            "https://caisse.example/post_logout_redirect",
            "https://evil.example/cb?dummy1=lorem",
            "//evil.example",
        ] {
            assert_eq!(page(&[("redirect_uri", other)]), PageError::UnregisteredRedirectUri, "{other}");
        }
    }

    #[test]
    fn oidcc_ensure_request_object_with_redirect_uri() {
        let changes = [("redirect_uri", "https://evil.example/"), ("request", "e30.e30.")];
        assert_eq!(page(&changes), PageError::UnregisteredRedirectUri);
    }

    #[test]
    fn another_client_or_none_gets_a_page() {
        for other in ["", "other", "CAISSE", "' or 1=1 --"] {
            assert_eq!(page(&[("client_id", other)]), PageError::UnknownClient, "{other}");
        }
    }

    #[test]
    fn what_cannot_be_given_back_gets_a_page() {
        let (long, longest) = ("s".repeat(MAX_STATE + 1), "s".repeat(MAX_STATE));
        assert_eq!(page(&[("state", &long)]), PageError::UnusableState);
        assert_eq!(page(&[("state", "é")]), PageError::UnusableState);
        assert!(
            check(&[("state", &longest)]).unwrap().to.success(&answerer(), "c").unwrap().contains(&longest)
        );
    }

    #[test]
    fn ensure_authorization_request_with_long_nonce() {
        let (long, longest) = ("n".repeat(MAX_STATE + 1), "n".repeat(MAX_STATE));
        assert_eq!(check(&[("nonce", &longest)]).unwrap().nonce, Some(longest));
        assert_eq!(told(&[("nonce", &long)]), AuthorizeCode::InvalidRequest);
    }

    #[test]
    fn a_repeated_parameter_is_refused() {
        for name in ["client_id", "redirect_uri", "state"] {
            let raw = format!("{name}=x&{name}=x&client_id=caisse");
            let refused = AuthorizationRequest::check(&params(&raw), &client());
            assert!(matches!(refused, Err(AuthorizeError::Page(_))), "{name}");
        }
        for name in ["scope", "nonce", "code_challenge", "extra"] {
            assert_eq!(told(&[(name, "x"), (name, "x")]), AuthorizeCode::InvalidRequest, "{name}");
        }
    }

    #[test]
    fn par_ensure_pkce_required() {
        assert_eq!(
            told(&[("code_challenge", ""), ("code_challenge_method", "")]),
            AuthorizeCode::InvalidRequest
        );
        assert_eq!(told(&[("code_challenge", "short")]), AuthorizeCode::InvalidRequest);
    }

    #[test]
    fn par_plain_pkce_rejected() {
        for method in ["", "plain", "s256", "S512"] {
            assert_eq!(told(&[("code_challenge_method", method)]), AuthorizeCode::InvalidRequest, "{method}");
        }
    }

    #[test]
    fn malformed_wishes_are_told_to_the_client() {
        for (change, code) in [
            (("scope", ""), AuthorizeCode::InvalidScope),
            (("scope", "given_name"), AuthorizeCode::InvalidScope),
            (("prompt", "none login"), AuthorizeCode::InvalidRequest),
            (("prompt", "create"), AuthorizeCode::InvalidRequest),
            (("max_age", "-1"), AuthorizeCode::InvalidRequest),
            (("max_age", "+1"), AuthorizeCode::InvalidRequest),
            (("max_age", "1.5"), AuthorizeCode::InvalidRequest),
            (("max_age", "99999999999"), AuthorizeCode::InvalidRequest),
            (("response_mode", "fragment"), AuthorizeCode::InvalidRequest),
            (("response_mode", "form_post"), AuthorizeCode::InvalidRequest),
            (("authorization_details", "[{}]"), AuthorizeCode::InvalidAuthorizationDetails),
        ] {
            assert_eq!(told(&[change]), code, "{change:?}");
        }
    }

    #[test]
    fn oidcc_prompt_login() {
        let request = check(&[("prompt", "consent login")]).unwrap();
        assert!(request.demands_login(Some(NOW), NOW.plus(Duration::seconds(1))));
        assert!(!request.demands_login(Some(NOW.plus(Duration::seconds(2))), NOW.plus(Duration::seconds(1))));
        assert!(!request.is_silent());
    }

    #[test]
    fn oidcc_prompt_none_not_logged_in() {
        let request = check(&[("prompt", "none")]).unwrap();
        assert!(request.is_silent());
        assert!(request.demands_login(None, NOW));
        assert!(!request.demands_login(Some(NOW.plus(Duration::hours(-1))), NOW));
    }

    #[test]
    fn oidcc_max_age_1() {
        let request = check(&[("max_age", "1")]).unwrap();
        assert!(request.demands_login(Some(NOW.plus(Duration::seconds(-2))), NOW));
        assert!(!request.demands_login(Some(NOW.plus(Duration::seconds(-1))), NOW));
        let strict = check(&[("max_age", "0")]).unwrap();
        assert!(strict.demands_login(Some(NOW.plus(Duration::milliseconds(-1))), NOW));
    }

    #[test]
    fn oidcc_max_age_10000() {
        let request = check(&[("max_age", "10000")]).unwrap();
        assert!(!request.demands_login(Some(NOW.plus(Duration::seconds(-9999))), NOW));
    }

    const NAMES: [&str; 16] = [
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "request",
        "authorization_details",
        "ui_locales",
        "acr_values",
        "iss",
    ];

    fn values() -> impl Strategy<Value = String> {
        let likely = vec![
            "caisse",
            REDIRECT,
            "https://evil.example/",
            "code",
            "openid",
            CHALLENGE,
            "S256",
            "none",
            "",
        ];
        prop_oneof![prop::sample::select(likely).prop_map(str::to_owned), "[ -~]{0,30}", "\\PC{0,9}"]
            // What stands for bytes that are not UTF-8 is tried in `params`.
            .prop_map(|value| value.replace(char::REPLACEMENT_CHARACTER, ""))
    }

    proptest! {
        #[test]
        fn an_answer_only_ever_goes_to_a_registered_address(
            changes in prop::collection::vec((prop::sample::select(NAMES.to_vec()), values()), 0..6)
        ) {
            let changes: Vec<_> = changes.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let params = request(&changes);
            let location = match AuthorizationRequest::check(&params, &client()) {
                Ok(request) => request.to.success(&answerer(), "code").unwrap(),
                Err(AuthorizeError::Redirect(answer)) => answer.location(&answerer()).unwrap(),
                Err(AuthorizeError::Page(_)) => return Ok(()),
            };
            let registered = [format!("{REDIRECT}&"), "https://caisse.example/other?".to_owned()];
            prop_assert!(registered.iter().any(|address| location.starts_with(address)), "{}", location);
            prop_assert!(location.bytes().all(|b| b.is_ascii_graphic()));
            let (_, query) = location.split_once('?').unwrap();
            let answer = Params::parse(query.as_bytes()).unwrap();
            prop_assert!(!answer.has_repeated());
            prop_assert_eq!(answer.get("state"), params.get("state"));
            prop_assert_eq!(answer.get("iss"), Some("https://porteplume.example"));
            prop_assert!(answer.get("code").is_some() != answer.get("error").is_some());
        }

        #[test]
        fn no_bytes_make_the_check_panic(raw in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(params) = Params::parse(&raw) {
                let _ = AuthorizationRequest::check(&params, &client());
            }
        }
    }
}
