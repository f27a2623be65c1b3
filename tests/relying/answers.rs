//! What we make of FranceConnect's answers (contract `franceconnect.md`, section 2): those it would not give sign nobody
//! in, each under its code.

use super::forger::{Answer, Script, Signature};
use super::franceconnect::BOTH;
use super::{Case, callback, now, query_of};
use crate::sandbox::client;
use crate::space::elsewhere::{Window, identified};
use crate::support::database::on_both;
use crate::support::state::State;
use porteplume::config::Provider;
use porteplume::demo::Flavour;
use porteplume::relying::CallbackQuery;
use serde_json::json;

/// Registered at a forger as at the platform of that flavour.
pub(super) async fn registered(flavour: Flavour) -> Case {
    Case::with(|provider| {
        let issuer = provider.issuer.clone();
        *provider = Provider { issuer, ..client().registration(flavour, "") };
    })
    .await
}

/// Answers as FranceConnect gives them.
pub(super) fn sound(flavour: Flavour) -> impl FnOnce(&mut Script) {
    move |script| {
        let token = script.id_token.as_object_mut().unwrap();
        token.remove("amr");
        let level = if flavour == Flavour::Citizens { "eidas1" } else { "eidas2" };
        token.insert("acr".to_owned(), json!(level));
        script.userinfo = json!({
            "sub": token["sub"], "iss": token["iss"], "aud": token["aud"], "iat": token["iat"], "exp": token["exp"],
            "given_name": "Rose", "given_name_array": ["Rose"],
        });
        script.userinfo_signature = Some(Signature::Own);
    }
}

/// Five parts, as an encrypted token has.
const JWE: &str = "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImN0eSI6IkpXVCJ9..YWFhYWFhYWFhYWFh.YQ.YWFhYWFhYWFhYWFhYWFhYQ";

#[tokio::test]
async fn an_answer_franceconnect_would_not_give_signs_nobody_in() {
    type Twist = fn(&mut Script);
    let rows: [(&str, &str, Twist); 26] = [
        ("what it does give", "signed_in", |_| ()),
        ("another nonce", "id_token_nonce", |s| s.id_token["nonce"] = json!("n".repeat(43))),
        ("no nonce", "id_token_nonce", |s| drop(s.id_token.as_object_mut().unwrap().remove("nonce"))),
        ("expired", "id_token_time", |s| s.id_token["exp"] = json!(now().seconds() - 31)),
        ("from the future", "id_token_time", |s| s.id_token["iat"] = json!(now().seconds() + 31)),
        ("another issuer", "id_token_issuer", |s| s.id_token["iss"] = json!("https://other.example/api/v2")),
        ("another client", "id_token_audience", |s| s.id_token["aud"] = json!("other")),
        ("an old sign-in", "id_token_auth_time", |s| s.id_token["auth_time"] = json!(now().seconds() - 31)),
        ("no acr", "id_token_acr", |s| drop(s.id_token.as_object_mut().unwrap().remove("acr"))),
        ("a lower level", "id_token_acr", |s| s.id_token["acr"] = json!("eidas0")),
        ("a level nobody knows", "id_token_acr", |s| s.id_token["acr"] = json!("gold")),
        ("alg none", "id_token_algorithm", |s| s.id_token_signature = Signature::None),
        ("HS256 in place of ES256", "id_token_algorithm", |s| s.id_token_signature = Signature::Secret),
        ("another's signature", "id_token_signature", |s| s.id_token_signature = Signature::Stranger),
        ("an unpublished key", "id_token_unknown_key", |s| s.id_token_signature = Signature::Second),
        ("an encrypted ID token", "token_answer_malformed", |s| {
            let answer = json!({"access_token": "a", "token_type": "Bearer", "id_token": JWE});
            s.instead.insert("token", Answer::json(&answer));
        }),
        ("someone else's userinfo", "userinfo_subject", |s| s.userinfo["sub"] = json!("person-2")),
        ("userinfo about nobody", "userinfo_subject", |s| {
            drop(s.userinfo.as_object_mut().unwrap().remove("sub"));
        }),
        ("plain userinfo", "userinfo_format", |s| s.userinfo_signature = None),
        ("unsigned userinfo", "userinfo_signature", |s| s.userinfo_signature = Some(Signature::None)),
        ("userinfo with HS256", "userinfo_signature", |s| s.userinfo_signature = Some(Signature::Secret)),
        ("userinfo of another's", "userinfo_signature", |s| s.userinfo_signature = Some(Signature::Stranger)),
        ("userinfo of another issuer", "userinfo_party", |s| {
            s.userinfo["iss"] = json!("https://other.example");
        }),
        ("userinfo for another client", "userinfo_party", |s| s.userinfo["aud"] = json!("other")),
        ("expired userinfo", "userinfo_party", |s| s.userinfo["exp"] = json!(now().seconds() - 31)),
        ("encrypted userinfo", "userinfo_format", |s| {
            let headers = vec![("content-type", "application/jwt".to_owned())];
            let answer = Answer { status: 200, headers, body: JWE.as_bytes().to_vec() };
            s.instead.insert("userinfo", answer);
        }),
    ];
    for flavour in BOTH {
        for (name, code, twist) in rows {
            let case = registered(flavour).await;
            let outcome = case.code(|script| {
                sound(flavour)(script);
                twist(script);
            });
            assert_eq!(outcome.await, code, "{name}");
        }
    }
    let high = registered(Flavour::CitizensPlus).await;
    let low = high.code(|script| {
        sound(Flavour::CitizensPlus)(script);
        script.id_token["acr"] = json!("eidas1");
    });
    assert_eq!(low.await, "id_token_acr", "FranceConnect's level is not FranceConnect+'s");
}

#[tokio::test]
async fn an_error_at_the_callback_signs_nobody_in_and_is_believed_with_our_state_alone() {
    type Twist = fn(&mut CallbackQuery);
    let rows: [(&str, Option<&str>, Twist); 9] = [
        ("access_denied", Some("access_denied"), |_| ()),
        ("provider_error", Some("invalid_acr"), |_| ()),
        ("provider_error", Some("server_error"), |_| ()),
        ("provider_error", Some("invalid_request"), |_| ()),
        ("state_mismatch", Some("invalid_idp_hint"), |q| q.state = Some("undefined".to_owned())),
        ("state_mismatch", None, |q| q.state = Some("undefined".to_owned())),
        ("state_mismatch", Some("access_denied"), |q| q.state = None),
        ("callback_issuer", None, |q| q.iss = None),
        ("callback_issuer", None, |q| q.iss = Some("https://other.example/api/v2".to_owned())),
    ];
    let case = registered(Flavour::Citizens).await;
    let begun = case.begin().await;
    for (code, error, twist) in rows {
        let mut query = callback(&case.forger, &begun);
        if let Some(error) = error {
            (query.code, query.error) = (None, Some(error.to_owned()));
        }
        twist(&mut query);
        let refused = case.party.complete(&query, &begun.expected, now()).await;
        assert_eq!(refused.err().map(|error| error.code()), Some(code), "{error:?}");
    }
    assert_eq!(case.forger.calls("token"), 0);
}

on_both! {
    a_callback_whose_state_franceconnect_lost_signs_nobody_in(database) {
        let (world, origin) = identified(database).await;
        let window = Window::stranger(&world, &origin).await;
        let sent = window.here.post("/usager/sign-in", &[]).await;
        let lost = window.there.get(&format!("{}&idp_hint=elsewhere", sent.location)).await.location();
        assert_eq!(query_of(&lost)["state"], "undefined");
        let before = State::of(&world.test.database).await;
        let answer = window.here.get(&format!("{}?{}", lost.path(), lost.query().unwrap())).await;
        assert_eq!((answer.status, answer.location.as_str()), (400, ""), "{}", answer.body);
        assert!(answer.body.contains("sign_in_flow_unknown"), "{}", answer.body);
        assert_eq!(window.here.get("/usager").await.status, 303, "nobody is signed in");
        assert_eq!(State::of(&world.test.database).await, before);
    }
}
