//! FAPI 2.0 Security Profile Final: the modules about who the client is.

use super::*;
use crate::support::database::on_both;
use porteplume::crypto::{JwsAlg, TokenKey, sign_jws};
use std::process::Command;
use time::Duration;

/// An RSA key, made with openssl.
pub(super) fn rsa_key() -> TokenKey {
    let args = ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let pem = String::from_utf8(Command::new("openssl").args(args).output().unwrap().stdout).unwrap();
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    TokenKey::from_pkcs8("k", JwsAlg::Rs256, &STANDARD.decode(text).unwrap()).unwrap()
}

fn invalid_client() -> (u16, String) {
    (401, "invalid_client".to_owned())
}

/// That what this assertion comes with is refused at both endpoints, and changes nothing.
async fn refused_everywhere(town: &Town, assertion: &str, reason: &str) {
    let browser = town.browser().await;
    let code = ONE.code(&browser, &[]).await;
    let before = kept(town).await;
    let noted = town.entries("client.authentication_refused").await.len();
    assert_eq!(told(&ONE.push_with(town, assertion, &[]).await), invalid_client(), "{reason}");
    assert_eq!(told(&ONE.exchange_with(town, assertion, &code, &[]).await), invalid_client(), "{reason}");
    let refused = town.entries("client.authentication_refused").await;
    assert_eq!(refused[noted..], [reason, reason]);
    assert_eq!(kept(town).await, before);
    assert_eq!(ONE.exchange(town, &code, &[]).await.status, 200, "the code was not spent");
}

async fn refused_with(town: &Town, changes: &[(&str, Value)], reason: &str) {
    refused_everywhere(town, &ONE.assertion(town, changes), reason).await;
}

on_both! {
    fapi2_security_profile_final_par_test_array_as_audience_fails(database) {
        let town = fapi_town(database).await;
        refused_with(&town, &[("aud", json!([ISSUER]))], "client_assertion_audience").await;
    }

    fapi2_security_profile_final_par_test_par_endpoint_url_as_audience_fails(database) {
        let town = fapi_town(database).await;
        refused_with(&town, &[("aud", json!(format!("{ISSUER}/par")))], "client_assertion_audience").await;
    }

    fapi2_security_profile_final_par_test_token_endpoint_url_as_audience_fails(database) {
        let town = fapi_town(database).await;
        refused_with(&town, &[("aud", json!(format!("{ISSUER}/token")))], "client_assertion_audience").await;
    }

    fapi2_security_profile_final_ensure_client_assertion_with_wrong_aud_fails(database) {
        let town = fapi_town(database).await;
        refused_with(&town, &[("aud", json!("https://other.example"))], "client_assertion_audience").await;
    }

    fapi2_security_profile_final_ensure_client_assertion_with_no_sub_fails(database) {
        let town = fapi_town(database).await;
        refused_with(&town, &[("sub", Value::Null)], "client_assertion_malformed").await;
    }

    fapi2_security_profile_final_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(database) {
        let town = fapi_town(database).await;
        let past = town.app().now().plus(Duration::minutes(-5)).seconds();
        refused_with(&town, &[("exp", json!(past))], "client_assertion_expired").await;
    }

    fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(database) {
        let town = fapi_town(database).await;
        for seconds in [-10, 8, 10] {
            let at = json!(town.app().now().seconds() + seconds);
            let assertion = ONE.assertion(&town, &[("nbf", at.clone()), ("iat", at)]);
            assert_eq!(ONE.push_with(&town, &assertion, &[]).await.status, 201, "{seconds}");
        }
    }

    fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(database) {
        let town = fapi_town(database).await;
        for seconds in [61, 3_600] {
            let at = json!(town.app().now().seconds() + seconds);
            refused_with(&town, &[("nbf", at)], "client_assertion_early").await;
        }
    }

    fapi2_security_profile_final_ensure_signed_client_assertion_with_rs256_fails(database) {
        let town = fapi_town(database).await;
        let key = rsa_key();
        let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
        jwk["alg"] = json!("PS256");
        let rsa = changed(ONE.draft(), &[("id", json!("fapi-rsa")), ("jwks", json!({"keys": [jwk]}))]);
        world::client(town.app(), rsa).await;
        let now = town.app().now().seconds();
        let claims = json!({"iss": "fapi-rsa", "sub": "fapi-rsa", "aud": ISSUER, "jti": jti(), "exp": now + 60});
        let assertion = sign_jws(&key, "JWT", claims.to_string().as_bytes()).unwrap();
        let rsa = Service { id: "fapi-rsa", ..ONE };
        assert_eq!(told(&rsa.push_with(&town, &assertion, &[]).await), invalid_client());
        assert_eq!(town.entries("client.authentication_refused").await, ["client_assertion_signature"]);
        assert_eq!(kept(&town).await, 0);
    }

    fapi2_security_profile_final_ensure_client_assertion_in_token_endpoint(database) {
        let town = fapi_town(database).await;
        let code = ONE.code(&town.browser().await, &[]).await;
        let bare = town.exchange_as("", &code, &[("client_id", ONE.id)]).await;
        assert_eq!(told(&bare), invalid_client());
        assert_eq!(town.entries("client.authentication_refused").await, ["client_credentials_absent"]);
        assert_eq!(ONE.exchange(&town, &code, &[]).await.status, 200, "the code was not spent");
    }

    fapi2_security_profile_final_ensure_client_id_in_token_endpoint(database) {
        let town = fapi_town(database).await;
        let code = ONE.code(&town.browser().await, &[]).await;
        // The second client's name with the first one's key, and the other way round.
        let forged = Service { seed: ONE.seed, ..TWO };
        assert_eq!(told(&forged.exchange(&town, &code, &[]).await), invalid_client());
        let named = ONE.exchange(&town, &code, &[("client_id", TWO.id)]).await;
        assert_eq!(told(&named), invalid_client());
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
        assert_eq!(ONE.exchange(&town, &code, &[]).await.status, 200, "the code was not spent");
    }

    no_confusion_of_algorithms_or_keys_makes_a_client(database) {
        let town = fapi_town(database).await;
        let now = town.app().now().seconds();
        let claims = || json!({"iss": ONE.id, "sub": ONE.id, "aud": ISSUER, "jti": jti(), "exp": now + 60});
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS256", "kid": "k"}),
            json!({"alg": "ES256", "kid": "k"}),
            json!({"alg": "EdDSA", "kid": "other"}),
            json!({"alg": "EdDSA", "kid": "k", "crit": ["b64"], "b64": false}),
        ] {
            let refused = ONE.push_with(&town, &signed(ONE.seed, &header, &claims()), &[]).await;
            assert_eq!(told(&refused), invalid_client(), "{header}");
        }
        // A key that the header brings along or points to is nobody's.
        for member in [("jwk", public(9)), ("jku", json!("https://evil.example/jwks")), ("x5u", json!("https://evil.example"))] {
            let header = changed(json!({"alg": "EdDSA", "kid": "k"}), &[member]);
            assert_eq!(told(&ONE.push_with(&town, &signed(9, &header, &claims()), &[]).await), invalid_client(), "{header}");
        }
        assert_eq!(town.entries("client.authentication_refused").await, ["client_assertion_signature"; 8]);
        let once = ONE.assertion(&town, &[]);
        assert_eq!(ONE.push_with(&town, &once, &[]).await.status, 201);
        assert_eq!(told(&ONE.push_with(&town, &once, &[]).await), invalid_client(), "an assertion works once");
        assert_eq!(kept(&town).await, 1);
    }
}
