//! Whoever steals the database learns no secret and no person: no column of any table holds one in clear.

use super::silence::lives;
use super::*;
use crate::mandates::world::{Browser as Desk, World};
use crate::space::elsewhere::{Window, identified};
use crate::space::world::{stored, usager_of};
use crate::support::database::on_both;
use crate::support::state::Stolen;
use porteplume::crypto::normalise_code;
use porteplume::demo::people::CITIZENS;

/// What must not rest in clear.
type Secrets = Vec<(&'static str, Vec<u8>)>;

/// The session a browser holds just now.
async fn session(secrets: &mut Secrets, desk: &Desk<'_>) {
    secrets.push(("a session's secret", desk.cookie.clone().into_bytes()));
    secrets.push(("the token of a session's forms", desk.token().await.expect("a session").into_bytes()));
}

/// What the provider sent somebody back with.
fn sent_back(secrets: &mut Secrets, path: &str) {
    let (_, query) = path.split_once('?').unwrap();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "state" || name == "code" {
            secrets.push(("what a sign-in is known by", value.into_owned().into_bytes()));
        }
    }
}

/// A mandate from its proposal to its paper, its usager identified by a provider that answers.
async fn grants(world: &World, issuer: &str, secrets: &mut Secrets) -> MandateRow {
    let desk = world.signed_in(&world.aidant).await;
    session(secrets, &desk).await;
    secrets.push(("the factor's seed", desk.factor().seed.expose().to_vec()));
    secrets.push(("the factor's key", desk.factor().seed.base32().expose().as_bytes().to_vec()));
    for code in &desk.factor().recovery {
        secrets.push(("a recovery code", code.clone().into_bytes()));
        secrets.push(("a recovery code as it is compared", normalise_code(code).into_bytes()));
    }
    let mandate = world.proposed_for(&desk, &[PRIME]).await;
    let mut window = Window::on(desk, issuer);
    window.here.hand_over(&mandate).await;
    session(secrets, &window.here).await;
    sent_back(secrets, &window.signs_in("/consent/identify", "jean-martin-paris").await);
    session(secrets, &window.here).await;
    let said = window.here.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
    assert_eq!(world.state(&mandate).await, "consented", "{}", said.body);
    session(secrets, &window.here).await;
    window.here.unlock().await;
    session(secrets, &window.here).await;
    let recovery = window.here.factor().recovery[0].clone();
    assert_eq!(window.here.send("/aidant/factor", &[("code", &recovery)]).await.status, 303, "it serves");
    let accepted = window.here.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
    assert_eq!(accepted.status, 303, "{}", accepted.body);
    let code = window.here.get(&format!("/aidant/mandates/{mandate}/print")).await.verification_code();
    secrets.push(("the verification code as it is compared", normalise_code(&code).into_bytes()));
    secrets.push(("the verification code", code.into_bytes()));
    stored(world, &mandate).await
}

/// A representation under it.
async fn acts(world: &World, mandate: MandateRow, secrets: &mut Secrets) {
    world::client(&world.app, draft("caisse")).await;
    let town = Town {
        test: world.test.clone(),
        service: world.service.clone(),
        organisation: world.organisation.clone(),
        aidant: world.aidant.clone(),
        usager: usager_of(world, &mandate.mandate.id).await,
        mandate,
    };
    let code = town.browser().await.code(&[]).await;
    let answer = town.exchange(&code, &[]).await.json();
    for name in ["access_token", "id_token"] {
        secrets.push(("a token", answer[name].as_str().unwrap().as_bytes().to_vec()));
    }
    assert_eq!(town.userinfo(answer["access_token"].as_str().unwrap()).await.status, 200);
    for (what, secret) in
        [("a code", code.as_str()), ("the service's secret", SECRET), ("the verifier", VERIFIER)]
    {
        secrets.push((what, secret.as_bytes().to_vec()));
    }
}

/// The persons of the journey.
fn persons(secrets: &mut Secrets) {
    let usager = CITIZENS.iter().find(|citizen| citizen.key == "jean-martin-paris").unwrap();
    let of_usager = [usager.given_name, usager.family_name, usager.birthdate, usager.email.unwrap()];
    secrets.extend(of_usager.map(|text| ("who the usager is", text.as_bytes().to_vec())));
    let of_aidant = ["Camille", "Le Goff-O’Brien", "@mairie.example"];
    secrets.extend(of_aidant.map(|text| ("who the aidant is", text.as_bytes().to_vec())));
}

on_both! {
    after_the_whole_way_of_a_mandate_a_stolen_database_tells_no_secret_and_no_person(database) {
        let (world, issuer) = identified(database).await;
        let mut secrets = Secrets::new();
        persons(&mut secrets);
        let mandate = grants(&world, &issuer, &mut secrets).await;
        let id = mandate.mandate.id.clone();
        acts(&world, mandate, &mut secrets).await;
        let mut home = Window::stranger(&world, &issuer).await;
        sent_back(&mut secrets, &home.signs_in("/usager/sign-in", "jean-martin-paris").await);
        session(&mut secrets, &home.here).await;
        assert_eq!(home.here.get(&format!("/usager/mandates/{id}")).await.status, 200);
        assert_eq!(home.here.post(&format!("/usager/mandates/{id}/end"), &[]).await.status, 303);

        let stolen = Stolen::from(&world.test.database).await;
        let mut raw = world.test.database.raw().await;
        let sealed = sqlx::query("SELECT seed_sealed FROM factor").fetch_one(&mut raw).await.unwrap();
        assert!(stolen.holds(id.as_str()) && stolen.holds("mandate.ended"), "these are the database's bytes");
        assert!(stolen.holds(sealed.get::<Vec<u8>, _>(0)), "those of columns of bytes, too");
        assert!(secrets.len() > 40, "{}", secrets.len());
        for (what, secret) in &secrets {
            assert!(secret.len() > 4 && !stolen.holds(secret), "{what} rests in clear: {}", secret.escape_ascii());
        }
    }

    a_stolen_database_tells_no_secret_and_no_person(database) {
        let town = Town::new(database).await;
        let told = lives(&town).await;
        let stolen = Stolen::from(&town.test.database).await;
        assert!(stolen.holds(town.usager.as_str()) && stolen.holds("mandate.ended"), "these are the database's bytes");
        for (what, secret) in &told.secrets {
            assert!(!stolen.holds(secret), "{what} rests in clear");
        }
    }
}
