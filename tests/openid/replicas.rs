//! Two instances of the service on one database: what one ended, the other refuses at once.

use super::*;
use crate::support::database::on_both;

/// The usager ends the mandate, or one procedure of it, in their own space.
async fn ends(town: &Town, what: &str) {
    let (usager, authenticated_at) = (town.usager.clone(), town.app().now());
    let home = town.browser_of(Who::Usager { usager, authenticated_at, level: "eidas1".to_owned() }).await;
    let ended = home.post(&format!("/usager/mandates/{}{what}", town.mandate.mandate.id), &[]).await;
    assert_eq!(ended.status, 303, "{}", ended.body);
}

async fn live_tokens(town: &Town) -> i64 {
    town.count("SELECT count(*) FROM access_token WHERE revoked_at IS NULL").await
}

on_both! {
    what_one_replica_revokes_every_other_refuses_at_once(database) {
        for (what, code) in [("/end", "mandate_revoked"), ("/procedures/prime-activite/end", "procedure_withdrawn")] {
            let here = Town::new(TestDatabase::fresh(database.engine()).await).await;
            let there = here.beside(here.test.replica().await);
            let (one, two, three) = (here.browser().await, here.browser().await, here.browser().await);
            let (one, two, three) = (one.at(&there), two.at(&there), three.at(&there));
            let token = there.exchange(&one.code(&[]).await, &[]).await.json();
            let token = token["access_token"].as_str().unwrap();
            assert_eq!(there.userinfo(token).await.status, 200);
            let unused = two.code(&[]).await;
            let handle = three.asks(&[]).await;
            ends(&here, what).await;
            assert_eq!(there.userinfo(token).await.status, 401, "between token and userinfo");
            let late = there.exchange(&unused, &[]).await;
            assert_eq!((late.status, late.json()["error"].as_str()), (400, Some("invalid_grant")), "between code and token");
            let refused = three.confirms(&handle, &there.mandate, PRIME).await;
            assert_eq!((refused.status, refused.location()), (403, ""), "between choice and code");
            assert!(refused.body.contains(code), "{code}: {}", refused.body);
            let silent = one.get(&format!("/authorize?{}", request(&[("prompt", "none")]))).await;
            let error = silent.sent_on("error");
            assert_eq!((error.as_deref(), silent.sent_on("code")), (Some("account_selection_required"), None));
            assert_eq!((there.open_representations().await, live_tokens(&there).await), (0, 0));
            assert_eq!(there.count("SELECT count(*) FROM access_token").await, 1, "no other was given");
            assert_eq!(there.entries("representation.claims_refused").await, [code]);
            assert_eq!(there.entries("representation.code_exchange_refused").await, [code]);
            assert_eq!(there.entries("representation.refused").await, [code]);
        }
    }

    a_revocation_and_an_exchange_at_the_same_instant_leave_nothing_alive(database) {
        let here = Town::new(database).await;
        let there = here.beside(here.test.replica().await);
        let browser = here.browser().await;
        let code = browser.code(&[]).await;
        let (answer, ()) = tokio::join!(there.exchange(&code, &[]), ends(&here, "/end"));
        match answer.status {
            // It came first, and died with the mandate.
            200 => assert_eq!(there.userinfo(answer.json()["access_token"].as_str().unwrap()).await.status, 401),
            400 => assert_eq!(answer.json()["error"], "invalid_grant"),
            other => panic!("{other}: {}", answer.body),
        }
        assert_eq!((here.open_representations().await, live_tokens(&here).await), (0, 0));
        assert_eq!(here.entries("mandate.ended").await, [""]);
        assert_eq!(here.entries("representation.claims_released").await, Vec::<String>::new());
    }
}
