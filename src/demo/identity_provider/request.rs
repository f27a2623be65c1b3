//! Authorisation requests, read strictly.

use super::{Flavour, Sandbox, SandboxClient};
use std::collections::BTreeMap;
use time::Duration;

/// FranceConnect takes these parameters and refuses any other (contract `franceconnect.md`, 2).
const CITIZENS_PARAMETERS: [&str; 11] = [
    "acr_values",
    "claims",
    "client_id",
    "idp_hint",
    "nonce",
    "prompt",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "ui_locales",
];
/// The shortest nonce FranceConnect takes.
const CITIZENS_NONCE: usize = 22;

/// Whether the browser may be told of an error at the client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No: the client or its address is wrong, or a parameter stands twice. The sandbox shows a page.
    Page(&'static str),
    /// Yes, with this OAuth code.
    Redirect(&'static str),
}

/// A request that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scope: Vec<String>,
    pub(super) state: String,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
    pub(super) prompt: Vec<String>,
    pub(super) max_age: Option<Duration>,
    pub(super) ui_locales: Option<String>,
}

/// The parameters of a query or a form, each at most once.
pub(super) fn parameters(text: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(parameters)
}

/// A request's client, its address and its parameters, before the rest is read.
pub(super) struct Addressed<'a> {
    parameters: &'a BTreeMap<String, String>,
    pub(super) client: &'a SandboxClient,
    pub(super) redirect_uri: &'a str,
}

impl Sandbox {
    /// Finds the client and checks the address, byte for byte.
    pub(super) fn addressed<'a>(
        &'a self,
        parameters: &'a BTreeMap<String, String>,
    ) -> Result<Addressed<'a>, Refusal> {
        let id = parameters.get("client_id").ok_or(Refusal::Page("client_id"))?;
        let client = self.client(id).ok_or(Refusal::Page("client_id"))?;
        let uri = parameters.get("redirect_uri").ok_or(Refusal::Page("redirect_uri"))?;
        if !client.redirect_uris.contains(uri) {
            return Err(Refusal::Page("redirect_uri"));
        }
        let strict = self.flavour == Flavour::Citizens;
        if strict && parameters.keys().any(|name| !CITIZENS_PARAMETERS.contains(&name.as_str())) {
            return Err(Refusal::Page("unknown_parameter"));
        }
        Ok(Addressed { parameters, client, redirect_uri: uri })
    }
}

impl Addressed<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Reads the rest.
    pub(super) fn read(&self, flavour: Flavour) -> Result<AuthorizationRequest, Refusal> {
        let words = |name: &str| -> Vec<String> {
            self.get(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        let state = self.get("state").ok_or(Refusal::Redirect("invalid_request"))?;
        if self.get("response_type") != Some("code") {
            return Err(Refusal::Redirect("unsupported_response_type"));
        }
        let scope = words("scope");
        if !scope.iter().any(|scope| scope == "openid") {
            return Err(Refusal::Redirect("invalid_scope"));
        }
        let nonce = self.get("nonce");
        if flavour == Flavour::Citizens && nonce.is_none_or(|nonce| nonce.len() < CITIZENS_NONCE) {
            return Err(Refusal::Redirect("invalid_request"));
        }
        let code_challenge = match (self.get("code_challenge"), self.get("code_challenge_method")) {
            (Some(challenge), Some("S256")) => Some(challenge.to_owned()),
            (None, None) => None,
            _ => return Err(Refusal::Redirect("invalid_request")),
        };
        let max_age = match self.get("max_age").map(str::parse::<u32>) {
            None => None,
            Some(Ok(seconds)) => Some(Duration::seconds(i64::from(seconds))),
            Some(Err(_)) => return Err(Refusal::Redirect("invalid_request")),
        };
        Ok(AuthorizationRequest {
            client_id: self.client.client_id.clone(),
            redirect_uri: self.redirect_uri.to_owned(),
            scope,
            state: state.to_owned(),
            nonce: nonce.map(str::to_owned),
            code_challenge,
            prompt: words("prompt"),
            max_age,
            ui_locales: self.get("ui_locales").map(str::to_owned),
        })
    }
}
