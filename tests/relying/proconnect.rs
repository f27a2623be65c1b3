//! Porteplume and ProConnect (contract `franceconnect.md`, section 3), against a double as strict as the real one.

use super::strict::Must::{Page, Take, Tell};
use super::strict::{Row, check, drop_all, set};
use crate::sandbox::browser::Browser;
use crate::sandbox::{Sandbox, query};
use porteplume::demo::Flavour;
use porteplume::relying::{BeginOptions, RelyingError};
use serde_json::json;

const MISSHAPEN: &str = "Y000400";

#[tokio::test]
async fn the_double_takes_what_proconnect_takes_and_nothing_else() {
    let rows: [Row; 26] = [
        ("what we send, PKCE with S256 included", |_| (), Take),
        (
            "no PKCE",
            |p| ["code_challenge", "code_challenge_method"].iter().for_each(|n| drop_all(p, n)),
            Take,
        ),
        ("PKCE without a hash", |p| set(p, "code_challenge_method", "plain"), Tell("invalid_request")),
        ("an unnamed PKCE method", |p| drop_all(p, "code_challenge_method"), Tell("invalid_request")),
        ("no nonce", |p| drop_all(p, "nonce"), Take),
        ("a nonce of 512", |p| set(p, "nonce", &"n".repeat(512)), Take),
        ("a nonce of 513", |p| set(p, "nonce", &"n".repeat(513)), Page(MISSHAPEN)),
        ("an empty nonce", |p| set(p, "nonce", ""), Page(MISSHAPEN)),
        ("a nonce with an accent", |p| set(p, "nonce", "é"), Page(MISSHAPEN)),
        ("acr_values", |p| set(p, "acr_values", "eidas1"), Take),
        ("login_hint", |p| set(p, "login_hint", "a@example.org"), Take),
        ("a login_hint that is no address", |p| set(p, "login_hint", "nora"), Page(MISSHAPEN)),
        ("siret_hint", |p| set(p, "siret_hint", "21750001600019"), Take),
        ("a siret_hint of 13", |p| set(p, "siret_hint", "2175000160001"), Page(MISSHAPEN)),
        ("response_mode query", |p| set(p, "response_mode", "query"), Take),
        ("prompt=login", |p| set(p, "prompt", "login"), Take),
        ("prompt=none without a session", |p| set(p, "prompt", "none"), Tell("login_required")),
        ("no state", |p| drop_all(p, "state"), Page(MISSHAPEN)),
        ("no scope", |p| drop_all(p, "scope"), Page(MISSHAPEN)),
        ("no redirect_uri", |p| drop_all(p, "redirect_uri"), Page(MISSHAPEN)),
        ("no client_id", |p| drop_all(p, "client_id"), Page(MISSHAPEN)),
        ("no response_type", |p| drop_all(p, "response_type"), Page(MISSHAPEN)),
        ("max_age", |p| set(p, "max_age", "60"), Page(MISSHAPEN)),
        ("display", |p| set(p, "display", "page"), Page(MISSHAPEN)),
        ("ui_locales", |p| set(p, "ui_locales", "fr"), Page(MISSHAPEN)),
        ("a parameter of nobody's", |p| set(p, "anything", "1"), Page(MISSHAPEN)),
    ];
    let sandbox = Sandbox::start(Flavour::Agents).await;
    for row in rows {
        check(&sandbox, row).await;
    }
}

#[tokio::test]
async fn a_level_that_was_demanded_is_given_or_nobody_signs_in() {
    let demanded =
        json!({"id_token": {"amr": null, "acr": {"essential": true, "values": ["eidas2", "eidas3"]}}});
    let sandbox = Sandbox::with(Flavour::Agents, |provider| provider.claims = Some(demanded)).await;
    assert_eq!(sandbox.sign_in("thomas-keller").await.acr.as_deref(), Some("eidas2"));
    let browser = Browser::new();
    let begun = sandbox.begin(&BeginOptions::default()).await;
    let callback = sandbox.choose(&browser, &begun, "samir-haddad").await;
    assert_eq!(sandbox.complete(&begun, &callback).await.err(), Some(RelyingError::Denied));
    // Nor does the session that person now has there serve for it.
    let again = sandbox.begin(&BeginOptions::default()).await;
    let callback = sandbox.choose(&browser, &again, "thomas-keller").await;
    assert!(sandbox.complete(&again, &callback).await.is_ok());
    assert_eq!(query(&callback).iss.as_deref(), Some(sandbox.party.issuer()));
}

#[tokio::test]
async fn what_the_level_was_is_checked_here_whatever_was_asked_there() {
    let strong = vec!["eidas2".to_owned(), "eidas3".to_owned()];
    let sandbox = Sandbox::with(Flavour::Agents, |provider| provider.accepted_acr = strong).await;
    assert!(sandbox.sign_in("thomas-keller").await.proves_second_factor());
    let begun = sandbox.begin(&BeginOptions::default()).await;
    let callback = sandbox.choose(&Browser::new(), &begun, "samir-haddad").await;
    let refused = sandbox.complete(&begun, &callback).await.err();
    assert_eq!(refused.map(|error| error.code()), Some("id_token_acr"));
}
