//! The published schemas against what is really sent.

use super::conformance::changed;
use super::*;
use crate::support::database::{TestDatabase, on_both};
use boon::{Compiler, Schemas};
use porteplume::mandate::Act;

/// A schema as anybody fetches it.
async fn published(town: &Town, name: &str) -> Value {
    let answer = town.get(&format!("/schemas/{name}.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/schema+json"));
    assert!(answer.header("cache-control").starts_with("public"));
    answer.json()
}

fn fits(schema: &Value, value: &Value) -> Result<(), String> {
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    let name = schema["$id"].as_str().unwrap();
    compiler.add_resource(name, schema.clone()).unwrap();
    let index = compiler.compile(name, &mut schemas).unwrap();
    schemas.validate(value, index).map_err(|error| error.to_string())
}

async fn given(database: TestDatabase) -> (Town, Value, Value) {
    let town = Town::new(database).await;
    let answer = town.exchange(&town.browser().await.code(&[]).await, &[]).await.json();
    let id_token = claims(answer["id_token"].as_str().unwrap());
    (town, answer, id_token)
}

on_both! {
    what_is_said_of_authority_fits_its_schema_and_nothing_else_does(database) {
        let town = Town::new(database).await;
        world::client(town.app(), changed(draft("authority"), &[("subject", json!("aidant"))])).await;
        let code = town.browser().await.code(&[("client_id", "authority")]).await;
        let answer = town.exchange_as(&basic("authority", SECRET), &code, &[]).await.json();
        let said = claims(answer["id_token"].as_str().unwrap())["authority"].clone();
        let schema = published(&town, "authority-1").await;
        assert_eq!(fits(&schema, &said), Ok(()));
        for member in ["applies_to", "permission", "granted_by"] {
            assert!(fits(&schema, &changed(said.clone(), &[(member, Value::Null)])).is_err(), "{member}");
        }
        let mut delegable = said.clone();
        delegable["permission"][0]["may_delegate"] = json!(true);
        assert!(fits(&schema, &delegable).is_err());
        let function = &schema["properties"]["permission"]["items"]["properties"]["function"];
        let acts: Vec<&str> = Act::ALL.map(Act::as_str).to_vec();
        assert_eq!(function["properties"]["acts"]["items"]["enum"], json!(acts), "every act, in its order");
    }

    what_tokens_say_fits_the_published_schemas_and_nothing_else_does(database) {
        let (town, answer, id_token) = given(database).await;
        let (mandate, act) = (published(&town, "mandate-1").await, published(&town, "act-1").await);
        for details in [&answer["authorization_details"], &id_token["authorization_details"]] {
            assert_eq!(fits(&mandate, &details[0]), Ok(()));
        }
        assert_eq!(fits(&act, &id_token["act"]), Ok(()));
        let one = &id_token["authorization_details"][0];
        for member in one.as_object().unwrap().keys() {
            assert!(fits(&mandate, &changed(one.clone(), &[(member.as_str(), Value::Null)])).is_err(), "{member}");
        }
        for (member, other) in [
            ("type", json!("payment")),
            ("identifier", json!("1")),
            ("acts", json!(["everything"])),
            ("acts", json!([])),
            ("granted", json!("yesterday")),
            ("more", json!(1)),
        ] {
            assert!(fits(&mandate, &changed(one.clone(), &[(member, other)])).is_err(), "{member}");
        }
        assert!(fits(&act, &changed(id_token["act"].clone(), &[("name", json!("Camille"))])).is_err());
        let acts: Vec<&str> = Act::ALL.map(Act::as_str).to_vec();
        assert_eq!(mandate["properties"]["acts"]["items"]["enum"], json!(acts), "every act, in its order");
    }
}
