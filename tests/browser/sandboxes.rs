//! The demonstration's identity providers, seen without Porteplume.

use crate::support::browser::Browser;
use crate::support::site::{Port, Site};
use porteplume::clock::{SystemClock, SystemEntropy};
use porteplume::config::Secret;
use porteplume::demo::{Flavour, IdentityProvider, SandboxClient};
use std::sync::Arc;
use url::Url;

/// Where the provider sends people back to: nothing answers there.
const BACK: &str = "http://127.0.0.1:9/callback";

fn provider(flavour: Flavour) -> Site {
    let port = Port::take();
    let client = SandboxClient {
        name: "Porteplume".into(),
        client_id: "porteplume".into(),
        client_secret: Secret::new("never asked for here".into()),
        redirect_uris: vec![BACK.into()],
        post_logout_redirect_uris: Vec::new(),
    };
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let provider = IdentityProvider::new(flavour, &port.origin(), vec![client], clock, entropy);
    port.serve(provider.unwrap().router())
}

/// The address at which a service asks the provider who is there.
fn request(provider: &Site, scope: &str) -> String {
    let address = provider.at("/api/v2/authorize");
    let parameters = [
        ("response_type", "code"),
        ("client_id", "porteplume"),
        ("redirect_uri", BACK),
        ("scope", scope),
        ("state", "state-of-twenty-two-signs"),
        ("nonce", "nonce-of-twenty-two-signs"),
        ("acr_values", "eidas1"),
    ];
    Url::parse_with_params(&address, parameters).unwrap().into()
}

#[test]
fn agents_choose_themselves_and_read_codes() {
    let agents = provider(Flavour::Agents);
    for (language, question) in [("fr", "Qui êtes-vous ?"), ("en", "Who are you?")] {
        let browser = Browser::start(&format!("agents-{language}"), language);
        browser.goto(&agents.at("/"));
        browser.look();
        browser.press("link-authenticator");
        browser.look();
        browser.fill("key", "not a key");
        browser.press("authenticator-submit");
        browser.look();
        browser.fill("key", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        browser.press("authenticator-submit");
        browser.look();
        assert_eq!(browser.text_of("#code").len(), 6);
        browser.goto(&request(&agents, "openid email"));
        browser.says(question);
        browser.look();
        browser.press("person-samir-haddad");
        assert!(browser.address().as_str().starts_with(&format!("{BACK}?")), "{}", browser.address());
        browser.goto(&agents.at("/api/v2/authorize?client_id=unknown"));
        browser.is_at("page-refused");
        browser.look();
    }
}

#[test]
fn citizens_choose_themselves_or_nobody() {
    let citizens = provider(Flavour::Citizens);
    for language in ["fr", "en"] {
        let browser = Browser::start(&format!("citizens-{language}"), language);
        browser.goto(&citizens.at("/"));
        browser.look();
        browser.goto(&request(&citizens, "openid profile birth"));
        browser.is_at("page-people");
        browser.look();
        browser.press("cancel");
        let address = browser.address();
        assert!(
            address.query_pairs().any(|pair| pair == ("error".into(), "access_denied".into())),
            "{address}"
        );
    }
}
