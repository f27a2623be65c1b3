//! The page where one signs in by choosing a person, and what follows from the choice.

use super::person::Person;
use super::request::{AuthorizationRequest, Refusal, parameters};
use super::shape::misshapen;
use super::{API, Flavour, Grant, Sandbox, SignIn, State};
use crate::demo::memory::fresh;
use crate::demo::site::{View, cookie, page, set_cookie};
use askama::Template;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use url::Url;

#[derive(Template)]
#[template(path = "sandbox/people.html")]
struct ChoicePage<'a> {
    v: View,
    request: &'a str,
    client: &'a str,
    people: Vec<Person>,
}

#[derive(Template)]
#[template(path = "sandbox/refused.html")]
struct RefusedPage {
    v: View,
    code: &'static str,
}

#[derive(Template)]
#[template(path = "sandbox/provider_home.html")]
struct HomePage {
    v: View,
    people: Vec<Person>,
    authenticator: bool,
}

/// The sandbox's own first page: who can sign in here.
pub(super) async fn home(sandbox: State, headers: HeaderMap) -> Response {
    let flavour = sandbox.flavour;
    page(
        StatusCode::OK,
        &HomePage {
            v: flavour.site().view(&headers, "/", None),
            people: Person::all(flavour),
            authenticator: flavour == Flavour::Agents,
        },
    )
}

/// `GET /authorize`.
pub(super) async fn ask(sandbox: State, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    sandbox.asked(&headers, &query.unwrap_or_default())
}

/// `POST /authorize`.
pub(super) async fn ask_by_form(sandbox: State, headers: HeaderMap, form: String) -> Response {
    sandbox.asked(&headers, &form)
}

/// `POST /choose`: `request`, and `person` or `cancel`.
pub(super) async fn choose(sandbox: State, headers: HeaderMap, form: String) -> Response {
    let refused = || sandbox.refused(&headers, "", "unknown_request");
    let form = parameters(&form).unwrap_or_default();
    let now = sandbox.now();
    // Another browser's request stays where it is; one's own is answered once.
    let Some(name) = form.get("request") else { return refused() };
    let Some((browser, _)) = sandbox.requests.get(name, now) else { return refused() };
    if cookie(&headers, sandbox.flavour.site().cookie()) != Some(browser.as_str()) {
        return refused();
    }
    let Some((_, request)) = sandbox.requests.take(name, now) else { return refused() };
    if form.contains_key("cancel") {
        return sandbox.back_with_error(&request.redirect_uri, "access_denied", &request.state);
    }
    let person = form.get("person").and_then(|key| Person::find(sandbox.flavour, key));
    let Some(person) = person else { return refused() };
    sandbox.signed_in(person, request)
}

impl Sandbox {
    /// Reads a request and answers it.
    fn asked(&self, headers: &HeaderMap, query: &str) -> Response {
        let refused = |code| self.refused(headers, query, code);
        let Some(parameters) = parameters(query) else { return refused(misshapen(self.flavour)) };
        let addressed = match self.addressed(&parameters) {
            Ok(addressed) => addressed,
            Err(Refusal::Page(code) | Refusal::Redirect(code)) => return refused(code),
        };
        match addressed.read(self.flavour) {
            Ok(request) => self.answer(headers, query, request),
            Err(Refusal::Redirect(code)) => {
                let state = addressed.get("state").unwrap_or_default();
                // A slip of FranceConnect's own: there the state is lost, and its place holds this word.
                let lost = self.flavour.is_franceconnect() && code == "invalid_idp_hint";
                let state = if lost { "undefined" } else { state };
                self.back_with_error(addressed.redirect_uri, code, state)
            }
            Err(Refusal::Page(code)) => refused(code),
        }
    }

    /// Answers a request: at once within a session that serves, else with the page of people.
    fn answer(&self, headers: &HeaderMap, query: &str, request: AuthorizationRequest) -> Response {
        let now = self.now();
        let site = self.flavour.site();
        let browser = cookie(headers, site.cookie()).unwrap_or_default().to_owned();
        let session = self.sessions.get(&browser, now);
        let asks = |word: &str| request.prompt.iter().any(|prompt| prompt == word);
        let serves = |sign_in: &SignIn| !asks("login") && request.level.of(&sign_in.person).is_some();
        if let Some(sign_in) = session.filter(serves) {
            return self.give_code(sign_in, request);
        }
        if asks("none") {
            return self.back_with_error(&request.redirect_uri, "login_required", &request.state);
        }
        self.offer_people(headers, query, browser, request)
    }

    fn offer_people(
        &self,
        headers: &HeaderMap,
        query: &str,
        browser: String,
        request: AuthorizationRequest,
    ) -> Response {
        let entropy = &*self.entropy;
        let known = !browser.is_empty();
        let browser = if known { Ok(browser) } else { fresh(entropy) };
        let Ok(browser) = browser else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
        let view = self.flavour.site().view(
            headers,
            &format!("{API}/authorize?{query}"),
            request.ui_locales.as_deref(),
        );
        let client = self.client(&request.client_id).map_or_else(String::new, |client| client.name.clone());
        let kept =
            self.requests.keep(entropy, (browser.clone(), request), self.now(), self.flavour.request_life());
        let Ok(name) = kept else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
        let people = Person::all(self.flavour);
        let mut answer =
            page(StatusCode::OK, &ChoicePage { v: view, request: &name, client: &client, people });
        if !known {
            set_cookie(answer.headers_mut(), self.flavour.site().cookie(), &browser);
        }
        answer
    }

    /// Signs the browser in under a new session, and gives the code.
    fn signed_in(&self, person: Person, request: AuthorizationRequest) -> Response {
        let now = self.now();
        let sign_in = SignIn { person, at: now };
        let kept = self.sessions.keep(&*self.entropy, sign_in, now, self.flavour.session_life());
        let Ok(session) = kept else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
        let mut answer = self.give_code(sign_in, request);
        set_cookie(answer.headers_mut(), self.flavour.site().cookie(), &session);
        answer
    }

    fn give_code(&self, sign_in: SignIn, request: AuthorizationRequest) -> Response {
        let (uri, state) = (request.redirect_uri.clone(), request.state.clone());
        let Some(acr) = request.level.of(&sign_in.person) else {
            return self.back_with_error(&uri, "access_denied", &state);
        };
        let grant = Grant { sign_in, acr, request };
        let kept = self.codes.keep(&*self.entropy, grant, self.now(), self.flavour.code_life());
        let Ok(code) = kept else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
        back(&uri, &[("code", &code), ("state", &state), ("iss", &self.issuer)])
    }

    fn back_with_error(&self, redirect_uri: &str, error: &str, state: &str) -> Response {
        let description = "the request cannot be met";
        back(
            redirect_uri,
            &[("error", error), ("error_description", description), ("state", state), ("iss", &self.issuer)],
        )
    }

    /// A page that says what is wrong, for what cannot be told at the client's address.
    pub(super) fn refused(&self, headers: &HeaderMap, query: &str, code: &'static str) -> Response {
        let here = if query.is_empty() { "/".to_owned() } else { format!("{API}/authorize?{query}") };
        let v = self.flavour.site().view(headers, &here, None);
        page(StatusCode::BAD_REQUEST, &RefusedPage { v, code })
    }
}

/// Sends the browser to the address with these parameters.
pub(super) fn back(address: &str, parameters: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(address) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        url.query_pairs_mut().append_pair(name, value);
    }
    Redirect::to(url.as_str()).into_response()
}
