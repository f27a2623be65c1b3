//! The sandbox public service, with a stand-in for Porteplume that can be told to err.

use super::browser::{Browser, Page};
use super::{http, noon};
use crate::relying::forger::{Answer, Forger, SECRET, Script};
use porteplume::clock::{ManualClock, SystemEntropy};
use porteplume::config::Secret;
use porteplume::demo::{PublicService, PublicServiceConfig, serve};
use reqwest::StatusCode;
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpListener;
use url::Url;

struct Caisse {
    origin: String,
    porteplume: Forger,
}

fn granted(acts: &[&str]) -> serde_json::Value {
    let organisation = json!({"name": "Médiathèque de Valmarie", "siret": "99900010200015"});
    json!([{
        "type": "mandate",
        "identifier": "0192f3c47d2e7c1a9b3f0e5d6c7b8a90",
        "procedure": "rsa-declaration-trimestrielle",
        "acts": acts,
        "organisation": organisation,
        "granted": noon().seconds(),
        "expires": noon().seconds() + 86_400,
        "usager_acr": "eidas1",
        "aidant_acr": "eidas2",
        "journal": {"entry": "019333c47d2e7c1a9b3f0e5d6c7b8a90", "index": 41, "origin": "porteplume.example/journal"},
    }])
}

impl Caisse {
    async fn start() -> Self {
        let porteplume = Forger::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let service = PublicService::new(PublicServiceConfig {
            origin: origin.clone(),
            issuer: porteplume.issuer.clone(),
            client_id: "caisse".to_owned(),
            client_secret: Secret::new(SECRET.to_owned()),
            http: http(),
            clock: Arc::new(ManualClock::at(noon())),
            entropy: Arc::new(SystemEntropy),
        });
        tokio::spawn(serve(listener, service.unwrap().router(), std::future::pending()));
        let issuer = porteplume.issuer.clone();
        porteplume.bend(|script| {
            script.discovery["end_session_endpoint"] = json!(format!("{issuer}/end_session"));
            script.userinfo = json!({
                "sub": "person-1", "given_name": "Rose Yvonne", "family_name": "Lhuillier",
                "preferred_username": "Marchal", "birthdate": "1942-02-14",
            });
            script.id_token = json!({
                "iss": issuer, "sub": "person-1", "aud": "caisse", "iat": noon().seconds(),
                "exp": noon().seconds() + 300, "auth_time": noon().seconds(), "acr": "eidas1",
                "act": {"sub": "aidant-1", "organisation": {"id": "0", "name": "", "siret": ""}, "acr": "eidas2"},
                "authorization_details": granted(&["prepare", "fill", "submit"]),
            });
        });
        Self { origin, porteplume }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Begins a sign-in and gives the callback Porteplume would send the browser to.
    async fn callback(&self, browser: &Browser) -> String {
        let url = browser.get(&self.at("/sign-in")).await.location();
        let sent = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert_eq!(sent("code_challenge_method"), "S256");
        assert_eq!(sent("scope"), "openid given_name family_name preferred_username birthdate");
        self.porteplume.bend(|script| script.id_token["nonce"] = json!(sent("nonce")));
        let mut callback = Url::parse(&self.at("/callback")).unwrap();
        callback
            .query_pairs_mut()
            .append_pair("code", "c")
            .append_pair("state", &sent("state"))
            .append_pair("iss", &self.porteplume.issuer);
        callback.into()
    }

    /// A browser with an open file.
    async fn opened(&self) -> (Browser, Page) {
        let browser = Browser::new();
        let callback = self.callback(&browser).await;
        assert_eq!(browser.get(&callback).await.location().path(), "/file");
        let page = browser.get(&self.at("/file")).await;
        (browser, page)
    }

    async fn declare(&self, browser: &Browser, page: &Page, second: &str) -> Page {
        let form = [
            ("csrf", &*page.hidden("csrf")),
            ("submission", &*page.hidden("submission")),
            ("income-1", "620"),
            ("income-2", second),
            ("income-3", "1 250"),
            ("declared", "1"),
        ];
        browser.post(&self.at("/file/declaration"), &form).await
    }
}

fn revoked(script: &mut Script) {
    script.instead.insert("userinfo", Answer { status: 401, headers: Vec::new(), body: Vec::new() });
}

#[tokio::test]
async fn an_open_file_says_whose_by_whom_under_what_and_until_when() {
    let caisse = Caisse::start().await;
    let (_, page) = caisse.opened().await;
    for (selector, text) in [
        ("#usager", "Rose Yvonne Marchal"),
        ("#acting-usager", "Rose Yvonne Marchal"),
        ("#acting-organisation", "Médiathèque de Valmarie"),
        ("#birthdate", "14\u{a0}février 1942"),
        ("#procedure", "Faire la déclaration trimestrielle du RSA"),
        ("#acts", "préparer, remplir, envoyer"),
        ("#siret", "99900010200015"),
        ("#aidant", "aidant-1"),
        ("#mandate", "0192f3c47d2e7c1a9b3f0e5d6c7b8a90"),
        ("#journal-index", "41"),
        ("#usager-acr", "eidas1"),
        ("#aidant-acr", "eidas2"),
        ("#expires", "lundi 23\u{a0}novembre 2026 à\u{a0}13\u{a0}h\u{a0}00"),
    ] {
        assert_eq!(page.text(selector), text, "{selector}");
    }
}

#[tokio::test]
async fn a_declaration_gets_one_receipt_however_often_it_is_sent() {
    let caisse = Caisse::start().await;
    let (browser, page) = caisse.opened().await;
    let wrong = caisse.declare(&browser, &page, "abc").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.text("#problems a"), "septembre 2026");
    let first = caisse.declare(&browser, &page, "0").await.location();
    let second = caisse.declare(&browser, &page, "0").await.location();
    assert_eq!(first, second);
    let receipt = browser.get(first.as_str()).await;
    assert_eq!(
        (receipt.text("#receipt-number"), receipt.text("#total")),
        ("CD-20261122-0001".into(), "1\u{202f}870".into())
    );
    // The receipt is this visit's own.
    let (other, _) = caisse.opened().await;
    assert_eq!(other.get(first.as_str()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(Browser::new().get(first.as_str()).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nothing_is_received_once_access_has_ended() {
    let caisse = Caisse::start().await;
    let (browser, page) = caisse.opened().await;
    caisse.porteplume.bend(revoked);
    let refused = caisse.declare(&browser, &page, "0").await;
    assert_eq!((refused.status, refused.text("#problem")), (StatusCode::FORBIDDEN, "access_ended".into()));
    caisse.porteplume.bend(|script| script.instead.clear());
    assert_eq!(browser.get(&caisse.at("/file")).await.text("#problem"), "no_open_file");
    let (browser, page) = caisse.opened().await;
    let next = caisse.declare(&browser, &page, "0").await.location();
    assert_eq!(browser.get(next.as_str()).await.text("#receipt-number"), "CD-20261122-0001");
}

#[tokio::test]
async fn an_act_the_mandate_does_not_grant_is_neither_offered_nor_taken() {
    let caisse = Caisse::start().await;
    caisse.porteplume.bend(|script| script.id_token["authorization_details"] = granted(&["prepare", "fill"]));
    let (browser, page) = caisse.opened().await;
    assert!(page.text("#declaration-form").is_empty() && !page.text("#no-submit").is_empty());
    let csrf = page.hidden("csrf");
    let form = [
        ("csrf", &*csrf),
        ("submission", "x"),
        ("income-1", "1"),
        ("income-2", "1"),
        ("income-3", "1"),
        ("declared", "1"),
    ];
    let refused = browser.post(&caisse.at("/file/declaration"), &form).await;
    assert_eq!((refused.status, refused.text("#problem")), (StatusCode::FORBIDDEN, "act_not_granted".into()));
}

#[tokio::test]
async fn a_callback_counts_once_and_in_its_own_browser() {
    let caisse = Caisse::start().await;
    let browser = Browser::new();
    let callback = caisse.callback(&browser).await;
    let foreign = Browser::new().get(&callback).await;
    assert_eq!(
        (foreign.status, foreign.text("#problem")),
        (StatusCode::BAD_REQUEST, "state_mismatch".into())
    );
    assert_eq!(browser.get(&callback).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get(&callback).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(caisse.porteplume.calls("token"), 1);
}

#[tokio::test]
async fn a_sign_in_that_fails_says_so_kindly_and_opens_nothing() {
    let caisse = Caisse::start().await;
    let browser = Browser::new();
    let declined = caisse.callback(&browser).await.replace("code=c", "error=access_denied");
    let page = browser.get(&declined).await;
    assert_eq!((page.status, page.text("#problem")), (StatusCode::OK, "access_denied".into()));
    let callback = caisse.callback(&browser).await;
    caisse.porteplume.bend(|script| script.id_token["authorization_details"] = json!([]));
    assert_eq!(browser.get(&callback).await.text("#problem"), "no_mandate");
    let callback = caisse.callback(&browser).await;
    caisse.porteplume.bend(|script| {
        drop(script.instead.insert("token", Answer { status: 503, headers: Vec::new(), body: Vec::new() }));
    });
    assert_eq!(browser.get(&callback).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(browser.get(&caisse.at("/file")).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn signing_out_closes_the_file_and_leads_to_porteplume() {
    let caisse = Caisse::start().await;
    let (browser, page) = caisse.opened().await;
    let forged = browser.post(&caisse.at("/sign-out"), &[("csrf", "wrong")]).await;
    assert_eq!(forged.status, StatusCode::BAD_REQUEST);
    let to = browser.post(&caisse.at("/sign-out"), &[("csrf", &page.hidden("csrf"))]).await.location();
    assert!(to.as_str().starts_with(&format!("{}/end_session?id_token_hint=", caisse.porteplume.issuer)));
    assert!(
        to.query_pairs()
            .any(|(name, value)| name == "post_logout_redirect_uri" && value == caisse.at("/signed-out"))
    );
    assert_eq!(browser.get(&caisse.at("/file")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.get(&caisse.at("/signed-out")).await.status, StatusCode::OK);
}
