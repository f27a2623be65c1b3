//! The table of modules in `tests/README.md` is held to the tests that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What the tests here are named after, and the plans whose modules begin so.
const PREFIXES: [&str; 2] = ["fapi2_security_profile_final_", "oidcc_"];

/// The modules of `fapi2-security-profile-final-test-plan` that run for `plain_fapi`, `private_key_jwt`, `dpop` and
/// `openid_connect` (contract `openid.md`), without their prefix.
const FAPI2: &str = "\
    discovery-end-point-verification happy-flow user-rejects-authentication \
    ensure-authorization-request-without-state-success ensure-authorization-request-without-nonce-success \
    ensure-authorization-request-with-64-char-nonce-success ensure-other-scope-order-succeeds \
    test-claims-parameter-identity-claims access-token-type-header-case-sensitivity \
    check-dpop-proof-nbf-exp ensure-dpopproof-with-iat-10seconds-before-succeeds \
    ensure-dpopproof-with-iat-10seconds-after-succeeds ensure-mismatched-dpop-jkt-fails \
    ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt \
    ensure-token-endpoint-fails-with-mismatched-dpop-jkt ensure-dpopproof-at-par-endpoint-binding-success \
    ensure-dpop-auth-code-binding-success ensure-different-nonce-inside-and-outside-request-object \
    ensure-different-state-inside-and-outside-request-object ensure-authorization-request-with-long-nonce \
    ensure-authorization-request-with-long-state state-only-outside-request-object-not-used \
    ensure-request-object-without-redirect-uri-fails ensure-redirect-uri-in-authorization-request \
    plain-fapi-tolerate-unregistered-redirect-uri \
    ensure-unsigned-authorization-request-without-using-par-fails ensure-response-type-code-idtoken-fails \
    ensure-response-type-token-fails ensure-client-id-in-token-endpoint ensure-holder-of-key-required \
    ensure-authorization-code-is-bound-to-client attempt-reuse-authorization-code-after-one-second \
    ensure-token-endpoint-fails-with-expired-auth-code ensure-signed-client-assertion-with-RS256-fails \
    ensure-client-assertion-in-token-endpoint ensure-client-assertion-with-exp-is-5-minutes-in-past-fails \
    ensure-client-assertion-with-wrong-aud-fails ensure-client-assertion-with-no-sub-fails \
    dpop-negative-tests refresh-token par-ensure-reused-request-uri-prior-to-auth-completion-succeeds \
    par-attempt-reuse-request_uri par-attempt-to-use-expired-request_uri \
    par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted \
    par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails \
    par-attempt-to-use-request_uri-for-different-client \
    par-authorization-request-containing-request_uri-form-param par-attempt-invalid-http-method \
    par-ensure-pkce-required par-plain-pkce-rejected ensure-pkce-code-verifier-required \
    incorrect-pkce-code-verifier-rejected par-without-duplicate-parameters \
    par-test-array-as-audience-fails par-test-par-endpoint-url-as-audience-fails \
    par-test-token-endpoint-url-as-audience-fails";

/// What the modules of `fapi2-message-signing-final-test-plan` with `signed_non_repudiation` and `jarm` add to them.
const SIGNING: &str = "\
    ensure-request-object-with-multiple-aud-succeeds \
    ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted ensure-request-object-without-exp-fails \
    ensure-request-object-without-nbf-fails ensure-expired-request-object-fails \
    ensure-request-object-with-bad-aud-fails ensure-request-object-with-exp-over-60-fails \
    ensure-request-object-with-nbf-over-60-fails ensure-signed-request-object-with-RS256-fails \
    ensure-request-object-signature-algorithm-is-not-none ensure-request-object-with-invalid-signature-fails \
    ensure-matching-key-in-authorization-request ensure-unsigned-request-at-par-endpoint-fails \
    par-authorization-request-containing-request_uri";

/// The modules of the plans `oidcc-config`, `oidcc-basic`, `oidcc-rp-initiated-logout` and `oidcc-backchannel-rp-initiated-logout`
/// (contract `openid.md`), without their prefix.
const OIDCC: &str = "\
    discovery-endpoint-verification server response-type-missing idtoken-signature idtoken-unsigned userinfo-get \
    userinfo-post-header userinfo-post-body ensure-request-without-nonce-succeeds-for-code-flow scope-profile scope-email \
    scope-address scope-phone scope-all alternate-happy-flow display-page display-popup prompt-login \
    prompt-none-not-logged-in prompt-none-logged-in max-age-1 max-age-10000 \
    ensure-request-with-unknown-parameter-succeeds id-token-hint login-hint ui-locales claims-locales \
    ensure-request-with-acr-values-succeeds codereuse codereuse-30seconds ensure-registered-redirect-uri \
    ensure-post-request-succeeds server-client-secret-post \
    request-uri-unsigned-supported-correctly-or-rejected-as-unsupported \
    unsigned-request-object-supported-correctly-or-rejected-as-unsupported claims-essential \
    ensure-request-object-with-redirect-uri refresh-token ensure-request-with-valid-pkce-succeeds \
    rp-initiated-logout rp-initiated-logout-no-state rp-initiated-logout-bad-post-logout-redirect-uri \
    rp-initiated-logout-query-added-to-post-logout-redirect-uri rp-initiated-logout-no-id-token-hint \
    rp-initiated-logout-modified-id-token-hint rp-initiated-logout-bad-id-token-hint rp-initiated-logout-no-params \
    rp-initiated-logout-no-post-logout-redirect-uri rp-initiated-logout-only-state backchannel-rp-initiated-logout";

/// One row: module, test, state.
type Row = (String, String, String);

fn rows(page: &str) -> Vec<Row> {
    let (_, from) = page.split_once("## The conformance suite's modules").expect("the section");
    let (section, _) = from.split_once("\n## ").expect("the section's end");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned());
        let mut cell = || cells.next().unwrap_or_default();
        (cell(), cell(), cell())
    })
    .collect()
}

/// The tests of a folder that are named after modules.
fn tests(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|file| file.is_file()) {
        let text = fs::read_to_string(file).unwrap();
        for line in text.lines() {
            let name = line.trim_start().trim_start_matches("async fn ").trim_start_matches("fn ");
            let Some((name, rest)) = name.split_once('(') else { continue };
            let word = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if word && rest.contains(") {") && PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_module_has_its_row_and_every_row_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = rows(&fs::read_to_string(root.join("tests/README.md")).unwrap());
    let mut found = tests(&root.join("tests/openid/conformance"));
    found.extend(tests(&root.join("tests/openid")));
    let mut named = BTreeSet::new();
    let mut listed = BTreeSet::new();
    for (module, test, state) in &rows {
        assert!(listed.insert(module.as_str()), "{module} stands twice");
        let own = module.to_ascii_lowercase().replace('-', "_");
        match state.split_once(": ") {
            None if state == "passes" => {
                assert_eq!(*test, own, "{module} is tested under its own name");
                assert!(found.contains(test), "{test} does not exist");
                named.insert(test.clone());
            }
            Some(("not yet" | "does not apply", reason)) => {
                assert!(test.is_empty() && !reason.is_empty(), "{module}: a reason and no test");
                assert!(!found.contains(&own), "{module} has a test: say so");
            }
            _ => panic!("{module}: {state:?} is no state"),
        }
    }
    let unlisted: Vec<_> = found.difference(&named).collect();
    assert!(unlisted.is_empty(), "the table does not name {unlisted:?}");
    let fapi2 = "fapi2-security-profile-final";
    let plans = [(fapi2, FAPI2), (fapi2, SIGNING), ("oidcc", OIDCC)];
    let modules = plans
        .iter()
        .flat_map(|(plan, modules)| modules.split_whitespace().map(move |module| format!("{plan}-{module}")));
    let missing: Vec<_> = modules.filter(|module| !listed.contains(module.as_str())).collect();
    assert!(missing.is_empty(), "the table lacks {missing:?}");
}
