//! Authorisation requests, read strictly.

use super::level::Level;
use super::shape::{fits, misshapen};
use super::{Flavour, Sandbox, SandboxClient};
use serde_json::Value;
use std::collections::BTreeMap;

/// The one identity provider behind this one, as `idp_hint` names it.
pub(super) const HINT: &str = "sandbox";

/// Whether the browser may be told of an error at the client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No: the request is misshapen, or the client or its address is wrong. The sandbox shows a page.
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
    pub(super) level: Level,
    /// Whether the ID token is to tell the methods.
    pub(super) amr: bool,
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
    /// Checks the request's shape, finds the client and checks the address, byte for byte.
    pub(super) fn addressed<'a>(
        &'a self,
        parameters: &'a BTreeMap<String, String>,
    ) -> Result<Addressed<'a>, Refusal> {
        if !fits(self.flavour, parameters) {
            return Err(Refusal::Page(misshapen(self.flavour)));
        }
        let client = parameters.get("client_id").and_then(|id| self.client(id));
        let client = client.ok_or(Refusal::Page("client_id"))?;
        let uri = parameters.get("redirect_uri").filter(|uri| client.redirect_uris.contains(uri));
        let redirect_uri = uri.ok_or(Refusal::Page("redirect_uri"))?;
        Ok(Addressed { parameters, client, redirect_uri })
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
        if self.get("response_type") != Some("code") {
            return Err(Refusal::Redirect("unsupported_response_type"));
        }
        if self.get("response_mode").is_some_and(|mode| mode != "query") {
            return Err(Refusal::Redirect("unsupported_response_mode"));
        }
        let scope = words("scope");
        if !scope.iter().any(|scope| scope == "openid") {
            return Err(Refusal::Redirect("invalid_scope"));
        }
        if self.get("idp_hint").is_some_and(|hint| hint != HINT) {
            return Err(Refusal::Redirect("invalid_idp_hint"));
        }
        let code_challenge = match (self.get("code_challenge"), self.get("code_challenge_method")) {
            (Some(challenge), Some("S256")) => Some(challenge.to_owned()),
            (None, None) => None,
            _ => return Err(Refusal::Redirect("invalid_request")),
        };
        let claims = serde_json::from_str(self.get("claims").unwrap_or("{}")).ok().filter(Value::is_object);
        let claims = claims.ok_or(Refusal::Redirect("invalid_request"))?;
        let level = if flavour.is_franceconnect() {
            Level::at_franceconnect(flavour, self.get("acr_values").unwrap_or_default())?
        } else {
            Level::at_proconnect(&claims)
        };
        Ok(AuthorizationRequest {
            client_id: self.client.client_id.clone(),
            redirect_uri: self.redirect_uri.to_owned(),
            scope,
            state: self.get("state").unwrap_or_default().to_owned(),
            nonce: self.get("nonce").map(str::to_owned),
            code_challenge,
            prompt: words("prompt"),
            level,
            amr: claims.pointer("/id_token/amr").is_some(),
            ui_locales: self.get("ui_locales").map(str::to_owned),
        })
    }
}
