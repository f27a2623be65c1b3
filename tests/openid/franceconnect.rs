//! FranceConnect comes to us as to one identity provider among others (contract `franceconnect.md`, section 1), with a double of it
//! that refuses what it refuses.

use super::conformance::changed;
use super::*;
use crate::support::database::{TestDatabase, on_both};
use crate::support::franceconnect::{FranceConnect, LABELS, PEER, SignedBy};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use porteplume::crypto::{ClientMac, JwsAlg, SecretString, sign_jws};
use porteplume::service::manage;
use porteplume::storage::Engine;
use time::Duration;

const CALLBACK: &str = "https://fcp-low.example/api/v2/oidc-callback";
const LOGGED_OUT: &str = "https://fcp-low.example/api/v2/client/logout-callback";
/// The four themes of the captured request.
const FOUR: &[&str] =
    &["Papier-Citoyenneté-Elections", "Famille-Scolarité", "Social-Santé", "Travail-Formation"];

fn franceconnect() -> FranceConnect {
    FranceConnect {
        issuer: ISSUER,
        client: "franceconnect",
        callback: CALLBACK,
        signed_by: SignedBy::Key(JwsAlg::Es256),
        signed_userinfo: false,
        themes: FOUR,
        allowed_acr: &["eidas1"],
        asked_acr: "eidas1",
        state: "a5".repeat(32),
        nonce: "5a".repeat(32),
    }
}

fn registration() -> Value {
    json!({
        "id": "franceconnect",
        "name": "FranceConnect",
        "profile": "franceconnect",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [LOGGED_OUT],
        "auth_method": "client_secret_post",
        "secret_hash": world::secret_hash(SECRET),
        "leave_uri": "https://fcp-low.example/deconnexion",
        "claims": ["given_name", "family_name", "preferred_username", "gender", "birthdate", "birthplace", "birthcountry", "email"],
        "procedures": [PRIME, PASSPORT, VITALE],
        "sector": "fcp-low.example",
    })
}

async fn town(database: TestDatabase, changes: &[(&str, Value)]) -> Town {
    let town = Town::new(database).await;
    world::client(town.app(), changed(registration(), changes)).await;
    town
}

/// A town with FranceConnect registered for HS256, and its double that was told so.
async fn town_by_secret(database: TestDatabase) -> (Town, FranceConnect) {
    let town = Town::new(database).await;
    let mut draft = changed(registration(), &[("id_token_alg", json!("HS256")), ("userinfo", json!("jwt"))]);
    draft.as_object_mut().unwrap().remove("secret_hash");
    let (draft, secret) = (serde_json::from_value(draft).unwrap(), SecretString::new(SECRET.to_owned()));
    manage::register_client(town.app(), draft, Some(secret)).await.unwrap();
    let fc = FranceConnect { signed_by: SignedBy::Secret(SECRET), signed_userinfo: true, ..franceconnect() };
    (town, fc)
}

/// A browser in which somebody signs in anew after FranceConnect has sent it here; the page of the choice.
async fn arrives<'t>(town: &'t Town, fc: &FranceConnect) -> (Browser<'t>, Answer) {
    let mut browser = town.browser().await;
    town.test.clock.advance(Duration::seconds(2));
    let door = browser.get(&format!("/authorize?{}", fc.request())).await;
    assert_eq!(door.status, 303, "always a fresh sign-in: {}", door.body);
    let waits = door.location().to_owned();
    browser.signs_in_anew().await;
    let page = browser.get(&waits).await;
    (browser, page)
}

/// The token request as captured (section 1.3).
async fn exchanged(town: &Town, code: &str) -> Answer {
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", "franceconnect"),
        ("client_secret", SECRET),
    ];
    town.post("/token", "", form(&pairs)).await
}

/// All the way to a token answer.
async fn connected(town: &Town, fc: &FranceConnect, procedure: &str) -> Value {
    let (browser, page) = arrives(town, fc).await;
    let sent = browser.confirms(&handle_in(&page.body), &town.mandate, procedure).await;
    let code = fc.called_back(sent.status, sent.location()).unwrap().expect("a code");
    let answer = exchanged(town, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn jwks(town: &Town) -> Value {
    town.app().keys.published().to_value()
}

on_both! {
    franceconnect_connects_a_usager_for_the_theme_that_was_chosen(database) {
        let town = town(database, &[]).await;
        let fc = franceconnect();
        let answer = connected(&town, &fc, PRIME).await;
        let id_token = fc.id_token(&answer, &jwks(&town), town.app().now().seconds()).unwrap();
        assert_eq!(id_token["rep_scope"], json!(["Social-Santé"]));
        assert_eq!(fc.verify(&id_token), Ok(true), "and the session may serve for others");
        assert_eq!(id_token["acr"], "eidas1");
        for unsaid in ["act", "authorization_details", "authority", "nbf", "amr"] {
            assert_eq!(id_token.get(unsaid), None, "{unsaid}");
        }
        assert!(!answer.to_string().contains("Mairie"), "nothing of who acts");
        assert_eq!(answer.get("authorization_details"), None);
        let token = answer["access_token"].as_str().unwrap();
        let told = town.userinfo(token).await;
        let identity = fc.identity(told.header("content-type"), &told.body, &jwks(&town)).unwrap();
        assert_eq!(identity["sub"], id_token["sub"]);
        for (claim, value) in [
            ("given_name", "Rose"), ("family_name", "D'Almeida-Müller"), ("birthdate", "1942-02-28"),
            ("gender", "female"), ("birthplace", "75107"), ("birthcountry", "99100"),
        ] {
            assert_eq!(identity[claim], value, "as first received");
        }
        assert!(identity["email"].as_str().unwrap().contains('@'), "the usager's own");
        town.test.verifies().await;
    }

    only_procedures_of_the_themes_asked_for_are_offered(database) {
        let town = town(database, &[]).await;
        let fc = FranceConnect { themes: &["Papier-Citoyenneté-Elections"], ..franceconnect() };
        let (browser, page) = arrives(&town, &fc).await;
        let handle = handle_in(&page.body);
        let usager = [("usager", town.usager.as_str())];
        let choices = browser.post(&format!("/authorize/{handle}/usager"), &usager).await;
        let choices = browser.get(choices.location()).await;
        let mandate = &town.mandate.mandate.id;
        assert!(choices.body.contains(&format!("choice-{mandate}-{PASSPORT}")), "{}", choices.body);
        assert!(!choices.body.contains(&format!("choice-{mandate}-{PRIME}")));
        let refused = browser.confirms(&handle, &town.mandate, PRIME).await;
        assert!(refused.body.contains("service_not_entitled"), "{}", refused.body);
        let sent = browser.confirms(&handle, &town.mandate, PASSPORT).await;
        let code = fc.called_back(sent.status, sent.location()).unwrap().unwrap();
        let answer = exchanged(&town, &code).await.json();
        let id_token = fc.id_token(&answer, &jwks(&town), town.app().now().seconds()).unwrap();
        assert_eq!(fc.verify(&id_token), Ok(true));
        // A theme nobody granted anything of: nobody to choose.
        let fc = FranceConnect { themes: &["Etranger-Europe"], ..franceconnect() };
        let (browser, page) = arrives(&town, &fc).await;
        assert!(!page.body.contains(town.usager.as_str()));
        let refused = browser.confirms(&handle_in(&page.body), &town.mandate, PASSPORT).await;
        assert!(refused.body.contains("service_not_entitled"));
        assert_eq!(town.representations().await, 1);
    }

    a_service_without_a_list_takes_any_theme(database) {
        let town = town(database, &[]).await;
        let fc = FranceConnect { themes: &[], ..franceconnect() };
        let answer = connected(&town, &fc, VITALE).await;
        let id_token = fc.id_token(&answer, &jwks(&town), town.app().now().seconds()).unwrap();
        assert_eq!((&id_token["rep_scope"], fc.verify(&id_token)), (&json!(["Social-Santé"]), Ok(true)));
    }

    userinfo_is_signed_where_franceconnect_is_registered_so(database) {
        let town = town(database, &[("userinfo", json!("jwt"))]).await;
        let fc = FranceConnect { signed_userinfo: true, ..franceconnect() };
        let answer = connected(&town, &fc, PRIME).await;
        let told = town.userinfo(answer["access_token"].as_str().unwrap()).await;
        let identity = fc.identity(told.header("content-type"), &told.body, &jwks(&town)).unwrap();
        assert_eq!((&identity["iss"], &identity["aud"]), (&json!(ISSUER), &json!("franceconnect")));
        let plain = FranceConnect { signed_userinfo: false, ..franceconnect() };
        let other = plain.identity(told.header("content-type"), &told.body, &jwks(&town));
        assert_eq!(other, Err(("Y020027", 502)), "the other kind is refused");
    }

    a_request_that_is_not_franceconnects_is_refused_with_its_state(database) {
        let town = town(database, &[]).await;
        let browser = town.browser().await;
        let fc = franceconnect();
        for more in [
            "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "max_age=10", "login_hint=a", "display=page",
            "response_mode=query", "extra=foobar", "authorization_details=%5B%7B%22type%22%3A%22mandate%22%7D%5D", "dpop_jkt=x",
        ] {
            let answer = browser.get(&format!("/authorize?{}&{more}", fc.request())).await;
            assert_eq!(answer.sent_on("error").as_deref(), Some("invalid_request"), "{more}");
            assert_eq!(fc.called_back(answer.status, answer.location()), Ok(None), "back to its choice of providers");
        }
        let with = |name: &str, value: &str| {
            let pairs: Vec<(String, String)> = form_urlencoded::parse(fc.request().as_bytes()).into_owned().collect();
            let changed = pairs.iter().map(|(n, v)| (n.as_str(), if n == name { value } else { v.as_str() }));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(changed).finish()
        };
        for (name, value) in [
            ("claims", "[]"), ("claims", r#"{"id_token":{"rep_scope":{"values":"Logement"}}}"#), ("claims", "{"), ("prompt", "none"),
        ] {
            let answer = browser.get(&format!("/authorize?{}", with(name, value))).await;
            assert_eq!(answer.sent_on("error").as_deref(), Some("invalid_request"), "{name}={value}");
            assert_eq!(answer.sent_on("state").as_deref(), Some(fc.state.as_str()));
        }
        let elsewhere = browser.get(&format!("/authorize?{}", with("redirect_uri", "https://evil.example/"))).await;
        assert_eq!((elsewhere.status, elsewhere.location()), (400, ""));
        // Pushed requests are not its way, nor a secret in the header.
        let pushed = town.post("/par", "", format!("{}&client_secret={SECRET}", fc.request())).await;
        assert_eq!(pushed.json()["error"], "invalid_request");
        let header = town.exchange_as(&basic("franceconnect", SECRET), "any", &[("redirect_uri", CALLBACK)]).await;
        assert_eq!(header.json()["error"], "invalid_client");
        assert_eq!(town.count("SELECT count(*) FROM authorization_request").await, 0);
    }

    giving_up_leads_back_to_franceconnect_with_its_state(database) {
        let town = town(database, &[]).await;
        let fc = franceconnect();
        let (browser, page) = arrives(&town, &fc).await;
        let sent = browser.post(&format!("/authorize/{}/cancel", handle_in(&page.body)), &[]).await;
        assert_eq!(sent.sent_on("error").as_deref(), Some("access_denied"));
        assert_eq!(fc.called_back(sent.status, sent.location()), Ok(None));
    }

    franceconnect_logs_out_with_a_hint_that_has_long_expired(database) {
        let town = town(database, &[]).await;
        let answer = connected(&town, &franceconnect(), PRIME).await;
        town.test.clock.advance(Duration::minutes(40));
        let pairs = [
            ("state", "logout-state"), ("post_logout_redirect_uri", LOGGED_OUT),
            ("client_id", "franceconnect"), ("id_token_hint", answer["id_token"].as_str().unwrap()),
        ];
        // Its browser comes with our cookie, or without it; a flag of its own drops the client.
        let stranger = town.stranger();
        for pairs in [&pairs[..], &[pairs[0], pairs[1], pairs[3]]] {
            let sent = stranger.get(&format!("/end_session?{}", form(pairs))).await;
            assert_eq!((sent.status, sent.location()), (303, &*format!("{LOGGED_OUT}?state=logout-state")));
        }
        assert_eq!(town.open_representations().await, 0);
    }

    the_aidant_is_told_that_franceconnects_session_outlives_the_representation_and_given_the_way_out(database) {
        let town = town(database, &[]).await;
        let fc = franceconnect();
        let (browser, page) = arrives(&town, &fc).await;
        let handle = handle_in(&page.body);
        let choice = format!("{}:{PRIME}", town.mandate.mandate.id);
        let shown = browser.get(&format!("/authorize/{handle}/confirm?{}", form(&[("choice", &choice)]))).await;
        assert!(shown.body.contains("id=\"outlives\""), "{}", shown.body);
        assert!(shown.body.contains("Il ne saura pas qui l’aide"), "it is told nothing of who acts");
        browser.confirms(&handle, &town.mandate, PRIME).await;
        let home = browser.get("/aidant").await;
        assert!(home.body.contains("href=\"https://fcp-low.example/deconnexion\""), "{}", home.body);
        // A service that keeps none needs no warning.
        let other = town.browser().await;
        let handle = other.asks(&[]).await;
        let shown = other.get(&format!("/authorize/{handle}/confirm?{}", form(&[("choice", &choice)]))).await;
        assert!(!shown.body.contains("id=\"outlives\""));
    }

    what_franceconnect_was_measured_to_refuse_its_double_refuses(database) {
        let town = town(database, &[]).await;
        let fc = franceconnect();
        let answer = connected(&town, &fc, PRIME).await;
        let (now, keys) = (town.app().now().seconds(), jwks(&town));
        let key = town.app().keys.token_key(JwsAlg::Es256).unwrap();
        let resigned = |changes: &[(&str, Value)]| {
            let payload = changed(claims(answer["id_token"].as_str().unwrap()), changes).to_string();
            let jwt = sign_jws(key, "JWT", payload.as_bytes()).unwrap();
            fc.id_token(&changed(answer.clone(), &[("id_token", json!(jwt))]), &keys, now)
        };
        let refused = |changes: &[(&str, Value)]| resigned(changes).map(|_| ());
        let peer = Err(PEER);
        for (change, verdict) in [
            (("iss", json!(format!("{ISSUER}/"))), peer),
            (("aud", json!(["franceconnect"])), Ok(())),
            (("aud", json!(["franceconnect", "other"])), peer),
            (("nonce", Value::Null), peer),
            (("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")), peer),
            (("at_hash", Value::Null), Ok(())),
            (("iat", json!(now + 30)), Ok(())),
            (("nbf", json!(now + 2)), peer),
            (("exp", json!(now)), peer),
            (("acr", Value::Null), Err(("Y020030", 500))),
            (("acr", json!("https://level.example/1")), Err(("Y020030", 500))),
            (("acr", json!("eidas0")), Err(("Y100001", 400))),
            (("acr", json!("eidas2")), Err(("Y100018", 400))),
        ] {
            assert_eq!(refused(std::slice::from_ref(&change)), verdict, "{change:?}");
        }
        let other_alg = FranceConnect { signed_by: SignedBy::Key(JwsAlg::Rs256), ..franceconnect() };
        assert_eq!(other_alg.id_token(&answer, &keys, now).map(|_| ()), peer);
        let theme = |value: Value| fc.verify(&resigned(&[("rep_scope", value)]).unwrap());
        for (value, verdict) in [
            (Value::Null, Err(("Y600020", 400))),
            (json!([]), Err(("Y600020", 400))),
            (json!(["Famille-Scolarité"]), Ok(true)),
            (json!(["Etranger-Europe"]), Err(("Y600020", 400))),
            (json!(["famille"]), Err(("Y600020", 400))),
            (json!(["Famille-Scolarite\u{301}"]), Err(("Y600020", 400))),
            (json!("Famille-Scolarité"), Err(("Y000000", 500))),
            (json!(["Famille-Scolarité", "NotInEnum"]), Ok(false)),
        ] {
            assert_eq!(theme(value.clone()), verdict, "{value}");
        }
        let told = town.userinfo(answer["access_token"].as_str().unwrap()).await;
        for (change, code) in [
            (("sub", json!("é")), "Y020029"), (("given_name", json!("")), "Y600006"), (("family_name", json!("é".repeat(257))), "Y600006"),
            (("birthdate", json!("1962-01")), "Y600006"), (("birthdate", json!("1962-01-01T00:00:00Z")), "Y600006"),
            (("gender", json!("F")), "Y600006"), (("birthcountry", json!("FR")), "Y600006"), (("birthplace", json!("")), "Y600006"),
            (("email", Value::Null), "Y600006"),
        ] {
            let body = changed(told.json(), std::slice::from_ref(&change)).to_string();
            assert_eq!(fc.identity("application/json", &body, &keys).unwrap_err().0, code, "{change:?}");
        }
        for partial in ["1962-00-00", "1962-05-00"] {
            let body = changed(told.json(), &[("birthdate", json!(partial))]).to_string();
            assert!(fc.identity("application/json", &body, &keys).is_ok(), "{partial}");
        }
        for (location, code) in [
            (format!("{CALLBACK}?code=x"), "Y020021"), (format!("{CALLBACK}?code=x&state=other"), "Y020022"),
            (format!("{CALLBACK}?state={}", fc.state), "Y020025"), (format!("{CALLBACK}?code=x&state={}&iss=x", fc.state), "Y020026"),
        ] {
            assert_eq!(fc.called_back(302, &location).unwrap_err().0, code, "{location}");
        }
    }

    a_label_that_franceconnect_changed_is_asked_for_and_given_as_it_writes_it(database) {
        let test = TestApp::over(database).await.labelled(&[("social", "Sante-Solidarité")]);
        let town = Town::of(test).await;
        world::client(town.app(), registration()).await;
        let fc = FranceConnect { themes: &["Sante-Solidarité"], ..franceconnect() };
        let answer = connected(&town, &fc, PRIME).await;
        let id_token = fc.id_token(&answer, &jwks(&town), town.app().now().seconds()).unwrap();
        assert_eq!((&id_token["rep_scope"], fc.verify(&id_token).is_ok()), (&json!(["Sante-Solidarité"]), true));
        // Under its former label nothing is offered any more.
        let before = town.representations().await;
        let former = FranceConnect { themes: &["Social-Santé"], ..franceconnect() };
        let (browser, page) = arrives(&town, &former).await;
        assert!(!page.body.contains("/authorize/") || browser.confirms(&handle_in(&page.body), &town.mandate, PRIME).await.status != 303);
        assert_eq!(town.representations().await, before);
    }

    franceconnect_registered_with_hs256_reads_everything_by_its_secret(database) {
        let (town, fc) = town_by_secret(database).await;
        let answer = connected(&town, &fc, PRIME).await;
        let (now, none) = (town.app().now().seconds(), json!({"keys": []}));
        let id_token = fc.id_token(&answer, &none, now).unwrap();
        assert_eq!(fc.verify(&id_token), Ok(true));
        let told = town.userinfo(answer["access_token"].as_str().unwrap()).await;
        let identity = fc.identity(told.header("content-type"), &told.body, &none).unwrap();
        assert_eq!((&identity["sub"], &identity["given_name"]), (&id_token["sub"], &json!("Rose")));

        // A certified library reads the ID token by the same secret.
        let jwt = answer["id_token"].as_str().unwrap();
        let at = time::OffsetDateTime::from_unix_timestamp(now).unwrap();
        let at = format!("\"{}\"", at.format(&time::format_description::well_known::Rfc3339).unwrap());
        let verifier = CoreIdTokenVerifier::new_confidential_client(
            openidconnect::ClientId::new("franceconnect".to_owned()), openidconnect::ClientSecret::new(SECRET.to_owned()),
            openidconnect::IssuerUrl::new(ISSUER.to_owned()).unwrap(), openidconnect::JsonWebKeySet::new(Vec::new()),
        )
        .set_allowed_algs([CoreJwsSigningAlgorithm::HmacSha256])
        .set_time_fn(move || serde_json::from_str(&at).unwrap());
        let read: CoreIdToken = jwt.parse().unwrap();
        assert!(read.claims(&verifier, &openidconnect::Nonce::new(fc.nonce.clone())).is_ok());

        // Another secret, or a key of ours, reads neither.
        for signed_by in [SignedBy::Secret("another-secret-of-the-caisse-0123"), SignedBy::Key(JwsAlg::Es256)] {
            let other = FranceConnect { signed_by, signed_userinfo: true, ..franceconnect() };
            assert_eq!(other.id_token(&answer, &jwks(&town), now).map(|_| ()), Err(PEER));
            assert_eq!(other.identity("application/jwt", &told.body, &jwks(&town)).map(|_| ()), Err(PEER));
        }
        // The secret rests sealed, besides its hash.
        let mut raw = town.test.database.raw().await;
        let row = sqlx::query("SELECT secret_sealed, secret_hash FROM client WHERE id = 'franceconnect'").fetch_one(&mut raw).await.unwrap();
        let (sealed, hash): (Vec<u8>, String) = (row.get(0), row.get(1));
        assert!(!sealed.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
        assert_eq!(hash, world::secret_hash(SECRET));
        // Others go on as before.
        let caisse = town.exchange(&town.browser().await.code(&[]).await, &[]).await.json();
        assert!(porteplume::crypto::verify_jws(caisse["id_token"].as_str().unwrap(), &jwks(&town), &[JwsAlg::Es256]).is_ok());
        town.test.verifies().await;
    }

    a_hint_counts_under_what_signs_for_its_client_and_under_nothing_else(database) {
        let (town, fc) = town_by_secret(database).await;
        let answer = connected(&town, &fc, PRIME).await;
        let browser = town.browser().await;
        let caisse = town.exchange(&browser.code(&[]).await, &[]).await.json();
        let (by_secret, by_key) = (answer["id_token"].as_str().unwrap(), caisse["id_token"].as_str().unwrap());
        let mac = |secret: &str| ClientMac::new(&SecretString::new(secret.to_owned())).unwrap_or_else(|_| panic!("{secret}"));
        let ours = town.app().keys.token_key(JwsAlg::Es256).unwrap();
        let public = ours.public_jwk();
        let hs256 = |secret: &str, of: &str| sign_jws(&mac(secret), "JWT", claims(of).to_string().as_bytes()).unwrap();
        let point = STANDARD.encode([&[4], &URL_SAFE_NO_PAD.decode(public.x.as_deref().unwrap()).unwrap()[..],
            &URL_SAFE_NO_PAD.decode(public.y.as_deref().unwrap()).unwrap()].concat());
        let forged = [
            // Our public key taken for a secret, in the forms it is published in.
            hs256(&serde_json::to_string(&public).unwrap(), by_key), hs256(&jwks(&town).to_string(), by_key), hs256(public.x.as_deref().unwrap(), by_key),
            hs256(&point, by_key), hs256(&serde_json::to_string(&public).unwrap(), by_secret), hs256(&jwks(&town).to_string(), by_secret),
            // FranceConnect's own secret, for another client's token; another secret for its own.
            hs256(SECRET, by_key), hs256("another-secret-of-the-caisse-0123", by_secret), hs256(&world::secret_hash(SECRET), by_secret),
            // A key of ours where the secret signs.
            sign_jws(ours, "JWT", claims(by_secret).to_string().as_bytes()).unwrap(),
            sign_jws(&mac(SECRET), "logout+jwt", claims(by_secret).to_string().as_bytes()).unwrap(),
        ];
        let open = async || town.count("SELECT count(*) FROM representation WHERE closed_at IS NULL").await;
        let ends = async |hint: &str| town.get(&format!("/end_session?{}", form(&[("id_token_hint", hint)]))).await;
        let before = open().await;
        let nonsense = ends("nonsense").await;
        for hint in &forged {
            let answer = ends(hint).await;
            assert_eq!((answer.status, answer.location()), (nonsense.status, nonsense.location()), "{hint}");
            assert_eq!(open().await, before, "{hint}");
        }
        ends(by_secret).await;
        assert_eq!(open().await, before - 1);
        ends(by_key).await;
        assert_eq!(open().await, before - 2);
    }

    a_secret_that_does_not_open_lets_nothing_out(database) {
        let (town, fc) = town_by_secret(database).await;
        let first = connected(&town, &fc, PRIME).await;
        let (browser, page) = arrives(&town, &fc).await;
        let sent = browser.confirms(&handle_in(&page.body), &town.mandate, PRIME).await;
        let code = fc.called_back(sent.status, sent.location()).unwrap().unwrap();
        let mut raw = town.test.database.raw().await;
        let free = match town.test.database.engine() {
            Engine::Sqlite => "DROP TRIGGER client_change_needs_entry",
            Engine::Postgres => "ALTER TABLE client DISABLE TRIGGER client_change_needs_entry",
        };
        sqlx::query(free).execute(&mut raw).await.unwrap();
        let found: Vec<u8> = sqlx::query_scalar("SELECT secret_sealed FROM client WHERE id = 'franceconnect'").fetch_one(&mut raw).await.unwrap();
        let put = async |bytes: Vec<u8>| {
            let mut raw = town.test.database.raw().await;
            sqlx::query("UPDATE client SET secret_sealed = $1 WHERE id = 'franceconnect'").bind(bytes).execute(&mut raw).await.unwrap();
        };
        let mut altered = found.clone();
        *altered.last_mut().unwrap() ^= 1;
        let used = "SELECT count(*) FROM access_token";
        let before = town.count(used).await;
        for bad in [altered, vec![1]] {
            put(bad).await;
            let answer = exchanged(&town, &code).await;
            assert_eq!((answer.status, answer.json()["error"].as_str()), (500, Some("server_error")), "{}", answer.body);
            let told = town.userinfo(first["access_token"].as_str().unwrap()).await;
            assert_eq!(told.status, 500, "{}", told.body);
            assert!(!told.body.contains("Rose"));
            let found = porteplume::service::registry::unsigned(town.app()).await.unwrap().unwrap();
            assert_eq!((found.client.as_str(), found.why.code()), ("franceconnect", "sealed_value_unreadable"));
        }
        assert_eq!(town.count(used).await, before, "nothing was used up");
        put(found).await;
        assert_eq!(exchanged(&town, &code).await.status, 200, "the code still serves");
        assert!(porteplume::service::registry::unsigned(town.app()).await.unwrap().is_none());
    }

    every_theme_of_the_catalogue_goes_by_franceconnects_own_label(database) {
        let town = town(database, &[]).await;
        let labels: Vec<&str> = town.app().catalogue.themes().iter().map(|theme| theme.rep_scope.as_str()).collect();
        assert_eq!(labels.len(), LABELS.len());
        assert!(labels.iter().all(|label| LABELS.contains(label)));
    }
}
