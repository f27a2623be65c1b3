//! The sandboxes of the demonstration, over HTTP as a browser would use them.

pub(crate) mod browser;
mod caisse;

use browser::Browser;
use porteplume::clock::{ManualClock, SeededEntropy, SystemEntropy};
use porteplume::config::{Provider, Secret};
use porteplume::demo::{Flavour, IdentityProvider, SandboxClient, serve};
use porteplume::mandate::Instant;
use porteplume::relying::{
    BeginOptions, Begun, CallbackQuery, HttpClient, HttpPolicy, RelyingError, RelyingParty, SignedIn,
};
use reqwest::StatusCode;
use std::sync::Arc;
use time::Duration;
use time::macros::datetime;
use tokio::net::TcpListener;
use url::Url;

pub(crate) const CALLBACK: &str = "http://127.0.0.1:1/callback";
pub(crate) const SIGNED_OUT: &str = "http://127.0.0.1:1/signed-out";

pub(crate) fn http() -> HttpClient {
    HttpClient::new(&HttpPolicy { allow_loopback: true, ..HttpPolicy::default() }).unwrap()
}

pub(crate) fn noon() -> Instant {
    datetime!(2026-11-22 12:00 UTC).into()
}

/// A sandbox provider and the relying party registered there.
pub(crate) struct Sandbox {
    pub(crate) origin: String,
    pub(crate) clock: ManualClock,
    pub(crate) party: RelyingParty,
}

pub(crate) fn client() -> SandboxClient {
    SandboxClient {
        client_id: "porteplume".to_owned(),
        name: "Porteplume".to_owned(),
        client_secret: Secret::new("a secret of more than thirty-two characters".to_owned()),
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: vec![SIGNED_OUT.to_owned()],
    }
}

impl Sandbox {
    pub(crate) async fn start(flavour: Flavour) -> Self {
        Self::with(flavour, |_| ()).await
    }

    /// With our own registration bent.
    pub(crate) async fn with(flavour: Flavour, change: impl FnOnce(&mut Provider)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let clock = ManualClock::at(noon());
        let shared = Arc::new(clock.clone());
        let provider =
            IdentityProvider::new(flavour, &origin, vec![client()], shared, Arc::new(SystemEntropy)).unwrap();
        tokio::spawn(serve(listener, provider.router(), std::future::pending()));
        let mut registration = client().registration(flavour, &origin);
        change(&mut registration);
        let party =
            RelyingParty::new("sandbox", registration, Url::parse(CALLBACK).unwrap(), http()).unwrap();
        Self { origin, clock, party }
    }

    pub(crate) fn now(&self) -> Instant {
        use porteplume::clock::Clock as _;
        self.clock.now()
    }

    pub(crate) async fn begin(&self, options: &BeginOptions) -> Begun {
        self.party.begin(&SystemEntropy, options, self.now()).await.unwrap()
    }

    /// The address the browser is sent back to once the person is chosen.
    pub(crate) async fn choose(&self, browser: &Browser, begun: &Begun, person: &str) -> Url {
        let page = browser.get(begun.url.as_str()).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let request = page.hidden("request");
        let form = [("request", request.as_str()), ("person", person)];
        browser.post(&format!("{}/choose", self.origin), &form).await.location()
    }

    pub(crate) async fn complete(&self, begun: &Begun, callback: &Url) -> Result<SignedIn, RelyingError> {
        self.party.complete(&query(callback), &begun.expected, self.now()).await
    }

    pub(crate) async fn sign_in(&self, person: &str) -> SignedIn {
        let begun = self.begin(&BeginOptions { prompt_login: true, ..BeginOptions::default() }).await;
        let callback = self.choose(&Browser::new(), &begun, person).await;
        self.complete(&begun, &callback).await.unwrap_or_else(|error| panic!("{person}: {error}"))
    }
}

/// What a sandbox makes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It asks who is there.
    People,
    /// It refuses on a page, with this code.
    Page(String),
    /// It sends the browser back with this error and this state.
    Back(String, String),
}

impl Sandbox {
    pub(crate) async fn says(&self, url: &str) -> Said {
        let page = Browser::new().get(url).await;
        match page.status {
            StatusCode::OK => Said::People,
            StatusCode::BAD_REQUEST => Said::Page(page.text("#problem")),
            _ => {
                let told = query(&page.location());
                assert_eq!(told.iss.as_deref(), Some(self.party.issuer()));
                Said::Back(told.error.unwrap_or_default(), told.state.unwrap_or_default())
            }
        }
    }
}

pub(crate) fn query(callback: &Url) -> CallbackQuery {
    assert!(callback.as_str().starts_with(CALLBACK), "{callback}");
    let value =
        |name: &str| callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    CallbackQuery { code: value("code"), state: value("state"), iss: value("iss"), error: value("error") }
}

#[tokio::test]
async fn every_citizen_can_be_identified_and_keeps_the_pivot_identity() {
    let sandbox = Sandbox::start(Flavour::Citizens).await;
    for citizen in porteplume::demo::people::CITIZENS {
        let signed_in = sandbox.sign_in(citizen.key).await;
        let identity = signed_in.pivot_identity().unwrap_or_else(|claim| panic!("{}: {claim}", citizen.key));
        assert_eq!(identity.given_name, citizen.given_name);
        assert_eq!(identity.family_name, citizen.family_name);
        assert_eq!(identity.preferred_username.as_deref(), citizen.preferred_username);
        assert_eq!(identity.birthdate.to_string(), citizen.birthdate);
        assert_eq!(identity.birthplace, citizen.birthplace);
        assert_eq!(identity.email.as_deref(), citizen.email);
        assert_eq!((signed_in.acr.as_deref(), signed_in.proves_second_factor()), (Some("eidas1"), false));
    }
}

#[tokio::test]
async fn every_agent_can_sign_in_and_only_some_prove_a_second_factor() {
    let sandbox = Sandbox::start(Flavour::Agents).await;
    for agent in porteplume::demo::people::AGENTS {
        let signed_in = sandbox.sign_in(agent.key).await;
        let identity =
            signed_in.professional_identity().unwrap_or_else(|claim| panic!("{}: {claim}", agent.key));
        assert_eq!(
            (identity.given_name.as_str(), identity.family_name.as_str()),
            (agent.given_name, agent.usual_name)
        );
        assert_eq!(identity.email, agent.email);
        assert_eq!(signed_in.proves_second_factor(), agent.mfa);
    }
}

#[tokio::test]
async fn someone_who_cancels_is_denied() {
    let sandbox = Sandbox::start(Flavour::Agents).await;
    let (browser, begun) = (Browser::new(), sandbox.begin(&BeginOptions::default()).await);
    let request = browser.get(begun.url.as_str()).await.hidden("request");
    let form = [("request", request.as_str()), ("cancel", "1")];
    let callback = browser.post(&format!("{}/choose", sandbox.origin), &form).await.location();
    assert_eq!(sandbox.complete(&begun, &callback).await.err(), Some(RelyingError::Denied));
}

#[tokio::test]
async fn a_choice_counts_once_and_in_the_browser_it_was_offered_to() {
    let sandbox = Sandbox::start(Flavour::Citizens).await;
    let (browser, begun) = (Browser::new(), sandbox.begin(&BeginOptions::default()).await);
    let request = browser.get(begun.url.as_str()).await.hidden("request");
    let form = [("request", request.as_str()), ("person", "rose-marchal")];
    let choose = format!("{}/choose", sandbox.origin);
    assert_eq!(Browser::new().post(&choose, &form).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.post(&choose, &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.post(&choose, &form).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_session_serves_again_unless_a_fresh_sign_in_is_asked_for() {
    let sandbox = Sandbox::start(Flavour::Agents).await;
    let browser = Browser::new();
    let first = sandbox.begin(&BeginOptions::default()).await;
    sandbox.choose(&browser, &first, "nora-legoff").await;
    sandbox.clock.advance(Duration::minutes(10));

    let again = sandbox.begin(&BeginOptions::default()).await;
    let callback = browser.get(again.url.as_str()).await.location();
    let signed_in = sandbox.complete(&again, &callback).await.ok().unwrap();
    assert_eq!((signed_in.subject.as_str(), signed_in.auth_time), ("nora-legoff", Some(noon())));

    let anew = sandbox.begin(&BeginOptions { prompt_login: true, ..BeginOptions::default() }).await;
    assert_eq!(browser.get(anew.url.as_str()).await.status, StatusCode::OK);
    let silent = |url: &Url| format!("{url}&prompt=none");
    assert!(query(&browser.get(&silent(&again.url)).await.location()).code.is_some());
    let refused = query(&Browser::new().get(&silent(&again.url)).await.location());
    assert_eq!(refused.error.as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_code_is_for_one_use_one_client_one_address_and_a_short_while() {
    let sandbox = Sandbox::start(Flavour::Agents).await;
    let options = BeginOptions::default();
    let begun = sandbox.begin(&options).await;
    let callback = sandbox.choose(&Browser::new(), &begun, "samir-haddad").await;
    let signed_in = sandbox.complete(&begun, &callback).await.ok().unwrap();
    let asked = || sandbox.party.userinfo(&signed_in.access_token, &signed_in.subject, sandbox.now());
    assert!(asked().await.is_ok());
    // The second use fails, and kills what the first gave.
    let refused = Some(RelyingError::CodeRefused("invalid_grant".to_owned()));
    assert_eq!(sandbox.complete(&begun, &callback).await.err(), refused);
    assert_eq!(asked().await.err().map(|error| error.code()), Some("userinfo_unauthorized"));

    let late = sandbox.begin(&options).await;
    let callback = sandbox.choose(&Browser::new(), &late, "samir-haddad").await;
    sandbox.clock.advance(Duration::seconds(60));
    assert_eq!(sandbox.complete(&late, &callback).await.err(), refused);

    let mut other = sandbox.begin(&options).await;
    let callback = sandbox.choose(&Browser::new(), &other, "samir-haddad").await;
    let stranger = sandbox.party.begin(&SeededEntropy::new(3), &options, sandbox.now()).await.unwrap();
    other.expected.pkce_verifier = stranger.expected.pkce_verifier;
    assert_eq!(sandbox.complete(&other, &callback).await.err(), refused);
}

#[tokio::test]
async fn a_client_that_does_not_prove_itself_gets_nothing() {
    let sandbox = Sandbox::start(Flavour::Citizens).await;
    let browser = Browser::new();
    for credentials in [
        vec![],
        vec![("client_id", "porteplume")],
        vec![("client_id", "porteplume"), ("client_secret", "wrong")],
        vec![("client_id", "other"), ("client_secret", "a secret of more than thirty-two characters")],
    ] {
        let form = [vec![("grant_type", "authorization_code"), ("code", "x")], credentials].concat();
        let answer = browser.post(&format!("{}/token", sandbox.party.issuer()), &form).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::UNAUTHORIZED, r#"{"error":"invalid_client"}"#)
        );
    }
}

#[tokio::test]
async fn an_address_that_is_not_registered_exactly_gets_a_page_and_no_redirection() {
    for flavour in [Flavour::Citizens, Flavour::Agents] {
        let sandbox = Sandbox::start(flavour).await;
        let begun = sandbox.begin(&BeginOptions::default()).await;
        let encoded = "redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback";
        assert!(begun.url.as_str().contains(encoded));
        for (from, to) in [
            (encoded, "redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback%2Fmore"),
            (encoded, "redirect_uri=https%3A%2F%2Fevil.example"),
            ("client_id=porteplume", "client_id=other"),
            ("client_id=porteplume", "client_id=porteplume&client_id=porteplume"),
        ] {
            let page = Browser::new().get(&begun.url.as_str().replace(from, to)).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{to}");
        }
        let wrong = begun.url.as_str().replace("response_type=code", "response_type=token");
        let told = query(&Browser::new().get(&wrong).await.location());
        assert_eq!(told.error.as_deref(), Some("unsupported_response_type"));
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_leads_back_only_with_a_hint() {
    let sandbox = Sandbox::start(Flavour::Agents).await;
    let browser = Browser::new();
    let begun = sandbox.begin(&BeginOptions::default()).await;
    let callback = sandbox.choose(&browser, &begun, "nora-legoff").await;
    let signed_in = sandbox.complete(&begun, &callback).await.ok().unwrap();
    let back = Url::parse(SIGNED_OUT).unwrap();
    let url =
        sandbox.party.logout_url(&signed_in.id_token, &back, None, sandbox.now()).await.unwrap().unwrap();
    for bent in [
        url.as_str().replace("id_token_hint=", "id_token_hint=x"),
        url.as_str().replace("signed-out", "elsewhere"),
        format!("{}/session/end", sandbox.party.issuer()),
    ] {
        assert_eq!(Browser::new().get(&bent).await.status, StatusCode::OK, "{bent}");
    }
    assert_eq!(browser.get(url.as_str()).await.location().as_str(), SIGNED_OUT);
    let again = sandbox.begin(&BeginOptions::default()).await;
    assert_eq!(browser.get(again.url.as_str()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_authenticator_page_reads_the_key_shown_at_enrolment() {
    use porteplume::crypto::{TotpSeed, TotpStep};
    let sandbox = Sandbox::start(Flavour::Agents).await;
    let seed = TotpSeed::generate(&SystemEntropy).unwrap();
    let page = format!("{}/authenticator", sandbox.origin);
    let key = seed.base32();
    let shown = Browser::new().post(&page, &[("key", key.expose())]).await;
    assert_eq!(shown.text("#code"), seed.code(TotpStep::at(noon())).expose());
    assert_eq!(shown.text("#remaining"), "30");
    let unreadable = Browser::new().post(&page, &[("key", "189")]).await;
    assert_eq!(unreadable.status, StatusCode::UNPROCESSABLE_ENTITY);
    let citizens = Sandbox::start(Flavour::Citizens).await;
    let absent = Browser::new().get(&format!("{}/authenticator", citizens.origin)).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
}
