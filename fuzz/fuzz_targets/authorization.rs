//! Authorization requests, brought by a browser or pushed by the service: the query or the form as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porteplume::provider::{
    Answerer, AskedMandate, AuthorizationRequest, AuthorizeError, ClientRegistration, Params, ParamsError,
    Pkce, Profile, Prompt, ResponseMode, ReturnAddress, client_of, pushed_reference,
};
use porteplume_fuzz::{CLIENTS, ISSUER, KEY, NOW, REDIRECTS};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use url::form_urlencoded;

/// What the parameters must be, read by somebody else: by name, every value that is not empty.
fn values(raw: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(raw).filter(|(_, value)| !value.is_empty()) {
        values.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    values
}

fn check_params(raw: &[u8], params: &Params) {
    let values = values(raw);
    for (name, values) in &values {
        assert_eq!(params.get(name), values.first().map(String::as_str));
        assert_eq!(params.is_repeated(name), values.len() > 1);
        let text = |text: &str| !text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER);
        assert!(text(name) && values.iter().all(|value| text(value)));
    }
    assert_eq!(params.has_repeated(), values.values().any(|values| values.len() > 1));
    // Kept until its answer and read again, a request is the same.
    let first = values.iter().filter_map(|(name, values)| Some((name.as_str(), values.first()?.as_str())));
    match Params::of(first) {
        Ok(again) => {
            assert!(values.keys().all(|name| again.get(name) == params.get(name)));
            assert!(!again.has_repeated());
        }
        // Escaping triples a byte at most.
        Err(error) => assert!(error == ParamsError::TooLarge && raw.len() * 3 > Params::MAX_BYTES),
    }
}

/// An answer goes to an address that is registered and asked for, with the state as it came.
fn check_address(to: &ReturnAddress, params: &Params) {
    assert!(REDIRECTS.contains(&to.redirect_uri.as_str()));
    assert_eq!(params.get("redirect_uri"), Some(to.redirect_uri.as_str()));
    assert_eq!(params.get("state"), to.state.as_deref());
    assert!(
        to.state.iter().all(|state| state.len() <= 512 && state.bytes().all(|b| (0x20..0x7f).contains(&b)))
    );
}

fn check_request(request: &AuthorizationRequest, params: &Params, client: &ClientRegistration) {
    assert_eq!(request.client, *client.id());
    assert_eq!(client_of(params).as_ref(), Ok(client.id()));
    check_address(&request.to, params);
    assert!(!params.has_repeated());
    for unsupported in ["request", "request_uri", "registration"] {
        assert_eq!(params.get(unsupported), None, "ignored, it would count as heard");
    }
    assert_eq!(params.get("response_type"), Some("code"));
    assert!(request.scope.claims().is_subset(&client.draft().claims));
    assert!(params.get("scope").is_some_and(|scope| scope.split(' ').any(|word| word == "openid")));
    assert_eq!(request.code_challenge.as_ref().map(|c| c.as_str()), params.get("code_challenge"));
    assert!(request.code_challenge.is_some() || client.pkce() == Pkce::Exempt);
    assert!(request.code_challenge.is_none() || params.get("code_challenge_method") == Some("S256"));
    assert!(!request.is_silent() || request.prompt.len() == 1);
    assert_eq!(request.is_silent(), request.prompt.contains(&Prompt::None));
    assert_eq!(request.nonce.as_deref(), params.get("nonce"));
    assert_eq!(request.id_token_hint.as_deref(), params.get("id_token_hint"));
    assert_eq!(request.bound_to.as_ref().map(|key| key.as_str()), params.get("dpop_jkt"));
    assert_eq!(
        request.max_age.map(|age| age.whole_seconds()),
        params.get("max_age").map(|age| age.parse().unwrap())
    );
    let asked = params.get("authorization_details").map(AskedMandate::parse).transpose();
    let mut asked = asked.expect("it was read").unwrap_or_default();
    if client.profile() == Profile::FranceConnect {
        asked.themes = themes(params.get("claims"));
        let known = [
            "client_id",
            "scope",
            "response_type",
            "redirect_uri",
            "acr_values",
            "nonce",
            "state",
            "prompt",
            "claims",
        ];
        let others = [
            "code_challenge",
            "max_age",
            "dpop_jkt",
            "response_mode",
            "authorization_details",
            "id_token_hint",
            "x",
        ];
        assert!(others.iter().all(|other| params.get(other).is_none()), "{known:?} and no other");
        assert!(request.prompt.contains(&Prompt::Login) && !request.is_silent());
    }
    assert_eq!(request.asked, asked);
    let mode = params.get("response_mode");
    assert_eq!(request.to.mode == ResponseMode::Jwt, mode.is_some_and(|mode| mode.ends_with("jwt")));
}

/// The themes FranceConnect asks for, read by somebody else.
fn themes(claims: Option<&str>) -> BTreeSet<String> {
    let claims: Value = claims.map_or(Value::Null, |claims| serde_json::from_str(claims).expect("JSON"));
    let values = &claims["id_token"]["rep_scope"]["values"];
    values.as_array().into_iter().flatten().map(|label| label.as_str().expect("a label").to_owned()).collect()
}

fn check(params: &Params, client: &ClientRegistration) {
    let request = AuthorizationRequest::check(params, client);
    match &request {
        Ok(request) => check_request(request, params, client),
        Err(AuthorizeError::Page(_)) => {}
        Err(AuthorizeError::Redirect(answer)) => {
            check_address(&answer.to, params);
            let by = Answerer { issuer: &ISSUER, client: client.id(), key: &KEY, now: NOW };
            let location = answer.location(&by).expect("a signature at most");
            assert!(location.starts_with(answer.to.redirect_uri.as_str()));
            let location = url::Url::parse(&location).expect("an address");
            let said =
                |name: &str| location.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
            if answer.to.mode == ResponseMode::Jwt {
                assert!(said("response").is_some() && said("error").is_none(), "one signed answer");
            } else {
                assert_eq!(said("state"), answer.to.state);
                assert_eq!(said("iss").as_deref(), Some(ISSUER.as_str()));
                assert_eq!(said("error").as_deref(), Some(answer.code.as_str()));
            }
        }
    }
    // The other two ways in are no kinder.
    let direct = AuthorizationRequest::check_direct(params, client);
    match client.profile() {
        Profile::Oidc | Profile::FranceConnect => assert_eq!(direct, request),
        Profile::Fapi2 => assert!(direct.is_err(), "its requests must be pushed"),
    }
    match AuthorizationRequest::check_pushed(params, client, None) {
        Ok(pushed) => assert_eq!(Ok(pushed), request),
        Err(_) => assert!(request.is_err()),
    }
}

fuzz_target!(|raw: &[u8]| {
    let Ok(params) = Params::parse(raw) else { return };
    check_params(raw, &params);
    if let Ok(Some(_)) = pushed_reference(&params) {
        assert!(
            params
                .get("request_uri")
                .is_some_and(|uri| uri.starts_with("urn:ietf:params:oauth:request_uri:"))
        );
    }
    for client in CLIENTS.iter() {
        check(&params, client);
    }
});
