//! Bytes that are no text, and more of them than anyone sends, at the doors that services use.

use super::*;
use crate::support::database::on_both;
use crate::support::state::State;

on_both! {
    bytes_that_are_no_text_and_bodies_too_large_do_nothing_at_the_protocols_doors(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let (code, caller) = (browser.code(&[]).await, basic("caisse", SECRET));
        let database = &town.test.database;
        let before = State::of(database).await;
        let usual = form(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)]);
        for bad in [&b"%FF%FE"[..], b"\xff\xfe", b"%C3%28", b"%ED%A0%80"] {
            let with = |text: &str| [text.as_bytes(), b"&x=", bad].concat();
            let token = town.post("/token", &caller, with(&usual)).await;
            assert_eq!((token.status, token.json()["error"].as_str()), (400, Some("invalid_request")), "{bad:?}");
            let claims = town.post("/userinfo", "Bearer made-up", with("y=z")).await;
            assert!([400, 401].contains(&claims.status), "{bad:?}: {}", claims.body);
            let asked = town.post("/authorize", "", with(&request(&[]))).await;
            assert_eq!((asked.status, asked.location()), (400, ""), "{bad:?}: {}", asked.body);
            let ended = town.post("/end_session", "", with("state=x")).await;
            assert!((400..500).contains(&ended.status) && ended.location().is_empty(), "{bad:?}: {}", ended.status);
        }
        // A NUL is text, but none that a database takes.
        for name in ["client_id", "state", "nonce", "scope", "redirect_uri", "code_challenge", "login_hint"] {
            let asked = browser.get(&format!("/authorize?{}", request(&[(name, "a\0b")]))).await;
            assert!(asked.status < 500 && asked.sent_on("code").is_none(), "{name}: {}", asked.body);
        }
        for name in ["client_id", "code", "redirect_uri", "code_verifier"] {
            let answer = town.exchange_as(if name == "client_id" { "" } else { &caller }, "a", &[(name, "a\0b")]).await;
            assert_eq!(answer.status, 400, "{name}: {}", answer.body);
        }
        assert_eq!(town.exchange_as(&basic("a\0b", "a\0b"), &code, &[]).await.status, 401);
        assert_eq!(town.userinfo("a%00b").await.status, 401);
        let large = "x".repeat(70_000);
        for (path, authorization) in [("/token", caller.as_str()), ("/userinfo", "Bearer made-up"), ("/authorize", ""), ("/end_session", "")] {
            let answer = town.post(path, authorization, format!("{usual}&x={large}")).await;
            assert!([400, 413].contains(&answer.status) && answer.location().is_empty(), "{path}: {}", answer.status);
        }
        assert_eq!(State::of(database).await, before);
        assert_eq!(town.exchange(&code, &[]).await.status, 200, "the code was not spent");
    }
}
