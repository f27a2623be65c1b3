//! Sessions, flows, requests, codes, tokens, idempotency keys.

use super::sample::{
    NOW, change, get, in_force, in_minutes, procedure, put, representation, session, unique, world,
};
use crate::support::database::on_both;
use porteplume::mandate::{EventId, OrganisationId};
use porteplume::storage::authorizations::AuthorizationRequestRow;
use porteplume::storage::idempotency::Claim;
use porteplume::storage::login_flows::LoginFlowRow;
use porteplume::storage::representations::Scope;
use porteplume::storage::sessions::{SessionKind, SessionRow};
use porteplume::storage::tokens::{CodeRow, TokenRow};
use porteplume::storage::{
    StoreError, authorizations, idempotency, login_flows, representations, sessions, tokens,
};

fn flow(session: &SessionRow) -> LoginFlowRow {
    LoginFlowRow {
        state_hash: unique(),
        session_hash: session.id_hash.clone(),
        provider: "agents".to_owned(),
        purpose: "aidant".to_owned(),
        nonce_sealed: vec![1],
        verifier_sealed: vec![2],
        return_to: "/aidant".to_owned(),
        created_at: NOW,
        expires_at: in_minutes(10),
        used_at: None,
    }
}

fn request(world: &super::sample::World) -> AuthorizationRequestRow {
    AuthorizationRequestRow {
        id_hash: unique(),
        session_hash: None,
        client: world.client.id.clone(),
        redirect_uri: "https://caisse.test/callback".to_owned(),
        state: Some("state".to_owned()),
        nonce: None,
        code_challenge: None,
        scope: "openid".to_owned(),
        prompt: None,
        max_age: Some(3_600),
        login_hint: None,
        ui_locales: Some("fr".to_owned()),
        acr_values: None,
        claims: None,
        authorization_details: Some("[]".to_owned()),
        id_token_hint: Some("e30.e30.e30".to_owned()),
        pushed_hash: None,
        dpop_jkt: Some("thumbprint".to_owned()),
        response_mode: Some("jwt".to_owned()),
        created_at: NOW,
        expires_at: in_minutes(10),
        used_at: None,
    }
}

on_both! {
    rotating_a_session_takes_its_flows_along(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let before = session(SessionKind::Anonymous);
        let begun = flow(&before);
        change!(&store, [before, begun], |tx| async {
            sessions::insert(tx, &before).await?;
            login_flows::insert(tx, &begun).await
        }).unwrap();
        let after = SessionRow {
            id_hash: unique(), kind: SessionKind::Aidant, aidant: Some(world.aidant.id.clone()),
            authenticated_at: Some(NOW), factor_at: Some(NOW), id_token_hint_sealed: Some(vec![8]), ..before.clone()
        };
        change!(&store, [before, after], |tx| sessions::update(tx, &before.id_hash, &after)).unwrap();
        assert!(get!(&store, [before], |s| sessions::load(s, &before.id_hash)).is_none(), "the old secret is dead");
        assert!(get!(&store, [after], |s| sessions::load(s, &after.id_hash)).unwrap() == after);
        let again = change!(&store, [before, after], |tx| sessions::update(tx, &before.id_hash, &after));
        assert_eq!(again, Err(StoreError::Conflict { table: "session" }));
        let moved = get!(&store, [begun], |s| login_flows::load(s, &begun.state_hash)).unwrap();
        assert_eq!(moved.session_hash, after.id_hash);

        change!(&store, [after], |tx| sessions::touch(tx, &after.id_hash, in_minutes(3))).unwrap();
        change!(&store, [after], |tx| sessions::touch(tx, &after.id_hash, in_minutes(2))).unwrap();
        let seen = get!(&store, [after], |s| sessions::load(s, &after.id_hash)).unwrap().seen_at;
        assert_eq!(seen, in_minutes(3), "never backwards");
        assert_eq!(change!(&store, [world], |tx| sessions::delete_of_aidant(tx, &world.aidant.id)), Ok(1));
        assert!(get!(&store, [begun], |s| login_flows::load(s, &begun.state_hash)).is_none());
    }

    a_session_names_the_persons_of_its_kind_and_no_others(database) {
        let store = database.store().await;
        let world = world(&store).await;
        for kind in SessionKind::ALL.iter().filter(|kind| **kind != SessionKind::Anonymous) {
            let nobody = session(*kind);
            let refused = change!(&store, [nobody], |tx| sessions::insert(tx, &nobody));
            assert!(matches!(refused, Err(StoreError::Refused(_))), "{kind:?}: {refused:?}");
        }
        let both = SessionRow {
            aidant: Some(world.aidant.id.clone()), usager: Some(world.usager.id.clone()),
            authenticated_at: Some(NOW), ..session(SessionKind::Aidant)
        };
        let refused = change!(&store, [both], |tx| sessions::insert(tx, &both));
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    }

    ended_and_idle_sessions_are_removed(database) {
        let store = database.store().await;
        let fresh = SessionRow { seen_at: in_minutes(100), ..session(SessionKind::Anonymous) };
        let idle = session(SessionKind::Anonymous);
        let over = SessionRow { ends_at: in_minutes(50), seen_at: in_minutes(100), ..session(SessionKind::Anonymous) };
        change!(&store, [fresh, idle, over], |tx| async {
            sessions::insert(tx, &fresh).await?;
            sessions::insert(tx, &idle).await?;
            sessions::insert(tx, &over).await
        }).unwrap();
        assert_eq!(change!(&store, [], |tx| sessions::purge(tx, in_minutes(101), in_minutes(86))), Ok(2));
        assert!(get!(&store, [fresh], |s| sessions::load(s, &fresh.id_hash)).is_some());
        change!(&store, [fresh], |tx| sessions::delete(tx, &fresh.id_hash)).unwrap();
        assert!(get!(&store, [fresh], |s| sessions::load(s, &fresh.id_hash)).is_none());
    }

    a_login_state_serves_once_in_its_own_browser_in_time(database) {
        let store = database.store().await;
        let (mine, other) = (session(SessionKind::Anonymous), session(SessionKind::Anonymous));
        let begun = flow(&mine);
        change!(&store, [mine, other, begun], |tx| async {
            sessions::insert(tx, &mine).await?;
            sessions::insert(tx, &other).await?;
            login_flows::insert(tx, &begun).await
        }).unwrap();
        let take = |session: &SessionRow, at| {
            let (store, state, session) = (store.clone(), begun.state_hash.clone(), session.id_hash.clone());
            async move {
                change!(&store, [state, session], |tx| login_flows::take(tx, &state, &session, at)).unwrap().is_some()
            }
        };
        assert!(!take(&other, NOW).await, "another browser");
        assert!(!take(&mine, in_minutes(10)).await, "too late");
        assert!(take(&mine, in_minutes(9)).await);
        assert!(!take(&mine, in_minutes(9)).await, "a replay");
        assert_eq!(change!(&store, [], |tx| login_flows::purge(tx, in_minutes(10))), Ok(1));
    }

    a_pushed_request_is_used_up_once_and_what_a_browser_brought_is_answered_once(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let (mine, other) = (session(SessionKind::Anonymous), session(SessionKind::Anonymous));
        let pushed = request(&world);
        let brought = AuthorizationRequestRow {
            id_hash: unique(), session_hash: Some(mine.id_hash.clone()), pushed_hash: Some(pushed.id_hash.clone()),
            ..pushed.clone()
        };
        change!(&store, [mine, other, pushed, brought], |tx| async {
            sessions::insert(tx, &mine).await?;
            sessions::insert(tx, &other).await?;
            authorizations::insert(tx, &pushed).await?;
            authorizations::insert(tx, &brought).await
        }).unwrap();
        for row in [&pushed, &brought] {
            assert_eq!(get!(&store, [row], |s| authorizations::load(s, &row.id_hash)), Some(row.clone()));
        }
        let mut spent = Vec::new();
        for row in [&brought, &pushed, &pushed] {
            spent.push(change!(&store, [row], |tx| authorizations::spend(tx, &row.id_hash, NOW)).unwrap());
        }
        assert_eq!(spent, [false, true, false], "of a session, once, a replay");
        let foreign = change!(&store, [brought, other], |tx|
            authorizations::take(tx, &brought.id_hash, &other.id_hash, NOW)).unwrap();
        assert_eq!(foreign, None);
        let taken = change!(&store, [brought, mine], |tx|
            authorizations::take(tx, &brought.id_hash, &mine.id_hash, NOW)).unwrap().unwrap();
        assert_eq!(taken, AuthorizationRequestRow { used_at: Some(NOW), ..brought.clone() });
        let again = change!(&store, [brought, mine], |tx|
            authorizations::take(tx, &brought.id_hash, &mine.id_hash, NOW)).unwrap();
        assert_eq!(again, None);
        assert_eq!(change!(&store, [], |tx| authorizations::purge(tx, in_minutes(10))), Ok(2));
    }

    codes_serve_once_and_revocation_kills_what_lives(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let mandate = in_force(&store, &world).await;
        let opened = representation(&world, &mandate);
        let code = CodeRow {
            code_hash: unique(), representation: opened.id.clone(), client: world.client.id.clone(),
            redirect_uri: "https://caisse.test/callback".to_owned(), code_challenge: Some("challenge".to_owned()),
            nonce: Some("nonce".to_owned()), scope: "openid".to_owned(), auth_time: NOW, aidant_level: "eidas2".to_owned(), event: EventId::from_bytes([7; 16]), sid: "sid".to_owned(),
            issued_at: in_minutes(3), expires_at: in_minutes(4), used_at: None, revoked_at: None,
            dpop_jkt: Some("thumbprint".to_owned()),
        };
        let token = TokenRow {
            token_hash: unique(), representation: opened.id.clone(), client: world.client.id.clone(),
            scope: "openid".to_owned(), issued_at: in_minutes(3), expires_at: in_minutes(8), revoked_at: None,
            dpop_jkt: Some("thumbprint".to_owned()), code_hash: Some(code.code_hash.clone()),
        };
        put!(&store, [opened, code, token], |tx, event| async {
            representations::insert(tx, &opened, &event).await?;
            tokens::insert_code(tx, &code).await?;
            tokens::insert_token(tx, &token).await
        }).unwrap();
        assert_eq!(get!(&store, [code], |s| tokens::load_code(s, &code.code_hash)), Some(code.clone()));
        assert_eq!(get!(&store, [token], |s| tokens::load_token(s, &token.token_hash)), Some(token.clone()));
        let mut used = Vec::new();
        for at in [in_minutes(4), in_minutes(3), in_minutes(3)] {
            used.push(change!(&store, [code], |tx| tokens::use_code(tx, &code.code_hash, at)).unwrap());
        }
        assert_eq!(used, [false, true, false], "too late, once, a replay");

        let (id, stranger) = (mandate.mandate.id.clone(), OrganisationId::from_bytes([0; 16]));
        let (right, wrong) = (procedure("declare-income"), procedure("housing-benefit"));
        for (of, kills) in [
            (Scope::Procedure(id.clone(), wrong), false), (Scope::Organisation(stranger), false),
            (Scope::Procedure(id.clone(), right), true), (Scope::Mandate(id), true),
            (Scope::Representation(opened.id.clone()), true), (Scope::Aidant(world.aidant.id.clone()), true),
            (Scope::Client(world.client.id.clone()), true), (Scope::Session("sid".to_owned()), true),
            (Scope::Organisation(world.organisation.id.clone()), true),
        ] {
            // Each on a fresh code and token.
            let (fresh_code, fresh_token) = (
                CodeRow { code_hash: unique(), ..code.clone() }, TokenRow { token_hash: unique(), ..token.clone() },
            );
            change!(&store, [fresh_code, fresh_token], |tx| async {
                tokens::insert_code(tx, &fresh_code).await?;
                tokens::insert_token(tx, &fresh_token).await
            }).unwrap();
            let killed =
                change!(&store, [of], |tx| tokens::revoke_live(tx, &of, in_minutes(3))).unwrap();
            let live = get!(&store, [fresh_token], |s| tokens::load_token(s, &fresh_token.token_hash)).unwrap();
            let used =
                change!(&store, [fresh_code], |tx| tokens::use_code(tx, &fresh_code.code_hash, in_minutes(3))).unwrap();
            assert_eq!((killed.0 > 0, killed.1 > 0), (kills, kills), "{of:?}");
            assert_eq!((live.is_live(in_minutes(4)), used), (!kills, !kills), "{of:?}");
        }
        assert_eq!(change!(&store, [token], |tx| tokens::revoke_token(tx, &token.token_hash, NOW)), Ok(false));
        let left = change!(&store, [], |tx| tokens::purge(tx, in_minutes(8))).unwrap();
        assert_eq!(left, 20);
        assert!(get!(&store, [token], |s| tokens::load_token(s, &token.token_hash)).is_none());
    }

    an_idempotency_key_lets_one_act_happen_once(database) {
        let store = database.store().await;
        let claim = |actor: &'static str, name: &'static str| {
            let store = store.clone();
            async move { change!(&store, [], |tx| idempotency::claim(tx, "key", actor, name, NOW)).unwrap() }
        };
        change!(&store, [], |tx| async {
            let first = idempotency::claim(tx, "key", "me", "propose", NOW).await?;
            assert_eq!(first, Claim::First);
            idempotency::keep(tx, "key", "mandate 1").await
        }).unwrap();
        assert_eq!(claim("me", "propose").await, Claim::Again("mandate 1".to_owned()));
        assert_eq!(claim("other", "propose").await, Claim::Foreign);
        assert_eq!(claim("me", "revoke").await, Claim::Foreign);
        assert_eq!(change!(&store, [], |tx| idempotency::purge(tx, NOW)), Ok(1));
        assert_eq!(claim("me", "propose").await, Claim::First);
    }
}
