//! mod_auth_openidc under Debian's Apache, a certified relying party, before a page that shows what it was told.

use super::{Outside, Shown, Stage, visit};
use crate::openid::refusals::revoke;
use crate::openid::{Browser, PRIME, SECRET, draft};
use crate::support::database::{TestDatabase, on_both};
use crate::support::world;
use axum::Router;
use axum::http::HeaderMap;
use porteplume::service::outbox;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The page behind it, which tells who it believes is there.
async fn page() -> String {
    let page = |headers: HeaderMap| async move {
        let told =
            |name: &str| headers.get(name).map_or("nobody", |value| value.to_str().unwrap()).to_owned();
        format!("{} {}", told("oidc_claim_given_name"), told("oidc_claim_birthdate"))
    };
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", socket.local_addr().unwrap());
    let site = Router::new().fallback(page);
    tokio::spawn(async move { axum::serve(socket, site).await.unwrap() });
    origin
}

/// A service at the second site of the stage.
async fn stage(database: TestDatabase) -> Stage {
    let behind = page().await;
    let stage = Stage::new(database, |front| {
        let (op, rp, ca) = (front.origin(), front.second(), front.authority());
        format!(
            "OIDCProviderMetadataURL {op}/.well-known/openid-configuration\nOIDCClientID apache\nOIDCClientSecret {SECRET}\n\
             OIDCRedirectURI {rp}/cb\nOIDCCryptoPassphrase \"exec:/usr/bin/openssl rand -hex 16\"\nOIDCPKCEMethod S256\nOIDCScope \"openid given_name birthdate\"\n\
             OIDCCABundlePath {}\nOIDCPassClaimsAs both\n<Location />\nAuthType openid-connect\nRequire valid-user\n</Location>\n\
             <Location /bye>\nAuthType None\nRequire all granted\n</Location>\nProxyPass / {behind}/\n",
            ca.display()
        )
    })
    .await;
    let mut apache = draft("apache");
    let rp = stage.front.second();
    apache["redirect_uris"] = json!([format!("{rp}/cb")]);
    apache["post_logout_redirect_uris"] = json!([format!("{rp}/bye")]);
    apache["backchannel_logout_uri"] = json!(format!("{rp}/cb?logout=backchannel"));
    apache["procedures"] = json!([PRIME]);
    world::client(stage.town.app(), apache).await;
    stage
}

/// A browser at the service; the same one with us.
struct There<'s> {
    ours: Browser<'s>,
    theirs: Outside,
}

impl<'s> There<'s> {
    async fn new(stage: &'s Stage) -> Self {
        Self { ours: stage.town.browser().await, theirs: Outside::new(&stage.front) }
    }

    async fn get(&mut self, address: &str) -> Shown {
        self.theirs.get_as(address, "").await
    }

    /// Sent on to us, and back with a code; gives that address.
    async fn sent_back(&mut self, stage: &Stage) -> String {
        let sent = self.get(&format!("{}/dossier", stage.front.second())).await;
        assert_eq!(sent.status, 302, "{}", stage.front.log());
        let answer = visit(stage, &mut self.ours, &sent.location).await;
        answer["location"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Signs in; gives what the protected page says.
    async fn signs_in(&mut self, stage: &Stage) -> String {
        let back = self.sent_back(stage).await;
        let entered = self.get(&back).await;
        assert_eq!((entered.status, entered.location), (302, format!("{}/dossier", stage.front.second())));
        self.get(&format!("{}/dossier", stage.front.second())).await.body
    }

    /// Whether the page lets this browser in.
    async fn is_in(&mut self, stage: &Stage) -> bool {
        self.get(&format!("{}/dossier", stage.front.second())).await.status == 200
    }
}

on_both! {
    mod_auth_openidc_passes(database) {
        let stage = stage(database).await;
        let mut there = There::new(&stage).await;
        assert_eq!(there.signs_in(&stage).await, "Rose 1942-02-28");

        // Forged state: the code of another's request, or no request at all.
        let mut other = There::new(&stage).await;
        let back = other.sent_back(&stage).await;
        let (before, _) = back.split_once("state=").unwrap();
        for forged in [format!("{before}state=forged"), back.replace("state=", "state=x")] {
            let answer = other.get(&forged).await;
            assert!(answer.status >= 400 || !answer.location.ends_with("/dossier"), "{}", answer.location);
            assert!(!other.is_in(&stage).await);
        }
        let mut stranger = There::new(&stage).await;
        assert!(!stranger.get(&back).await.location.ends_with("/dossier"), "another browser's answer");
        assert!(!stranger.is_in(&stage).await);

        // Logout that the service begins.
        let rp = stage.front.second();
        let out = there.get(&format!("{rp}/cb?logout={}", url::form_urlencoded::byte_serialize(format!("{rp}/bye").as_bytes()).collect::<String>())).await;
        assert!(out.location.starts_with(&format!("{}/end_session?", stage.front.origin())), "{}", out.location);
        let answer = visit(&stage, &mut there.ours, &out.location).await;
        assert_eq!(answer["location"], format!("{rp}/bye"));
        assert!(!there.is_in(&stage).await);

        // Logout that we begin: the person ends the mandate.
        assert_eq!(there.signs_in(&stage).await, "Rose 1942-02-28");
        revoke(&stage.town).await;
        let mut under_way = JoinSet::new();
        outbox::send_due(stage.town.app(), &mut under_way).await.unwrap();
        while let Some(done) = under_way.join_next().await {
            done.unwrap();
        }
        assert!(!there.is_in(&stage).await, "{}", stage.front.log());
        stage.town.test.verifies().await;
    }
}
