//! The flow itself, from the request to the claims.

use super::*;
use crate::support::database::on_both;
use axum::http::Request;
use porteplume::crypto::sha256;
use porteplume::mandate::Instant;
use porteplume::service::{Error, upkeep};
use porteplume::storage::assertions;

fn seconds(at: Instant) -> i64 {
    at.seconds()
}

on_both! {
    oidcc_server(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let sent = browser.confirms(&handle, &town.mandate, PRIME).await;
        assert_eq!((sent.status, sent.sent_on("state").as_deref()), (303, Some(STATE)));
        assert!(sent.location().starts_with("https://caisse.example/cb?dummy1=lorem&code="), "{}", sent.location());
        assert_eq!(sent.sent_on("iss").as_deref(), Some(ISSUER));
        let answer = town.exchange(&sent.sent_on("code").unwrap(), &[]).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
        assert_eq!(answer.header("content-type"), "application/json");
        let answer = answer.json();
        assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(300)));
        assert_eq!(answer["scope"], "openid given_name birthdate");

        let token = answer["access_token"].as_str().unwrap();
        let id_token = claims(answer["id_token"].as_str().unwrap());
        let now = seconds(town.app().now());
        assert_eq!((&id_token["iss"], &id_token["aud"]), (&json!(ISSUER), &json!("caisse")));
        assert_eq!((&id_token["nonce"], &id_token["iat"]), (&json!("n-0S6_WzA2Mj"), &json!(now)));
        assert_eq!((&id_token["auth_time"], &id_token["exp"]), (&json!(now), &json!(now + 300)));
        assert_eq!((&id_token["acr"], &id_token["act"]["acr"]), (&json!("eidas1"), &json!("eidas2")));
        assert_eq!(id_token["act"]["organisation"]["name"], "Mairie de Démonstration");
        assert_eq!(id_token["at_hash"], json!(URL_SAFE_NO_PAD.encode(&sha256(token.as_bytes())[..16])));
        let details = &id_token["authorization_details"][0];
        assert_eq!(*details, answer["authorization_details"][0]);
        assert_eq!(details["identifier"], town.mandate.mandate.id.as_str());
        assert_eq!((&details["procedure"], &details["type"]), (&json!(PRIME), &json!("mandate")));
        let index = town.count("SELECT leaf.idx FROM leaf JOIN event_search ON event_search.event_id = leaf.event_id \
            WHERE kind = 'representation.opened'").await;
        assert_eq!(details["journal"]["index"], json!(index));
        assert_eq!(details["journal"]["origin"], "porteplume.test/journal");
        for identity in ["given_name", "family_name", "birthdate", "name"] {
            assert_eq!(id_token.get(identity), None, "{identity} was asked of userinfo, not of the ID token");
        }

        let given = town.userinfo(token).await;
        assert_eq!((given.status, given.header("cache-control")), (200, "no-store"));
        let expected = json!({"sub": id_token["sub"], "given_name": "Rose", "birthdate": "1942-02-28"});
        assert_eq!(given.json(), expected, "asked for and registered, nothing else");
        for kind in ["authorization.choice_offered", "representation.opened", "representation.tokens_issued",
            "representation.claims_released"] {
            assert_eq!(town.entries(kind).await, [""], "{kind}");
        }
        assert_eq!((town.open_representations().await, town.refused_rows().await), (1, 0));
    }

    an_access_token_comes_by_header_or_form_and_never_in_an_address(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let answer = town.exchange(&browser.code(&[]).await, &[]).await.json();
        let token = answer["access_token"].as_str().unwrap();
        let by_header = town.post("/userinfo", &format!("Bearer {token}"), "").await;
        let by_body = town.post("/userinfo", "", form(&[("access_token", token)])).await;
        assert_eq!((by_header.status, by_body.status), (200, 200), "{}", by_body.body);
        assert_eq!(by_header.json(), by_body.json());
        let in_query = town.get(&format!("/userinfo?access_token={token}")).await;
        assert_eq!(in_query.status, 400);
    }

    oidcc_server_client_secret_post(database) {
        let town = Town::new(database).await;
        let mut by_post = draft("caisse-post");
        by_post["auth_method"] = json!("client_secret_post");
        world::client(town.app(), by_post).await;
        let browser = town.browser().await;
        let code = browser.code(&[("client_id", "caisse-post")]).await;
        let by_header = town.exchange_as(&basic("caisse-post", SECRET), &code, &[]).await;
        assert_eq!((by_header.status, by_header.json()["error"].as_str()), (401, Some("invalid_client")));
        let shown = [("client_id", "caisse-post"), ("client_secret", SECRET)];
        assert_eq!(town.exchange_as("", &code, &shown).await.status, 200);
        assert_eq!(town.entries("client.authentication_refused").await, ["client_auth_method"]);
    }

    oidcc_ensure_request_without_nonce_succeeds_for_code_flow(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let code = browser.code(&[("nonce", ""), ("state", "")]).await;
        let answer = town.exchange(&code, &[]).await.json();
        assert_eq!(claims(answer["id_token"].as_str().unwrap()).get("nonce"), None);
    }

    oidcc_ensure_request_with_unknown_parameter_succeeds(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        for extra in [("extra", "foobar"), ("display", "popup"), ("login_hint", "rose"), ("ui_locales", "se fr"),
            ("claims_locales", "fr"), ("acr_values", "eidas1 eidas2"), ("claims", "{}")] {
            assert!(!browser.code(&[extra]).await.is_empty(), "{}", extra.0);
        }
    }

    oidcc_ensure_post_request_succeeds(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let asked_again = town.post("/authorize", "", request(&[])).await;
        assert_eq!(asked_again.status, 303);
        assert!(asked_again.header("set-cookie").is_empty(), "the browser's session is not overwritten");
        assert_eq!(browser.get(asked_again.location()).await.status, 200);
    }

    subjects_are_the_same_within_a_sector_and_strangers_across(database) {
        let town = Town::new(database).await;
        let mut other = draft("impots");
        other["redirect_uris"] = json!(["https://impots.example/cb"]);
        other["sector"] = json!("impots.example");
        world::client(town.app(), other).await;
        let browser = town.browser().await;
        let mut names = Vec::new();
        for changes in [&[][..], &[], &[("client_id", "impots"), ("redirect_uri", "https://impots.example/cb")]] {
            let code = browser.code(changes).await;
            let (client, uri) = match changes {
                [] => ("caisse", REDIRECT),
                _ => ("impots", "https://impots.example/cb"),
            };
            let answer = town.exchange_as(&basic(client, SECRET), &code, &[("redirect_uri", uri)]).await.json();
            let token = claims(answer["id_token"].as_str().unwrap());
            names.push((token["sub"].clone(), token["act"]["sub"].clone()));
        }
        assert_eq!(names[0], names[1]);
        assert!(names[0].0 != names[2].0 && names[0].1 != names[2].1);
        assert!(!names[0].0.as_str().unwrap().contains(town.usager.as_str()));
    }

    a_later_representation_at_the_same_service_replaces_the_earlier_one(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let first = town.exchange(&browser.code(&[]).await, &[]).await.json();
        let second = town.exchange(&browser.code(&[]).await, &[]).await.json();
        let userinfo = async |answer: &Value| town.userinfo(answer["access_token"].as_str().unwrap()).await.status;
        assert_eq!((userinfo(&first).await, userinfo(&second).await), (401, 200));
        let replaced = "SELECT count(*) FROM representation WHERE close_reason = 'replaced'";
        assert_eq!((town.count(replaced).await, town.open_representations().await), (1, 1));
        assert_eq!(town.entries("representation.claims_refused").await, ["representation_closed"]);
    }

    a_representation_ends_with_the_hour_and_its_tokens_within_five_minutes(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let answer = town.exchange(&browser.code(&[]).await, &[]).await.json();
        let token = answer["access_token"].as_str().unwrap();
        town.test.clock.advance(time::Duration::minutes(5));
        assert_eq!(town.userinfo(token).await.status, 401);
        assert_eq!(town.entries("representation.claims_refused").await, ["token_not_live"]);
        let life = "SELECT (ends_at - opened_at) / 60000000 FROM representation";
        assert_eq!(town.count(life).await, 60);
    }

    discovery_and_keys_may_be_kept_for_a_while(database) {
        let town = Town::new(database).await;
        let metadata = town.get("/.well-known/openid-configuration").await;
        assert_eq!((metadata.status, metadata.header("content-type")), (200, "application/json"));
        assert_eq!(metadata.json()["issuer"], ISSUER);
        let keys = town.get("/jwks").await;
        assert!(keys.json()["keys"].as_array().unwrap().len() >= 4, "both algorithms, this key and the next");
        for answer in [&metadata, &keys] {
            assert_eq!(answer.header("cache-control"), "public, max-age=300");
            assert!(!answer.body.contains("\"d\""));
        }
        let alg = |answer: &Value| {
            let header = answer["id_token"].as_str().unwrap().split('.').next().unwrap().to_owned();
            let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
            header["alg"].as_str().unwrap().to_owned()
        };
        let mut rsa = draft("caisse-rsa");
        rsa["id_token_alg"] = json!("RS256");
        world::client(town.app(), rsa).await;
        let browser = town.browser().await;
        let code = browser.code(&[("client_id", "caisse-rsa")]).await;
        assert_eq!(alg(&town.exchange_as(&basic("caisse-rsa", SECRET), &code, &[]).await.json()), "RS256");
        assert_eq!(alg(&town.exchange(&browser.code(&[]).await, &[]).await.json()), "ES256");
    }

    an_assertion_proves_a_client_once(database) {
        let town = Town::new(database).await;
        let key = porteplume::crypto::TokenKey::from_pkcs8("k", porteplume::crypto::JwsAlg::Es256,
            &STANDARD.decode("MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/\
                zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt".replace(char::is_whitespace, "")).unwrap()).unwrap();
        let mut signing = draft("caisse-jwt");
        signing.as_object_mut().unwrap().remove("secret_hash");
        signing["auth_method"] = json!("private_key_jwt");
        signing["jwks"] = json!({"keys": [key.public_jwk()]});
        world::client(town.app(), signing).await;
        let now = seconds(town.app().now());
        let assertion = |jti: &str| {
            let claims = json!({"iss": "caisse-jwt", "sub": "caisse-jwt", "aud": ISSUER, "jti": jti, "iat": now,
                "exp": now + 60});
            porteplume::crypto::sign_jws(&key, "JWT", claims.to_string().as_bytes()).unwrap()
        };
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let browser = town.browser().await;
        let (one, two) = (assertion("one"), assertion("two"));
        let mut statuses = Vec::new();
        for jwt in [&one, &one, &two] {
            let code = browser.code(&[("client_id", "caisse-jwt")]).await;
            let shown = [("client_assertion_type", kind), ("client_assertion", jwt.as_str())];
            statuses.push(town.exchange_as("", &code, &shown).await.status);
        }
        assert_eq!(statuses, [200, 401, 200]);
        assert_eq!(town.entries("client.authentication_refused").await, ["client_assertion_replayed"]);
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 2);
    }

    a_used_assertion_is_remembered_until_it_can_serve_no_more(database) {
        let town = Town::new(database).await;
        let ends = town.app().now().plus(time::Duration::minutes(1));
        let first = async || {
            let taken = town.app().commit("test.assertion", move |tx| Box::pin(async move {
                let client = ClientId::parse("caisse").map_err(|_| Error::Unreadable)?;
                Ok(assertions::take(tx, &client, "jti", ends).await?)
            }));
            taken.await.unwrap()
        };
        assert!(first().await);
        // An hour longer than it counts.
        for (minutes, still_known) in [(0, true), (60, true), (1, false)] {
            town.test.clock.advance(time::Duration::minutes(minutes));
            upkeep::purge(town.app()).await.unwrap();
            assert_eq!(first().await, !still_known, "{minutes}");
        }
    }

    what_is_not_asked_for_properly_is_answered_in_oauths_own_words(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let code = browser.code(&[]).await;
        let caller = basic("caisse", SECRET);
        let usual = form(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)]);
        for (authorization, body, status, error) in [
            ("", usual.clone(), 401, "invalid_client"),
            (basic("caisse", "wrong").as_str(), usual.clone(), 401, "invalid_client"),
            (basic("nobody", SECRET).as_str(), usual.clone(), 401, "invalid_client"),
            (&caller, "grant_type=password".to_owned(), 400, "unsupported_grant_type"),
            (&caller, String::new(), 400, "invalid_request"),
            (&caller, "grant_type=authorization_code&code=%FF%FE&redirect_uri=x".to_owned(), 400, "invalid_request"),
            (&caller, format!("{usual}&code=again"), 400, "invalid_request"),
            (&caller, usual.replace("code=", "code=x"), 400, "invalid_grant"),
            (&caller, "a".repeat(20_000), 400, "invalid_request"),
        ] {
            let answer = town.post("/token", authorization, body.clone()).await;
            assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{body:.80}");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        let too_large = town.post("/token", &caller, "a".repeat(2_000_000)).await;
        assert_eq!((too_large.status, too_large.json()["error"].as_str()), (413, Some("invalid_request")));
        let refused = town.entries("client.authentication_refused").await;
        assert_eq!(refused.len(), 4, "{refused:?}");
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
        let no_token = town.ask(Request::get("/userinfo").body(Body::empty()).unwrap()).await;
        assert_eq!((no_token.status, no_token.header("www-authenticate")), (401, "Bearer realm=\"porteplume\""));
        assert_eq!(town.userinfo("made-up").await.status, 401);
    }
}
