//! Identity providers that answer, and the persons who go there and come back.

use crate::mandates::world::{Answer, Browser, World};
use crate::sandbox::browser::Browser as There;
use crate::support::app::TestApp;
use crate::support::database::TestDatabase;
use porteplume::clock::SystemEntropy;
use porteplume::config::{Provider, Secret};
use porteplume::demo::{Flavour, IdentityProvider, SandboxClient, serve};
use porteplume::service::Who;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A provider that answers, and where it is.
pub(crate) async fn provider(test: &TestApp, flavour: Flavour, name: &str) -> (Provider, String) {
    let client = SandboxClient {
        client_id: "porteplume".to_owned(),
        name: "Porteplume".to_owned(),
        client_secret: Secret::new("a secret of more than thirty-two characters".to_owned()),
        redirect_uris: vec![format!("https://mandats.example.fr/callback/{name}")],
        post_logout_redirect_uris: vec!["https://mandats.example.fr/signed-out".to_owned()],
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let registration = client.registration(flavour, &origin);
    let (clock, entropy) = (Arc::new(test.clock.clone()), Arc::new(SystemEntropy));
    let provider = IdentityProvider::new(flavour, &origin, vec![client], clock, entropy).unwrap();
    tokio::spawn(serve(listener, provider.router(), std::future::pending()));
    (registration, origin)
}

/// A world whose usagers come by a provider that answers.
pub(crate) async fn identified(database: TestDatabase) -> (World, String) {
    let test = TestApp::over(database).await;
    let (registration, origin) = provider(&test, Flavour::Citizens, "citizens").await;
    (World::of(test.identified_by(registration)).await, origin)
}

/// Nobody's browser yet.
pub(crate) async fn stranger(world: &World) -> Browser<'_> {
    world.in_hands_of(Who::Anonymous).await
}

/// One person's window: their cookies here, and those at the provider.
pub(crate) struct Window<'w> {
    pub(crate) here: Browser<'w>,
    pub(crate) there: There,
    origin: String,
}

impl<'w> Window<'w> {
    pub(crate) async fn stranger(world: &'w World, origin: &str) -> Self {
        Self::on(stranger(world).await, origin)
    }

    /// A window of that browser's which has not been at the provider yet.
    pub(crate) fn on(here: Browser<'w>, origin: &str) -> Self {
        Self { here, there: There::new(), origin: origin.to_owned() }
    }

    /// Goes to the provider and is known there; gives the path of ours to come back by.
    pub(crate) async fn identifies(&self, door: &str, person: &str) -> String {
        let sent = self.here.post(door, &[]).await;
        self.goes(&sent, person).await
    }

    /// Follows the way to the provider, where that person is known.
    pub(crate) async fn goes(&self, sent: &Answer, person: &str) -> String {
        assert_eq!(sent.status, 303, "{}", sent.body);
        let page = self.there.get(&sent.location).await;
        let form = [("request", page.hidden("request")), ("person", person.to_owned())];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let back = self.there.post(&format!("{}/choose", self.origin), &form).await.location();
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    /// Goes there and comes back; gives the path it came by.
    pub(crate) async fn signs_in(&mut self, door: &str, person: &str) -> String {
        let back = self.identifies(door, person).await;
        let came = self.here.follow(&back).await;
        assert_eq!(came.status, 303, "{}", came.body);
        back
    }
}
