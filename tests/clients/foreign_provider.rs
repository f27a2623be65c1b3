//! Aidants who come from oidc-provider (npm), a certified provider, over TLS.

use super::{Outside, in_real_time, node, trusting};
use crate::mandates::world::World;
use crate::support::app::TestApp;
use crate::support::database::on_both;
use crate::support::front::Front;
use porteplume::config::{Algorithm, AuthMethod, Provider, Secret, UserinfoFormat};
use porteplume::mandate::{EventKind, Role};
use porteplume::service::manage::{self, Invited, Manager};
use porteplume::service::{Caller, Who};
use serde_json::json;
use time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const SCRIPT: &str = include_str!("npm/oidc-provider.mjs");
const SECRET: &str = "a secret of more than thirty-two characters";

fn registration(issuer: String) -> Provider {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Provider {
        label: "Fournisseur d’agents".to_owned(),
        issuer,
        client_id: "porteplume".to_owned(),
        client_secret: Secret::new(SECRET.to_owned()),
        auth_method: AuthMethod::ClientSecretPost,
        scopes: texts(&["given_name", "usual_name", "email", "siret"]),
        acr_values: texts(&["eidas2"]),
        accepted_acr: texts(&["eidas1", "eidas2"]),
        pkce: true,
        ui_locales: true,
        login_hint: false,
        claims: Some(
            json!({"id_token": {"amr": null, "acr": {"essential": true, "values": ["eidas1", "eidas2"]}}}),
        ),
        userinfo: UserinfoFormat::Jwt,
        algorithms: vec![Algorithm::Es256],
        second_factor_acr: texts(&["eidas2"]),
        second_factor_amr: Vec::new(),
    }
}

/// Goes to the provider as that person, and comes back.
async fn comes(world: &World, there: &mut Outside, person: &str) -> (u16, String, Option<Who>) {
    let mut here = world.in_hands_of(Who::Anonymous).await;
    let mut sent = here.post("/aidant/sign-in", &[]).await.location;
    while !sent.starts_with("https://mandats.example.fr/") {
        let answer = there.get_as(&sent, person).await;
        assert!(matches!(answer.status, 302 | 303), "{sent}: {} {}", answer.status, answer.body);
        sent = answer.location;
    }
    let came = here.follow(sent.strip_prefix("https://mandats.example.fr").unwrap()).await;
    (came.status, came.location, here.session().await.map(|session| session.who))
}

on_both! {
    an_aidant_signs_in_from_oidc_provider(database) {
        let mut provider = node(None, "oidc-provider.mjs", SCRIPT, &["https://mandats.example.fr/callback/agents", SECRET]);
        let (mut told, said) = (provider.stdin.take().unwrap(), provider.stdout.take().unwrap());
        let mut said = BufReader::new(said).lines();
        let port = said.next_line().await.unwrap().unwrap();
        let front = Front::before(&format!("http://127.0.0.1:{port}"), |_| String::new()).await;
        told.write_all(format!("{}\n", front.origin()).as_bytes()).await.unwrap();
        assert_eq!(said.next_line().await.unwrap().as_deref(), Some("ready"));

        let test = TestApp::over(database).await.employed_over(registration(front.origin()), &trusting(&front));
        let time = in_real_time(&test.clock);
        let world = World::of(test).await;
        let nora = Invited {
            given_name: "Nora",
            family_name: "Le Goff",
            email: "nora.legoff@mediatheque.example",
            role: Role::Aidant,
        };
        let (by, caller) = (Manager::Operator, Caller::default());
        manage::invite_aidant(&world.app, &by, &caller, &world.organisation, nora).await.unwrap();

        let mut there = Outside::new(&front);
        let (status, _, who) = comes(&world, &mut there, "nora eidas2").await;
        let Some(Who::Aidant { factor_at, level, .. }) = who else { panic!("signed in: {status}") };
        assert_eq!((level.as_str(), factor_at.is_some()), ("eidas2", true), "the provider's own factor counts");

        let (.., who) = comes(&world, &mut Outside::new(&front), "nora eidas1").await;
        let Some(Who::Aidant { factor_at, .. }) = who else { panic!("signed in") };
        assert!(factor_at.is_none(), "below eidas2 our own factor is asked for");

        let (status, _, who) = comes(&world, &mut Outside::new(&front), "personne eidas2").await;
        assert!(status >= 400 && !matches!(who, Some(Who::Aidant { .. })), "nobody invited them");
        assert_eq!(world.entries(EventKind::SignInRefused, Some("not_registered")).await, 1);

        let (.., who) = comes(&world, &mut Outside::new(&front), "nora eidas3").await;
        assert!(!matches!(who, Some(Who::Aidant { .. })), "a level nobody asked for is not accepted");

        // New keys at the provider are found at a signature we do not know, though not at every one.
        drop(time);
        world.test.clock.advance(Duration::seconds(12));
        assert_eq!(there.get_as(&format!("{}/rotate", front.origin()), "").await.status, 204);
        let (.., who) = comes(&world, &mut Outside::new(&front), "nora eidas2").await;
        assert!(matches!(who, Some(Who::Aidant { .. })));
        world.test.verifies().await;
        told.write_all(b"end\n").await.unwrap();
        assert!(provider.wait().await.unwrap().success());
    }
}
