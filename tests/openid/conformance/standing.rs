//! The resource at which a service follows the representation it holds a token for.

use super::*;
use crate::openid::refusals::revoke;
use crate::support::database::{TestDatabase, on_both, signer};
use porteplume::journal::{LogProof, Policy, Promise};
use porteplume::service::Who;
use porteplume::storage::Engine;

const PATH: &str = "/api/v1/representation";
const OUTCOMES: &str = "SELECT count(*) FROM representation WHERE outcome IS NOT NULL";

/// Asks, with this token shown so and a proof of it for that method.
async fn ask(town: &Town, method: &str, scheme: &str, token: &str, proofs: &[&str], body: &str) -> Answer {
    let request =
        Request::builder().method(method).uri(PATH).header("authorization", format!("{scheme} {token}"));
    let request = proofs.iter().fold(request, |request, proof| request.header("dpop", *proof));
    town.ask(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn proof(town: &Town, method: &str, token: &str) -> String {
    ONE.holder().proof(town, (method, PATH), &[("ath", json!(ath(token)))])
}

async fn read(town: &Town, token: &str) -> Answer {
    ask(town, "GET", "DPoP", token, &[&proof(town, "GET", token)], "").await
}

async fn report(town: &Town, token: &str, body: &Value) -> Answer {
    ask(town, "POST", "DPoP", token, &[&proof(town, "POST", token)], &body.to_string()).await
}

on_both! {
    a_service_follows_its_representation_and_reports_what_was_done(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let code = ONE.code(&browser, &[]).await;
        let given = ONE.exchange(&town, &code, &[]).await.json();
        let token = given["access_token"].as_str().unwrap();
        let sid = &claims(given["id_token"].as_str().unwrap())["sid"];

        let standing = read(&town, token).await;
        assert_eq!((standing.status, standing.header("cache-control")), (200, "no-store"), "{}", standing.body);
        let standing = standing.json();
        assert_eq!((&standing["sid"], &standing["state"]), (sid, &json!("open")));
        assert_eq!(standing["authorization_details"], given["authorization_details"]);
        assert!(standing["ends"].as_i64().unwrap() > town.app().now().seconds());
        assert_eq!(standing.get("outcome"), None);
        assert!(!standing.to_string().contains("Rose"), "names are userinfo's");

        let saved = report(&town, token, &json!({"outcome": "saved"})).await;
        assert_eq!((saved.status, &saved.json()["outcome"]), (200, &json!("saved")));
        let sent = json!({"outcome": "submitted", "receipt": "R-2026-0042"});
        for _ in 0..2 {
            assert_eq!(report(&town, token, &sent).await.json()["outcome"], "submitted");
        }
        assert_eq!(town.entries("representation.outcome_reported").await.len(), 2, "the same again is nothing new");
        let late = report(&town, token, &json!({"outcome": "abandoned"})).await;
        assert_eq!(told(&late), (409, "outcome_final".to_owned()));
        assert_eq!(town.entries("representation.standing_refused").await, ["outcome_final"]);
        assert_eq!(read(&town, token).await.json()["outcome"], "submitted");
        assert_eq!(town.entries("standing.read").await.len(), 2);
        town.test.verifies().await;

        let now = town.app().now();
        let who = Who::Usager { usager: town.usager.clone(), authenticated_at: now, level: "eidas1".to_owned() };
        let hers = town.browser_of(who).await;
        let space = hers.get("/usager").await;
        assert!(space.body.contains("La démarche a été envoyée."), "{}", space.body);
        let history = hers.get(&format!("/usager/mandates/{}/history", town.mandate.mandate.id)).await;
        assert!(history.body.contains("R-2026-0042."), "{}", history.body);
    }

    whoever_may_not_follow_a_representation_changes_nothing(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let token = ONE.token(&browser).await;
        let said = json!({"outcome": "submitted"}).to_string();
        let other = Holder(50).proof(&town, ("POST", PATH), &[("ath", json!(ath(&token)))]);
        let (get, post) = (proof(&town, "GET", &token), proof(&town, "POST", &token));
        for (scheme, proofs, status, error) in [
            ("Bearer", vec![post.as_str()], 401, "invalid_dpop_proof"),
            ("DPoP", vec![], 401, "invalid_dpop_proof"),
            ("DPoP", vec![get.as_str()], 401, "invalid_dpop_proof"),
            ("DPoP", vec![post.as_str(), get.as_str()], 401, "invalid_dpop_proof"),
            ("DPoP", vec![other.as_str()], 401, "invalid_token"),
        ] {
            let refused = ask(&town, "POST", scheme, &token, &proofs, &said).await;
            assert_eq!(told(&refused), (status, error.to_owned()), "{scheme} {}", proofs.len());
            assert!(refused.header("www-authenticate").starts_with("DPoP "));
        }
        assert_eq!(ask(&town, "POST", "DPoP", "made-up", &[&post], &said).await.status, 401);
        for bad in ["", "{}", "outcome=submitted", r#"{"outcome":"done"}"#, r#"{"outcome":"saved","more":1}"#] {
            let refused = ask(&town, "POST", "DPoP", &token, &[&proof(&town, "POST", &token)], bad).await;
            assert_eq!(told(&refused), (400, "invalid_request".to_owned()), "{bad}");
        }
        let in_query = format!("{PATH}?access_token={token}");
        assert_eq!(town.get(&in_query).await.status, 400);
        assert_eq!(town.count(OUTCOMES).await, 0);

        // A token that works for whoever has it is not taken here.
        let plain = town.exchange(&browser.code(&[]).await, &[]).await.json();
        let plain = plain["access_token"].as_str().unwrap();
        assert_eq!(town.userinfo(plain).await.status, 200);
        assert_eq!(ask(&town, "POST", "Bearer", plain, &[], &said).await.status, 401);

        revoke(&town).await;
        assert_eq!(told(&read(&town, &token).await), (401, "invalid_token".to_owned()), "by the next request");
        assert_eq!(report(&town, &token, &json!({"outcome": "submitted"})).await.status, 401);
        assert_eq!(town.count(OUTCOMES).await, 0);
        assert!(town.entries("representation.outcome_reported").await.is_empty());
        town.test.verifies().await;
    }
}

#[tokio::test]
async fn a_report_that_waits_for_its_place_is_accepted_with_a_promise() {
    let town = fapi_town(TestDatabase::fresh(Engine::Postgres).await).await;
    let code = ONE.code(&town.browser().await, &[]).await;
    let given = ONE.exchange(&town, &code, &[]).await.json();
    let token = given["access_token"].as_str().unwrap();
    let slow = town.beside(town.test.held_back().await);
    let waiting = report(&slow, token, &json!({"outcome": "submitted"})).await;
    assert_eq!(waiting.status, 202, "{}", waiting.body);
    let waiting = waiting.json();
    let promised = &waiting["being_recorded"][0];
    let policy = porteplume::journal::policy(&[signer().verifier()], None, &[], 0);
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let promise = Promise::open(promised["promise"].as_str().unwrap(), &policy).unwrap();
    let asked = async |town: &Town| {
        let request = Request::get(promised["proof"].as_str().unwrap());
        town.ask(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(asked(&slow).await.status, 202);
    let fast = slow.beside(slow.test.replica().await);
    let proof = loop {
        let answer = asked(&fast).await;
        if answer.status == 200 {
            break LogProof::parse(&answer.body).unwrap();
        }
    };
    promise.kept_by(&proof, &policy).unwrap();
    assert_eq!(read(&fast, token).await.json()["outcome"], "submitted");
    assert_eq!(fast.entries("representation.outcome_reported").await.len(), 1);
}
