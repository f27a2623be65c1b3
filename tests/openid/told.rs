//! Services are told of an end: by logout token and by security event, again until they answer.

use super::algorithms::keys_without;
use super::refusals::revoke;
use super::*;
use crate::support::database::on_both;
use crate::support::listener::Listener;
use porteplume::crypto::{JwsAlg, KeyPlace, KeyStore, verify_jws};
use porteplume::service::outbox;
use time::Duration;
use tokio::task::JoinSet;

const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

/// A town with a service that takes both kinds of messages at the listener, and one representation at it.
async fn opened(town: &Town, listener: &Listener) -> (Value, String) {
    let mut told = draft("told");
    told["backchannel_logout_uri"] = json!(listener.at("/logout"));
    told["security_events_uri"] = json!(listener.at("/events"));
    world::client(town.app(), told).await;
    let browser = town.browser().await;
    let code = browser.code(&[("client_id", "told")]).await;
    let answer = town.exchange_as(&basic("told", SECRET), &code, &[]).await.json();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    (claims(answer["id_token"].as_str().unwrap()), token)
}

/// A replica without the key that signs for a service, at which one representation is open.
async fn lacking(town: &Town, listener: &Listener) -> TestApp {
    let mut of = draft("told");
    (of["id_token_alg"], of["backchannel_logout_uri"]) = (json!("PS256"), json!(listener.at("/logout")));
    world::client(town.app(), of).await;
    let code = town.browser().await.code(&[("client_id", "told")]).await;
    assert_eq!(town.exchange_as(&basic("told", SECRET), &code, &[]).await.status, 200);
    let dir = keys_without(&town.test.database, "token-ps256");
    town.test.replica().await.holding(KeyStore::open(KeyPlace { dir, module: None }).unwrap())
}

/// One round of sending, until every answer is there.
pub(super) async fn send(app: &App) {
    let mut under_way = JoinSet::new();
    outbox::send_due(app, &mut under_way).await.unwrap();
    while let Some(done) = under_way.join_next().await {
        done.unwrap();
    }
}

/// The type and the claims of a token of ours.
fn read(town: &Town, token: &str) -> (String, Value) {
    let jwks = town.app().keys.published().to_value();
    let verified = verify_jws(token, &jwks, &[JwsAlg::Es256]).expect("signed by a published key");
    (verified.header.typ.unwrap(), serde_json::from_slice(&verified.payload).unwrap())
}

/// The form of a logout token holds nothing else.
pub(super) fn logout_token(body: &str) -> String {
    let pairs: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let [(name, token)] = &pairs[..] else { panic!("one field: {body}") };
    assert_eq!(name, "logout_token");
    token.clone()
}

impl Town {
    async fn waiting(&self) -> i64 {
        self.count("SELECT count(*) FROM outbox").await
    }

    async fn answered(&self) -> i64 {
        self.count("SELECT count(*) FROM representation WHERE acknowledged_at IS NOT NULL").await
    }

    async fn first_told(&self) -> i64 {
        self.count("SELECT count(*) FROM representation WHERE told_at IS NOT NULL").await
    }
}

on_both! {
    a_revocation_reaches_the_service_by_logout_token_and_by_security_event(database) {
        let listener = Listener::answering(|path| if path == "/logout" { 200 } else { 202 }).await;
        let town = Town::new(database).await;
        let (id_token, token) = opened(&town, &listener).await;
        assert_eq!(town.waiting().await, 0, "nothing to tell while it stands");
        revoke(&town).await;
        assert_eq!(town.waiting().await, 2, "written with the fact");
        assert_eq!(town.userinfo(&token).await.status, 401, "whether or not anybody was told");
        send(town.app()).await;
        let mut heard = listener.heard();
        heard.sort_by(|one, other| one.path.cmp(&other.path));
        let [event, logout] = &heard[..] else { panic!("{} messages", heard.len()) };
        let now = town.app().now().seconds();

        assert_eq!((&*logout.path, &*logout.kind), ("/logout", "application/x-www-form-urlencoded"));
        let (typ, told) = read(&town, &logout_token(&logout.body));
        assert_eq!((&*typ, &told["iss"], &told["aud"]), ("logout+jwt", &json!(ISSUER), &json!("told")));
        assert_eq!((&told["sub"], &told["sid"]), (&id_token["sub"], &id_token["sid"]));
        assert_eq!((&told["iat"], &told["exp"]), (&json!(now), &json!(now + 120)));
        assert_eq!((&told["events"], told.get("nonce")), (&json!({LOGOUT_EVENT: {}}), None));

        assert_eq!((&*event.path, &*event.kind), ("/events", "application/secevent+jwt"));
        let (typ, set) = read(&town, &event.body);
        assert_eq!((&*typ, &set["aud"], set.get("exp")), ("secevent+jwt", &json!("told"), None));
        assert_eq!(set["sub_id"]["user"]["sub"], id_token["sub"]);
        assert_eq!(set["sub_id"]["session"]["id"], id_token["sid"]);
        assert_eq!(set["events"][SESSION_REVOKED]["initiating_entity"], "user");
        assert_ne!(set["jti"], told["jti"]);

        assert_eq!((town.waiting().await, town.answered().await), (0, 1));
        assert_eq!(town.entries("representation.service_told").await, ["", ""]);
        assert_eq!(town.entries("mandate.ending_known").await, [""], "known at, once");
        send(town.app()).await;
        assert_eq!(listener.heard().len(), 2, "nothing is told twice");
        town.test.verifies().await;
    }

    a_service_that_does_not_answer_is_told_again_for_a_day_and_its_silence_is_journaled(database) {
        let listener = Listener::answering(|path| if path == "/logout" { 500 } else { 202 }).await;
        let town = Town::new(database).await;
        opened(&town, &listener).await;
        revoke(&town).await;
        send(town.app()).await;
        let silent = || town.entries("representation.service_not_told");
        assert_eq!((silent().await.len(), town.waiting().await, town.first_told().await), (1, 1, 1));
        send(town.app()).await;
        assert_eq!(listener.heard().len(), 2, "not before its pause is over");
        for round in 1..=3 {
            town.test.clock.advance(Duration::seconds(20));
            send(town.app()).await;
            assert_eq!((listener.heard().len(), silent().await.len()), (2 + round, 1), "the first silence is told once");
        }
        let tokens: Vec<_> = listener.heard().iter().filter(|heard| heard.path == "/logout")
            .map(|heard| read(&town, &logout_token(&heard.body)).1).collect();
        assert!(tokens.windows(2).all(|two| two[0]["jti"] == two[1]["jti"] && two[0]["exp"] != two[1]["exp"]));
        town.test.clock.advance(Duration::days(1));
        send(town.app()).await;
        assert_eq!((silent().await.len(), town.waiting().await), (2, 0), "given up, and told");
        assert_eq!(town.answered().await, 1, "by the other way it did answer");
        town.test.clock.advance(Duration::days(1));
        send(town.app()).await;
        assert_eq!(listener.heard().len(), 6);
        town.test.verifies().await;
    }

    one_that_hangs_holds_nobody_up_and_answers_of_any_kind_are_survived(database) {
        let listener = Listener::answering(|path| if path == "/logout" { 0 } else { 301 }).await;
        let town = Town::new(database).await;
        opened(&town, &listener).await;
        revoke(&town).await;
        let mut under_way = JoinSet::new();
        outbox::send_due(town.app(), &mut under_way).await.unwrap();
        assert_eq!(under_way.len(), 2, "sent, and not waited for");
        while town.entries("representation.service_not_told").await.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!((under_way.len() <= 2, town.answered().await), (true, 0), "a redirection is no answer");
        under_way.abort_all();
        while under_way.join_next().await.is_some() {}
        assert_eq!(town.waiting().await, 2, "what was under way when the service stopped is not lost");
        town.test.clock.advance(Duration::seconds(20));
        listener.answers(|_| 204);
        send(town.app()).await;
        assert_eq!((town.waiting().await, town.answered().await), (0, 1));
        town.test.verifies().await;
    }

    what_nothing_signs_is_a_silence_too_and_told_once_there_is_a_key(database) {
        let listener = Listener::answering(|path| if path == "/logout" { 200 } else { 202 }).await;
        let town = Town::new(database).await;
        let lacking = lacking(&town, &listener).await;
        revoke(&town).await;
        let silent = || town.entries("representation.service_not_told");
        for seconds in [0, 20] {
            town.test.clock.advance(Duration::seconds(seconds));
            send(&lacking.web.app).await;
            assert_eq!((listener.heard().len(), silent().await.len(), town.waiting().await), (0, 1, 1));
        }
        town.test.clock.advance(Duration::seconds(20));
        send(town.app()).await;
        assert_eq!((listener.heard().len(), town.waiting().await, town.answered().await), (1, 0, 1));
        town.test.verifies().await;
    }

    what_nothing_signs_for_a_day_is_given_up_and_that_is_journaled(database) {
        let listener = Listener::answering(|_| 200).await;
        let town = Town::new(database).await;
        let lacking = lacking(&town, &listener).await;
        revoke(&town).await;
        send(&lacking.web.app).await;
        town.test.clock.advance(Duration::days(1));
        send(&lacking.web.app).await;
        assert_eq!((town.entries("representation.service_not_told").await.len(), town.waiting().await), (2, 0));
        assert_eq!((listener.heard().len(), town.answered().await), (0, 0));
        town.test.verifies().await;
    }

    two_replicas_send_a_message_once(database) {
        let listener = Listener::answering(|_| 200).await;
        let town = Town::new(database).await;
        opened(&town, &listener).await;
        revoke(&town).await;
        tokio::join!(send(town.app()), send(town.app()), send(town.app()));
        assert_eq!((listener.heard().len(), town.waiting().await), (2, 0));
        assert_eq!(town.entries("representation.service_told").await.len(), 2);
        town.test.verifies().await;
    }

    oidcc_backchannel_rp_initiated_logout(database) {
        let listener = Listener::answering(|_| 200).await;
        let town = Town::new(database).await;
        let mut told = draft("told");
        told["backchannel_logout_uri"] = json!(listener.at("/logout"));
        world::client(town.app(), told).await;
        let browser = town.browser().await;
        let code = browser.code(&[("client_id", "told")]).await;
        let answer = town.exchange_as(&basic("told", SECRET), &code, &[]).await.json();
        let hint = answer["id_token"].as_str().unwrap();
        let pairs = [("id_token_hint", hint), ("post_logout_redirect_uri", AFTER), ("state", STATE)];
        let sent = browser.get(&format!("/end_session?{}", form(&pairs))).await;
        assert_eq!(sent.location(), format!("{AFTER}?state={STATE}"));
        send(town.app()).await;
        let heard = listener.heard();
        let (_, told) = read(&town, &logout_token(&heard[0].body));
        let id_token = claims(hint);
        assert_eq!((heard.len(), &told["sid"], &told["sub"]), (1, &id_token["sid"], &id_token["sub"]));
        town.test.verifies().await;
    }

    a_service_without_an_address_is_told_nothing(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        town.exchange(&browser.code(&[]).await, &[]).await;
        revoke(&town).await;
        assert_eq!((town.waiting().await, town.open_representations().await), (0, 0));
        assert_eq!(town.entries("representation.closed").await, [""]);
    }
}
