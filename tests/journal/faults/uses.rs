//! What a mandate is used for within the hour, over the service's own pages: an intervention refused and one opened, its
//! tokens and claims, the usager who reads, revokes, and takes the history along.

use super::hour::{came_again, given_up, refused, say};
use crate::openid::{self, Answer, Browser, PRIME, REDIRECT, SECRET, Town, VITALE};
use crate::support::app::TestApp;
use crate::support::database::signer;
use crate::support::world;
use porteplume::crypto::{OpaqueToken, to_hex};
use porteplume::journal::{History, Policy, leaf_hash};
use porteplume::mandate::{AidantId, ClientId, Language, OrganisationId, UsagerId};
use porteplume::provider::{ClientDraft, ClientRegistration};
use porteplume::service::session::Opened;
use porteplume::service::{App, Error, Who, registry, session};
use porteplume::storage::mandates::MandateRow;
use std::sync::Arc;

/// Told to come again, one does.
const TRIES: usize = 3;

/// Whom a mandate of the hour is between, and where it is used.
pub(super) struct Parties {
    pub(super) organisation: OrganisationId,
    pub(super) aidant: AidantId,
    pub(super) usager: UsagerId,
    pub(super) client: ClientId,
}

/// Registers the service.
pub(super) async fn register(app: &App, client: &ClientId) -> Result<(), Error> {
    let draft: ClientDraft = serde_json::from_value(openid::draft(client.as_str())).unwrap();
    registry::add(app, &ClientRegistration::try_from(draft).unwrap()).await
}

/// A session in somebody's hands.
async fn opened(app: &App, who: Who) -> Result<Opened, Error> {
    let started = session::start(app, Language::Fr).await?;
    let opened = session::next(app, &started.session, who)?;
    let (before, after) = (started.session.id, Arc::new(opened.session.clone()));
    app.commit("hour.session", move |tx| {
        let after = Arc::clone(&after);
        Box::pin(async move { session::rotate(tx, &before, &after).await })
    })
    .await?;
    Ok(opened)
}

async fn browser(town: &Town, who: Who) -> Option<Browser<'_>> {
    let opened = opened(town.app(), who).await.inspect_err(refused).ok()?;
    Some(Browser::holding(town, opened))
}

/// Sends a request until it is answered, with whether it took more than once.
async fn answered(ask: impl AsyncFn() -> Answer) -> Option<(Answer, bool)> {
    for tries in 0..TRIES {
        if given_up() {
            break;
        }
        let answer = ask().await;
        if !matches!(answer.status, 202 | 503) {
            return Some((answer, tries > 0));
        }
        came_again();
    }
    None
}

/// The answer, if it has this status; anything else is said, and nobody expects it.
fn expected(what: &str, status: u16, answer: Answer) -> Option<Answer> {
    if answer.status != status {
        say(&format!("unexpected {what} {} {}", answer.status, answer.body.replace('\n', " ")));
        return None;
    }
    Some(answer)
}

/// The mandate's use and its end.
pub(super) async fn of(test: &TestApp, parties: &Parties, row: MandateRow) {
    let town = Town {
        test: test.clone(),
        service: porteplume::web::router(test.web.clone()),
        organisation: parties.organisation.clone(),
        aidant: parties.aidant.clone(),
        usager: parties.usager.clone(),
        mandate: row,
    };
    if let Some(token) = opens(&town, &parties.client).await
        && let Some((answer, _)) = answered(async || town.userinfo(&token).await).await
    {
        expected("userinfo", 200, answer);
    }
    test.clock.advance(time::Duration::minutes(2));
    revokes(&town).await;
}

/// The aidant is refused what was not granted, and opens what was; gives the access token.
async fn opens(town: &Town, client: &ClientId) -> Option<String> {
    let mandate = &town.mandate.mandate.id;
    let aidant = browser(town, world::fresh(town.app(), &town.aidant)).await?;
    let asked = format!("/authorize?{}", openid::request(&[("client_id", client.as_str())]));
    let (page, _) = answered(async || aidant.get(&asked).await).await?;
    let handle = openid::handle_in(&expected("authorize", 200, page)?.body);
    let (page, _) = answered(async || aidant.confirms(&handle, &town.mandate, VITALE).await).await?;
    expected("refusal", 403, page)?;
    say(&format!("refusal {mandate}"));
    let (sent, _) = answered(async || aidant.confirms(&handle, &town.mandate, PRIME).await).await?;
    let code = expected("confirm", 303, sent)?.sent_on("code").expect("a code");
    say(&format!("opened {mandate}"));
    let service = openid::basic(client.as_str(), SECRET);
    let exchange = async || town.exchange_as(&service, &code, &[("redirect_uri", REDIRECT)]).await;
    let (answer, again) = answered(exchange).await?;
    if again && answer.status == 400 {
        // The first exchange stands, and nobody got its answer.
        return None;
    }
    let answer = expected("token", 200, answer)?.json();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    say(&format!("token {}", OpaqueToken::hash_of(&token).to_hex()));
    Some(token)
}

/// The usager reads, ends the mandate, and takes its history along.
async fn revokes(town: &Town) -> Option<()> {
    let mandate = &town.mandate.mandate.id;
    let (usager, authenticated_at) = (town.usager.clone(), town.app().now());
    let who = Who::Usager { usager, authenticated_at, level: "eidas1".to_owned() };
    let home = browser(town, who).await?;
    let own = format!("/usager/mandates/{mandate}");
    for page in ["/usager", &own, &format!("{own}/history")] {
        let (page, _) = answered(async || home.get(page).await).await?;
        expected("reading", 200, page)?;
        say("read");
    }
    let (ended, again) = answered(async || home.post(&format!("{own}/end"), &[]).await).await?;
    if !(again && ended.status == 409) {
        expected("end", 303, ended)?;
    }
    say(&format!("ended {mandate}"));
    let (file, _) = answered(async || home.get(&format!("{own}/history/file")).await).await?;
    let file = expected("file", 200, file)?;
    say("read");
    let policy = Policy::of_log(&[signer().verifier()]);
    let history = History::parse(&file.body).expect("a history");
    let proved = history.verify(&policy).expect("its proofs");
    assert!(proved.len() >= 4, "proposed, consented, accepted, ended");
    for (step, proved) in history.steps.iter().zip(proved) {
        let leaf = to_hex(leaf_hash(&proved.entry.to_bytes()).as_bytes());
        let (event, size) = (proved.entry.id(), proved.witnessed.checkpoint.size);
        say(&format!("receipt {event} {} {leaf} {size}", step.proof.index));
    }
    Some(())
}
