//! What comes to the other endpoints: token, logout, introspection and revocation, and whatever takes an access token. The
//! first line is the `Authorization` header, none when it is empty; the rest is the form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porteplume::crypto::OpaqueToken;
use porteplume::provider::{
    AuthenticatedClient, CodeChallenge, Grant, Hint, IssuedCode, IssuedRefresh, LogoutDecision,
    LogoutRequest, LogoutSession, Params, RefreshRequest, Scheme, TokenRequest, asked_token, bearer,
};
use porteplume_fuzz::{AFTER_LOGOUT, CLIENTS, NOW, REDIRECTS, line};
use time::Duration;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn token(form: &Params) {
    let Ok(grant) = Grant::read(form) else { return };
    assert!(!form.has_repeated());
    match grant {
        Grant::Code(request) => code(&request, form),
        Grant::Refresh(request) => refresh(&request, form),
    }
}

fn refresh(request: &RefreshRequest, form: &Params) {
    assert_eq!(form.get("grant_type"), Some("refresh_token"));
    assert_eq!(Some(*request.token_hash()), form.get("refresh_token").map(OpaqueToken::hash_of));
    let client = CLIENTS[0].id();
    let by = AuthenticatedClient { client: client.clone(), assertion: None };
    let expires_at = NOW.plus(Duration::SECOND);
    let issued = IssuedRefresh { client, scope: "openid email", bound_to: None, expires_at, revoked: false };
    if let Ok(scope) = request.redeem(&by, issued, None, NOW) {
        let within = |word: &str| word.is_empty() || word == "openid" || word == "email";
        assert!(scope.split(' ').all(within) && scope.contains("openid"), "never wider: {scope}");
    }
    for harder in [
        IssuedRefresh { revoked: true, ..issued },
        IssuedRefresh { expires_at: NOW, ..issued },
        IssuedRefresh { bound_to: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"), ..issued },
    ] {
        assert!(request.redeem(&by, harder, None, NOW).is_err());
    }
}

fn code(request: &TokenRequest, form: &Params) {
    assert_eq!(form.get("grant_type"), Some("authorization_code"));
    assert_eq!(Some(request.code_hash()), form.get("code").map(OpaqueToken::hash_of));

    let client = CLIENTS[0].id();
    let challenge = CodeChallenge::parse(CHALLENGE).expect("a challenge");
    let by = AuthenticatedClient { client: client.clone(), assertion: None };
    let issued = IssuedCode {
        client,
        redirect_uri: REDIRECTS[0],
        challenge: Some(&challenge),
        bound_to: None,
        expires_at: NOW.plus(Duration::SECOND),
        used: false,
    };
    if request.redeem(&by, issued, None, NOW).is_ok() {
        assert_eq!(form.get("redirect_uri"), Some(REDIRECTS[0]));
        assert_eq!(form.get("code_verifier"), Some(VERIFIER));
    }
    for harder in [
        IssuedCode { used: true, ..issued },
        IssuedCode { expires_at: NOW, ..issued },
        IssuedCode { bound_to: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"), ..issued },
    ] {
        assert!(request.redeem(&by, harder, None, NOW).is_err());
    }
    let without = request.redeem(&by, IssuedCode { challenge: None, ..issued }, None, NOW);
    assert!(without.is_err() || form.get("code_verifier").is_none(), "a verifier for no challenge");
}

fn logout(form: &Params) {
    let Ok(request) = LogoutRequest::read(form) else { return };
    assert!(!form.has_repeated());
    let client = &CLIENTS[0];
    let hint = Hint { client: client.id().clone(), subject: "s".to_owned(), sid: "sid-1".to_owned() };
    for session in [LogoutSession::None, LogoutSession::Hinted, LogoutSession::Other] {
        for known in [None, Some(client)] {
            let decision = request.decide(None, known, session);
            assert!(!matches!(decision, LogoutDecision::LogoutThenRedirect(_)), "no hint, nowhere to go");
        }
        let decision = request.decide(Some(&hint), Some(client), session);
        let LogoutDecision::LogoutThenRedirect(location) = decision else { continue };
        assert_ne!(session, LogoutSession::Other);
        assert_eq!(form.get("post_logout_redirect_uri"), Some(AFTER_LOGOUT));
        let location = url::Url::parse(&location).expect("an address");
        let state =
            location.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned());
        assert_eq!(state.as_deref(), form.get("state"));
        assert_eq!(location.as_str().split('?').next(), Some(AFTER_LOGOUT));
    }
}

fn access_token(header: Option<&[u8]>, form: &Params) {
    let query = Params::default();
    if let Ok(shown) = bearer(header, &query, Some(form)) {
        let text = match header {
            Some(header) => {
                let (scheme, text) =
                    std::str::from_utf8(header).expect("text").split_once(' ').expect("two words");
                let dpop = scheme.eq_ignore_ascii_case("dpop");
                assert_eq!(dpop, shown.scheme == Scheme::Dpop);
                assert!(dpop || scheme.eq_ignore_ascii_case("bearer"));
                text.trim()
            }
            None => form.get("access_token").expect("one place for the token"),
        };
        assert!(header.is_none() || form.get("access_token").is_none(), "one place for the token");
        assert_eq!(shown.hash, OpaqueToken::hash_of(text));
        assert!(text.len() <= 256 && text.bytes().all(|b| b.is_ascii_graphic()));
    }
    if form.get("access_token").is_some() {
        assert!(bearer(header, form, None).is_err(), "addresses end up in logs");
    }
}

fuzz_target!(|data: &[u8]| {
    let (header, form) = line(data);
    let Ok(form) = Params::parse(form) else { return };
    token(&form);
    logout(&form);
    access_token((!header.is_empty()).then_some(header), &form);
    if let Ok(hash) = asked_token(&form) {
        assert_eq!(Some(hash), form.get("token").map(OpaqueToken::hash_of));
        assert!(!form.has_repeated());
    }
});
