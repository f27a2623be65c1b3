//! How a representation ends: asked for by the service, by its aidant, or with the session.

use super::*;
use crate::support::database::on_both;

/// Opens a representation; gives its ID token and its access token.
async fn opened(browser: &Browser<'_>) -> (String, String) {
    let answer = browser.town.exchange(&browser.code(&[]).await, &[]).await.json();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("id_token"), text("access_token"))
}

fn logout(pairs: &[(&str, &str)]) -> String {
    format!("/end_session?{}", form(pairs))
}

on_both! {
    oidcc_rp_initiated_logout(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let (hint, token) = opened(&browser).await;
        let state = "s".repeat(128);
        let pairs = [("id_token_hint", &*hint), ("post_logout_redirect_uri", AFTER), ("state", &state)];
        let sent = browser.get(&logout(&pairs)).await;
        assert_eq!((sent.status, sent.location()), (303, &*format!("{AFTER}?state={state}")));
        assert_eq!(town.userinfo(&token).await.status, 401);
        assert_eq!(town.open_representations().await, 0);
        let silent = browser.get(&format!("/authorize?{}", request(&[("prompt", "none")]))).await;
        let (error, code) = (silent.sent_on("error"), silent.sent_on("code"));
        assert_eq!((error.as_deref(), code), (Some("account_selection_required"), None), "then prompt=none fails");
        assert!(!browser.code(&[]).await.is_empty(), "the aidant is still signed in, for others");
        assert_eq!(town.entries("representation.closed").await, [""]);
    }

    a_logout_that_is_not_ours_is_asked_about(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let (hint, token) = opened(&browser).await;
        let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}"), hint.split('.').nth(1).unwrap());
        for pairs in [
            &[("id_token_hint", &*hint), ("post_logout_redirect_uri", "https://evil.example/")][..],
            &[("id_token_hint", &*hint), ("post_logout_redirect_uri", &*format!("{AFTER}?a=b"))],
            &[("id_token_hint", &*none), ("post_logout_redirect_uri", AFTER)],
            &[("post_logout_redirect_uri", AFTER), ("state", "x")],
            &[],
        ] {
            let page = browser.get(&logout(pairs)).await;
            assert_eq!((page.status, page.location()), (200, ""), "{pairs:?}");
            assert!(page.body.contains("end-session-form"));
        }
        let elsewhere = town.browser().await.get(&logout(&[("id_token_hint", &hint)])).await;
        assert!(elsewhere.body.contains("end-session-form"), "another browser's session");
        assert_eq!(town.userinfo(&token).await.status, 200, "nothing happened yet");
        let done = browser.post("/end_session/confirm", &[]).await;
        assert_eq!((done.status, done.location()), (303, "/signed-out"));
        assert_eq!(town.userinfo(&token).await.status, 401);
        assert_eq!(browser.get("/aidant/factor").await.status, 303, "signed out");
    }

    a_logout_where_nobody_is_signed_in_asks_nothing(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let (hint, token) = opened(&browser).await;
        let stranger = town.stranger();
        assert_eq!(stranger.get(&logout(&[("state", "x")])).await.location(), "/signed-out");
        assert_eq!(town.userinfo(&token).await.status, 200);
        let pairs = [("id_token_hint", &*hint), ("post_logout_redirect_uri", AFTER)];
        let by_form = town.post("/end_session", "", form(&pairs)).await;
        assert_eq!(by_form.location(), AFTER, "a form from the service comes without our cookie");
        assert_eq!(town.userinfo(&token).await.status, 401);
    }

    signing_out_here_closes_what_was_open(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let (_, token) = opened(&browser).await;
        assert_eq!(browser.post("/sign-out", &[]).await.status, 303);
        assert_eq!((town.userinfo(&token).await.status, town.open_representations().await), (401, 0));
        assert_eq!(town.count("SELECT count(*) FROM representation WHERE close_reason = 'signed_out'").await, 1);
    }

    an_aidant_closes_their_own_representation_and_nobody_elses(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let (_, token) = opened(&browser).await;
        let id = porteplume::mandate::RepresentationId::parse(&{
            let mut raw = town.test.database.raw().await;
            let row = sqlx::query("SELECT id FROM representation").fetch_one(&mut raw).await.unwrap();
            row.get::<String, _>(0)
        }).unwrap();
        let colleague = world::aidant(town.app(), &town.organisation).await;
        let other = town.browser_of(world::fresh(town.app(), &colleague)).await;
        let close = async |browser: &Browser<'_>| {
            let session = browser.session.as_ref().unwrap();
            porteplume::service::represent::close(town.app(), session, &Caller::default(), &id).await
        };
        assert_eq!(close(&other).await.unwrap_err().code(), "not_found");
        assert_eq!((town.userinfo(&token).await.status, town.open_representations().await), (200, 1));
        assert_eq!(town.entries("access.refused").await, ["not_found"]);
        close(&browser).await.unwrap();
        close(&browser).await.unwrap();
        assert_eq!(town.userinfo(&token).await.status, 401);
        assert_eq!(town.entries("representation.closed").await, [""], "closed once");
    }
}
