//! FAPI 2.0 Security Profile Final: the modules about proof of possession (RFC 9449).

use super::fapi2_assertions::rsa_key;
use super::*;
use crate::support::database::on_both;
use porteplume::crypto::TokenKey;
use time::Duration;

fn invalid_proof() -> (u16, String) {
    (400, "invalid_dpop_proof".to_owned())
}

fn shown(scheme: &str, token: &str) -> Vec<String> {
    vec![format!("{scheme} {token}")]
}

/// Entries of one instant have no order of their own.
fn sorted(mut codes: Vec<String>) -> Vec<String> {
    codes.sort_unstable();
    codes
}

/// Pushes with these changes and proofs, and carries the choice through; gives the code.
async fn code_of(browser: &Browser<'_>, changes: &[(&str, &str)], proofs: &[&str]) -> String {
    let town = browser.town;
    let pushed = ONE.push_proven(town, &ONE.assertion(town, &[]), changes, proofs).await;
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let sent = ONE.answers(browser, pushed.json()["request_uri"].as_str().unwrap()).await;
    sent.sent_on("code").unwrap_or_else(|| panic!("a code: {}", sent.location()))
}

/// A whole flow in which every proof is changed so.
async fn flow_with(database: TestDatabase, changes: impl Fn(i64) -> Vec<(&'static str, Value)>) {
    let town = fapi_town(database).await;
    let browser = town.browser().await;
    let (holder, changes) = (ONE.holder(), changes(town.app().now().seconds()));
    let code = code_of(&browser, &[], &[&holder.proof(&town, AT_PAR, &changes)]).await;
    let proof = holder.proof(&town, AT_TOKEN, &changes);
    let answer = ONE.exchange_proven(&town, &ONE.assertion(&town, &[]), (&code, &[]), &[&proof]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let given = userinfo(&town, &shown("DPoP", &token), &[&holder.proof_of(&town, &token, &changes)]).await;
    assert_eq!(given.status, 200, "{}", given.body);
}

/// A code bound so is exchanged with the other key: refused, and still there for the right one.
async fn only_with_its_key(database: TestDatabase, by_parameter: bool, right_alone: bool) {
    let town = fapi_town(database).await;
    let browser = town.browser().await;
    let (jkt, proof) = (ONE.holder().thumbprint(), ONE.holder().proof(&town, AT_PAR, &[]));
    let code = if by_parameter {
        code_of(&browser, &[("dpop_jkt", &jkt)], &[]).await
    } else {
        code_of(&browser, &[], &[&proof]).await
    };
    if !right_alone {
        let other = Holder(50).proof(&town, AT_TOKEN, &[]);
        let refused = ONE.exchange_proven(&town, &ONE.assertion(&town, &[]), (&code, &[]), &[&other]).await;
        assert_eq!(told(&refused), (400, "invalid_grant".to_owned()));
        assert_eq!(town.entries("representation.code_exchange_refused").await, ["code_of_other_key"]);
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
    }
    assert_eq!(ONE.exchange(&town, &code, &[]).await.status, 200);
    let jkts = "SELECT count(*) FROM access_token WHERE dpop_jkt IS NOT NULL";
    assert_eq!(town.count(jkts).await, 1);
}

on_both! {
    a_nonce_that_ran_out_is_answered_with_one_to_use_and_costs_nothing(database) {
        let town = fapi_town(database).await;
        let holder = ONE.holder();
        let pushed = ONE.push_proven(&town, &ONE.assertion(&town, &[]), &[], &[&holder.proof(&town, AT_PAR, &[])]).await;
        assert_eq!(pushed.status, 201);
        let old = pushed.header("dpop-nonce").to_owned();
        assert!(old.len() >= 22, "{old}");
        let none = ONE.push(&town, &[]).await;
        assert_eq!(none.header("dpop-nonce"), "", "only for whoever sends proofs");
        town.test.clock.advance(Duration::minutes(10));
        let browser = town.browser().await;
        let code = ONE.code(&browser, &[]).await;
        let with = |nonce: &str| holder.proof(&town, AT_TOKEN, &[("nonce", json!(nonce))]);
        let refused = ONE.exchange_proven(&town, &ONE.assertion(&town, &[]), (&code, &[]), &[&with(&old)]).await;
        assert_eq!(told(&refused), (400, "use_dpop_nonce".to_owned()));
        assert_eq!(town.entries("representation.code_exchange_refused").await, ["dpop_nonce"]);
        let new = refused.header("dpop-nonce").to_owned();
        assert_ne!(new, old);
        let answer = ONE.exchange_proven(&town, &ONE.assertion(&town, &[]), (&code, &[]), &[&with(&new)]).await;
        assert_eq!(answer.status, 200, "the code was not spent: {}", answer.body);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        for (nonce, status) in [(&old, 401), (&new, 200)] {
            let proof = holder.proof_of(&town, &token, &[("nonce", json!(nonce))]);
            let given = userinfo(&town, &shown("DPoP", &token), &[&proof]).await;
            assert_eq!((given.status, given.header("dpop-nonce")), (status, new.as_str()));
            assert_eq!(given.header("www-authenticate").contains("error=\"use_dpop_nonce\""), status == 401);
        }
    }

    fapi2_security_profile_final_happy_flow(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let nonce = "n".repeat(43);
        assert_eq!(ONE.id_token(&browser, &[("nonce", &nonce)]).await["nonce"], nonce);
        let jkt = TWO.holder().thumbprint();
        let code = TWO.code(&browser, &[("dpop_jkt", &jkt)]).await;
        assert!(code.len() >= 43, "256 bits");
        let answer = TWO.exchange(&town, &code, &[]).await.json();
        assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("DPoP"), &json!(300)));
        let id_token = claims(answer["id_token"].as_str().unwrap());
        assert_eq!((&id_token["aud"], &id_token["iss"]), (&json!(TWO.id), &json!(ISSUER)));
        let token = answer["access_token"].as_str().unwrap();
        assert!(token.len() >= 43, "256 bits");
        let stranger = ONE.holder().proof_of(&town, token, &[]);
        let refused = userinfo(&town, &shown("DPoP", token), &[&stranger]).await;
        assert_eq!(told(&refused), (401, "invalid_token".to_owned()), "the first client's key, the second's token");
        let proof = TWO.holder().proof_of(&town, token, &[]);
        let in_query = Request::get(format!("/userinfo?access_token={token}")).header("dpop", &proof);
        assert_eq!(town.ask(in_query.body(Body::empty()).unwrap()).await.status, 400);
        let given = userinfo(&town, &shown("DPoP", token), &[&proof]).await;
        assert_eq!((given.status, &given.json()["sub"]), (200, &id_token["sub"]));
        assert_eq!(town.entries("representation.claims_refused").await, ["dpop_other_key"]);
    }

    fapi2_security_profile_final_access_token_type_header_case_sensitivity(database) {
        let town = fapi_town(database).await;
        let token = ONE.token(&town.browser().await).await;
        for scheme in ["DPoP", "dpop", "DPOP"] {
            let proof = ONE.holder().proof_of(&town, &token, &[]);
            assert_eq!(userinfo(&town, &shown(scheme, &token), &[&proof]).await.status, 200, "{scheme}");
        }
    }

    fapi2_security_profile_final_check_dpop_proof_nbf_exp(database) {
        flow_with(database, |now| vec![("nbf", json!(now)), ("exp", json!(now + 300))]).await;
    }

    fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_before_succeeds(database) {
        flow_with(database, |now| vec![("iat", json!(now - 10))]).await;
    }

    fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_after_succeeds(database) {
        flow_with(database, |now| vec![("iat", json!(now + 10))]).await;
    }

    fapi2_security_profile_final_ensure_mismatched_dpop_jkt_fails(database) {
        let town = fapi_town(database).await;
        let (jkt, proof) = (ONE.holder().thumbprint(), Holder(50).proof(&town, AT_PAR, &[]));
        let refused = ONE.push_proven(&town, &ONE.assertion(&town, &[]), &[("dpop_jkt", &jkt)], &[&proof]).await;
        assert_eq!(told(&refused), invalid_proof());
        assert_eq!(town.entries("authorization.refused").await, ["dpop_other_key"]);
        assert_eq!(kept(&town).await, 0);
    }

    fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(database) {
        only_with_its_key(database, false, false).await;
    }

    fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(database) {
        only_with_its_key(database, true, false).await;
    }

    fapi2_security_profile_final_ensure_dpopproof_at_par_endpoint_binding_success(database) {
        only_with_its_key(database, false, true).await;
    }

    fapi2_security_profile_final_ensure_dpop_auth_code_binding_success(database) {
        only_with_its_key(database, true, true).await;
    }

    fapi2_security_profile_final_ensure_holder_of_key_required(database) {
        let town = fapi_town(database).await;
        let code = ONE.code(&town.browser().await, &[]).await;
        let holder = ONE.holder();
        let (one, two) = (holder.proof(&town, AT_TOKEN, &[]), holder.proof(&town, AT_TOKEN, &[]));
        let elsewhere = holder.proof(&town, AT_PAR, &[]);
        for (proofs, code_noted) in [
            (vec![], "dpop_absent"),
            (vec![one.as_str(), two.as_str()], "dpop_malformed"),
            (vec![elsewhere.as_str()], "dpop_request"),
        ] {
            let refused = ONE.exchange_proven(&town, &ONE.assertion(&town, &[]), (&code, &[]), &proofs).await;
            assert_eq!(told(&refused), invalid_proof(), "{code_noted}");
        }
        let noted = sorted(town.entries("representation.code_exchange_refused").await);
        assert_eq!(noted, ["dpop_absent", "dpop_malformed", "dpop_request"]);
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
        assert_eq!(ONE.exchange(&town, &code, &[]).await.status, 200, "the code was not spent");
    }

    fapi2_security_profile_final_dpop_negative_tests(database) {
        let town = fapi_town(database).await;
        let token = ONE.token(&town.browser().await).await;
        let (holder, now) = (ONE.holder(), town.app().now().seconds());
        let claims = || json!({
            "jti": jti(), "htm": "GET", "htu": format!("{ISSUER}/userinfo"), "iat": now, "ath": ath(&token),
        });
        let header = || json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": holder.jwk()});
        let by = |seed: u8, changes: &[(&str, Value)]| signed(seed, &changed(header(), changes), &claims());
        let rsa: TokenKey = rsa_key();
        let mut private = holder.jwk();
        private["d"] = json!(URL_SAFE_NO_PAD.encode([holder.0; 32]));
        let rs256 = {
            let jwk = serde_json::to_value(rsa.public_jwk()).unwrap();
            let header = changed(header(), &[("alg", json!("RS256")), ("jwk", changed(jwk, &[("alg", Value::Null)]))]);
            let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let signed = format!("{}.{}", text(&header), text(&claims()));
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(rsa.sign(signed.as_bytes()).unwrap()))
        };
        let good = holder.proof_of(&town, &token, &[]);
        let (unsigned, _) = good.rsplit_once('.').unwrap();
        let mut bad = vec![
            ("dpop_malformed", "no JWT".to_owned()), ("dpop_malformed", "a.b.c".to_owned()),
            ("dpop_malformed", "A".repeat(64 * 1024)),
            ("dpop_malformed", by(holder.0, &[("typ", Value::Null)])), ("dpop_malformed", by(holder.0, &[("typ", json!("JWT"))])),
            ("dpop_malformed", by(holder.0, &[("jwk", Value::Null)])),
            ("dpop_signature", by(holder.0, &[("alg", Value::Null)])), ("dpop_signature", by(holder.0, &[("alg", json!("HS256"))])),
            ("dpop_signature", by(holder.0, &[("alg", json!("none"))])), ("dpop_signature", format!("{unsigned}.")),
            ("dpop_signature", rs256), ("dpop_signature", by(9, &[])), ("dpop_signature", by(holder.0, &[("crit", json!(["b64"]))])),
            ("dpop_key", by(holder.0, &[("jwk", private)])),
            ("dpop_other_key", Holder(50).proof_of(&town, &token, &[])),
        ];
        for (name, value, code) in [
            ("jti", Value::Null, "dpop_malformed"), ("htm", Value::Null, "dpop_malformed"), ("htu", Value::Null, "dpop_malformed"),
            ("iat", Value::Null, "dpop_malformed"), ("ath", Value::Null, "dpop_token"), ("htm", json!("POST"), "dpop_request"),
            ("htu", json!(format!("{ISSUER}/token")), "dpop_request"), ("iat", json!(now - 3600), "dpop_time"),
            ("iat", json!(now + 3600), "dpop_time"), ("ath", json!(ath("another token")), "dpop_token"),
        ] {
            bad.push((code, holder.proof_of(&town, &token, &[(name, value)])));
        }
        let bound = shown("DPoP", &token);
        for (code, proof) in &bad {
            let refused = userinfo(&town, &bound, &[proof]).await;
            assert_eq!(refused.status, 401, "{code}: {}", refused.body);
            assert!(refused.header("www-authenticate").starts_with("DPoP realm="), "{code}");
        }
        let expected = sorted(bad.iter().map(|(code, _)| (*code).to_owned()).collect());
        assert_eq!(sorted(town.entries("representation.claims_refused").await), expected);
        let fresh = || holder.proof_of(&town, &token, &[]);
        for (authorizations, proofs, status) in [
            (bound.clone(), vec![], 401),
            (bound.clone(), vec![fresh(), fresh()], 401),
            (shown("Bearer", &token), vec![fresh()], 401),
            (shown("Bearer", &token), vec![], 401),
            ([bound.clone(), bound.clone()].concat(), vec![fresh()], 400),
        ] {
            let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
            assert_eq!(userinfo(&town, &authorizations, &proofs).await.status, status, "{} {}", authorizations.len(), proofs.len());
        }
        let in_body = town.post("/userinfo", "", form(&[("access_token", &token)])).await;
        assert_eq!(in_body.status, 401, "the body is no way round the proof");
        assert!(town.entries("representation.claims_released").await.is_empty());

        let with = |changes: &[(&str, Value)]| holder.proof_of(&town, &token, changes);
        for proof in [
            with(&[("htu", json!(format!("{ISSUER}/userinfo?a=b#c")))]),
            with(&[("htu", json!("HTTPS://MANDATS.example.fr:443/userinfo"))]),
            with(&[("extra", json!({"a": ["b"]}))]),
            good.clone(),
        ] {
            assert_eq!(userinfo(&town, &bound, &[&proof]).await.status, 200);
        }
        let replayed = userinfo(&town, &bound, &[&good]).await;
        assert_eq!(told(&replayed), (401, "invalid_dpop_proof".to_owned()), "a proof works once");
        assert_eq!(town.entries("representation.claims_released").await.len(), 4);
    }

    a_proof_works_once_whichever_replica_it_is_shown_to(database) {
        let town = fapi_town(database).await;
        let elsewhere = town.beside(town.test.replica().await);
        let browser = town.browser().await;
        let token = ONE.token(&browser).await;
        let proof = ONE.holder().proof_of(&town, &token, &[]);
        let bound = shown("DPoP", &token);
        let proofs = [proof.as_str()];
        let (one, two) = tokio::join!(userinfo(&town, &bound, &proofs), userinfo(&elsewhere, &bound, &proofs));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
        assert_eq!(town.entries("representation.claims_refused").await, ["dpop_replayed"]);
        let at_par = ONE.holder().proof(&town, AT_PAR, &[]);
        for (town, expected) in [(&town, 201), (&elsewhere, 400)] {
            let pushed = ONE.push_proven(town, &ONE.assertion(town, &[]), &[], &[&at_par]).await;
            assert_eq!(pushed.status, expected, "{}", pushed.body);
        }
        assert_eq!(town.entries("authorization.refused").await, ["dpop_replayed"]);
        let code = ONE.code(&browser, &[]).await;
        let at_token = ONE.holder().proof(&town, AT_TOKEN, &[]);
        for (given, expected) in [("made-up", "invalid_grant"), (&code, "invalid_dpop_proof")] {
            let refused = ONE.exchange_proven(&town, &ONE.assertion(&town, &[]), (given, &[]), &[&at_token]).await;
            assert_eq!(told(&refused), (400, expected.to_owned()));
        }
        assert_eq!(ONE.exchange(&town, &code, &[]).await.status, 200, "the code was not spent");
    }

    plain_openid_connect_may_bind_its_tokens_too_and_need_not(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let plain = town.exchange(&browser.code(&[]).await, &[]).await.json();
        assert_eq!(plain["token_type"], "Bearer");
        let token = plain["access_token"].as_str().unwrap();
        let proof = Holder(50).proof_of(&town, token, &[]);
        let claimed = userinfo(&town, &shown("DPoP", token), &[&proof]).await;
        assert_eq!(told(&claimed), (401, "invalid_token".to_owned()), "it is bound to no key");
        assert_eq!(town.userinfo(token).await.status, 200);
        let jkt = Holder(50).thumbprint();
        let code = browser.code(&[("dpop_jkt", &jkt)]).await;
        assert_eq!(told(&town.exchange(&code, &[]).await), (400, "invalid_grant".to_owned()), "no proof of its key");
        let body = form(&[
            ("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER),
            ("client_id", "caisse"),
        ]);
        let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", basic("caisse", SECRET)).header("dpop", Holder(50).proof(&town, AT_TOKEN, &[]));
        let bound = town.ask(request.body(Body::from(body)).unwrap()).await.json();
        assert_eq!(bound["token_type"], "DPoP");
        let token = bound["access_token"].as_str().unwrap();
        assert_eq!(town.userinfo(token).await.status, 401, "whoever stole it has nothing");
        let proof = Holder(50).proof_of(&town, token, &[]);
        assert_eq!(userinfo(&town, &shown("DPoP", token), &[&proof]).await.status, 200);
    }
}
