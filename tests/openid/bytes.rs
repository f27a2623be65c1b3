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
        let page = |answer: &Answer, status, code: &str| {
            assert_eq!((answer.status, answer.location()), (status, ""), "{}", answer.body);
            assert!(answer.body.contains(code), "{code}: {}", answer.body);
        };
        let told = |answer: &Answer, status| {
            assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some("invalid_request")), "{}", answer.body);
        };
        for bad in [&b"%FF%FE"[..], b"\xff\xfe", b"%C3%28", b"%ED%A0%80"] {
            let with = |text: &str| [text.as_bytes(), b"&x=", bad].concat();
            told(&town.post("/token", &caller, with(&usual)).await, 400);
            told(&town.post("/userinfo", "Bearer made-up", with("y=z")).await, 400);
            page(&town.post("/authorize", "", with(&request(&[]))).await, 400, "request_not_text");
            page(&town.post("/end_session", "", with("state=x")).await, 400, "request_not_text");
        }
        // A NUL is text, but none that a database takes.
        for name in ["client_id", "state", "nonce", "scope", "redirect_uri", "code_challenge", "login_hint"] {
            let asked = browser.get(&format!("/authorize?{}", request(&[(name, "a\0b")]))).await;
            page(&asked, 400, "request_not_text");
        }
        for name in ["client_id", "code", "redirect_uri", "code_verifier"] {
            let answer = town.exchange_as(if name == "client_id" { "" } else { &caller }, "a", &[(name, "a\0b")]).await;
            told(&answer, 400);
        }
        let nobody = town.exchange_as(&basic("a\0b", "a\0b"), &code, &[]).await;
        assert_eq!((nobody.status, nobody.json()["error"].as_str()), (401, Some("invalid_client")));
        let unknown = town.userinfo("a%00b").await;
        assert_eq!((unknown.status, unknown.json()["error"].as_str()), (401, Some("invalid_token")));
        // More than parameters may be, then more than any body may.
        for (bytes, status, code) in [(20_000, 400, "request_too_large"), (70_000, 413, "body_too_large")] {
            let body = format!("{usual}&x={}", "x".repeat(bytes));
            told(&town.post("/token", &caller, body.clone()).await, status);
            told(&town.post("/userinfo", "Bearer made-up", body.clone()).await, 400);
            for path in ["/authorize", "/end_session"] {
                page(&town.post(path, "", body.clone()).await, status, code);
            }
        }
        assert_eq!(State::of(database).await, before);
        assert_eq!(town.exchange(&code, &[]).await.status, 200, "the code was not spent");
    }
}
