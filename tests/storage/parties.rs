//! Organisations, aidants, factors, usagers, auditors, relying parties, keys.

use super::sample::{
    NOW, active, aidant, bytes, change, client, get, in_minutes, organisation, procedure, put, unique,
    usager, world,
};
use crate::support::database::on_both;
use porteplume::mandate::{
    AuditorId, Grant, GrantId, MandateId, OrganisationId, Reach, ReadingId, RelyingParty, Role, Slots,
    Standing,
};
use porteplume::storage::aidants::AidantRow;
use porteplume::storage::audit_grants::GrantRow;
use porteplume::storage::auditors::{AuditorRow, ReadingRow};
use porteplume::storage::clients::{ClientCredential, ClientRow};
use porteplume::storage::data_keys::{DataKeyRow, KeyKind};
use porteplume::storage::factors::{FactorRow, FactorState};
use porteplume::storage::organisations::OrganisationRow;
use porteplume::storage::usagers::UsagerRow;
use porteplume::storage::{
    StoreError, aidants, audit_grants, auditors, clients, data_keys, factors, organisations, usagers,
};
use std::collections::BTreeSet;

pub(super) fn auditor() -> AuditorRow {
    AuditorRow {
        id: AuditorId::from_bytes(bytes()),
        standing: Standing::Invited,
        email_blind: unique(),
        identity_sealed: vec![1],
        identity_key: "key".to_owned(),
        subject: None,
        invited_at: NOW,
        invite_expires_at: in_minutes(60),
        activated_at: None,
        version: 1,
    }
}

on_both! {
    an_organisation_is_stored_changed_and_guarded(database) {
        let store = database.store().await;
        let row = organisation();
        put!(&store, [row], |tx, event| organisations::insert(tx, &row, &event)).unwrap();
        assert_eq!(get!(&store, [row], |s| organisations::load(s, &row.id)), Some(row.clone()));

        let suspended = OrganisationRow { standing: Standing::Suspended, ..row.clone() };
        let update = put!(&store, [row, suspended], |tx, event| organisations::update(tx, &row, &suspended, &event));
        assert_eq!(update, Ok(()));
        let stale = put!(&store, [row, suspended], |tx, event| organisations::update(tx, &row, &suspended, &event));
        assert_eq!(stale, Err(StoreError::Conflict { table: "organisation" }));
        let found = get!(&store, [], |s| organisations::list(s));
        assert_eq!(found, vec![OrganisationRow { version: 2, ..suspended }]);
    }

    two_organisations_cannot_share_a_siret(database) {
        let store = database.store().await;
        let first = organisation();
        let second = OrganisationRow { siret: first.siret.clone(), ..organisation() };
        put!(&store, [first], |tx, event| organisations::insert(tx, &first, &event)).unwrap();
        let taken = put!(&store, [second], |tx, event| organisations::insert(tx, &second, &event));
        assert!(matches!(taken, Err(StoreError::Taken(_))), "{taken:?}");
        assert_eq!(get!(&store, [], |s| organisations::list(s)).len(), 1);
    }

    an_aidant_is_found_by_address_then_by_sign_in(database) {
        let store = database.store().await;
        let home = organisation();
        let invited = aidant(&home);
        put!(&store, [home, invited], |tx, event| async {
            organisations::insert(tx, &home, &event).await?;
            aidants::insert(tx, &invited, &event).await
        }).unwrap();
        let found = get!(&store, [invited], |s| aidants::by_email_blind(s, &invited.email_blind)).unwrap();
        assert!(found == invited);

        let bound = active(invited.clone());
        let (iss, sub) = bound.subject.clone().unwrap();
        assert!(get!(&store, [iss, sub], |s| aidants::by_subject(s, &iss, &sub)).is_none());
        put!(&store, [invited, bound], |tx, event| aidants::update(tx, &invited, &bound, &event)).unwrap();
        let found = get!(&store, [iss, sub], |s| aidants::by_subject(s, &iss, &sub)).unwrap();
        assert!(found == AidantRow { version: 2, ..bound.clone() });

        let again = put!(&store, [invited, bound], |tx, event| aidants::update(tx, &invited, &bound, &event));
        assert_eq!(again, Err(StoreError::Conflict { table: "aidant" }), "an invitation is accepted once");
        let all = get!(&store, [home], |s| aidants::of_organisation(s, &home.id));
        assert_eq!(all.len(), 1);
        let elsewhere = organisation();
        assert!(get!(&store, [elsewhere], |s| aidants::of_organisation(s, &elsewhere.id)).is_empty());
    }

    closed_procedures_reach_the_decision(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let here = BTreeSet::from([procedure("declare-income"), procedure("housing-benefit")]);
        let theirs = BTreeSet::from([procedure("renew-passport")]);
        put!(&store, [world, here, theirs], |tx, event| async {
            organisations::restrict(tx, &world.organisation, &here, &event).await?;
            aidants::restrict(tx, &world.aidant, &theirs, &event).await
        }).unwrap();
        let (aidant, home) = get!(&store, [world], |s| aidants::for_decision(s, &world.aidant.id)).unwrap();
        assert_eq!((aidant.closed_procedures, aidant.role), (theirs.clone(), Role::Aidant));
        assert_eq!((home.closed_procedures.clone(), home.standing), (here, Standing::Active));
        let same = get!(&store, [world], |s| organisations::for_decision(s, &world.organisation.id));
        assert_eq!(same, Some(home));
        assert_eq!(get!(&store, [world], |s| aidants::closed_for(s, &world.aidant)), theirs);

        let none = BTreeSet::new();
        let now = OrganisationRow { version: 2, ..world.organisation.clone() };
        put!(&store, [now, none], |tx, event| organisations::restrict(tx, &now, &none, &event)).unwrap();
        let (_, home) = get!(&store, [world], |s| aidants::for_decision(s, &world.aidant.id)).unwrap();
        assert!(home.closed_procedures.is_empty());
    }

    a_factor_goes_from_pending_to_confirmed_and_locks(database) {
        let store = database.store().await;
        let who = world(&store).await.aidant.id;
        change!(&store, [who], |tx| factors::begin(tx, &who, &[1])).unwrap();
        change!(&store, [who], |tx| factors::begin(tx, &who, &[2])).unwrap();
        let pending = get!(&store, [who], |s| factors::load(s, &who)).unwrap();
        assert!(pending.state == FactorState::Pending && pending.seed_sealed == [2]);

        let confirmed = FactorRow {
            state: FactorState::Confirmed, last_step: 77, confirmed_at: Some(NOW), ..pending.clone()
        };
        put!(&store, [pending, confirmed], |tx, event| factors::update(tx, &pending, &confirmed, &event)).unwrap();
        let replaced = change!(&store, [who], |tx| factors::begin(tx, &who, &[3]));
        assert_eq!(replaced, Err(StoreError::Conflict { table: "factor" }), "a confirmed factor is not overwritten");

        let before = FactorRow { version: pending.version + 1, ..confirmed };
        let locked = FactorRow { failures: 5, locked_until: Some(in_minutes(15)), ..before.clone() };
        put!(&store, [before, locked], |tx, event| factors::update(tx, &before, &locked, &event)).unwrap();
        let found = get!(&store, [who], |s| factors::load(s, &who)).unwrap();
        assert!(found == FactorRow { version: before.version + 1, ..locked });
    }

    a_recovery_code_serves_once(database) {
        let store = database.store().await;
        let who = world(&store).await.aidant.id;
        let codes = vec!["one".to_owned(), "two".to_owned()];
        change!(&store, [who, codes], |tx| factors::replace_recovery_codes(tx, &who, &codes)).unwrap();
        assert_eq!(get!(&store, [who], |s| factors::recovery_codes_left(s, &who)), 2);
        let mut used = Vec::new();
        for code in ["one", "one", "three"] {
            used.push(change!(&store, [who], |tx| factors::use_recovery_code(tx, &who, code, NOW)).unwrap());
        }
        assert_eq!(used, [true, false, false]);
        assert_eq!(get!(&store, [who], |s| factors::recovery_codes_left(s, &who)), 1);
    }

    a_usager_is_found_in_the_own_organisation_only(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let (namesake, elsewhere) = (usager(), organisation());
        put!(&store, [world, namesake, elsewhere], |tx, event| async {
            usagers::insert(tx, &namesake, &event).await?;
            organisations::insert(tx, &elsewhere, &event).await?;
            let blinds = ["martin 1950-01-02".to_owned()];
            usagers::index(tx, &world.organisation.id, &world.usager.id, &blinds).await?;
            usagers::index(tx, &world.organisation.id, &world.usager.id, &blinds).await?;
            usagers::index(tx, &world.organisation.id, &namesake.id, &blinds).await
        }).unwrap();
        let found = get!(&store, [world], |s| usagers::found(s, &world.organisation.id, "martin 1950-01-02"));
        assert_eq!(found.len(), 2, "homonyms are told apart by the reader");
        assert!(get!(&store, [elsewhere], |s| usagers::found(s, &elsewhere.id, "martin 1950-01-02")).is_empty());
        change!(&store, [namesake], |tx| usagers::forget(tx, &namesake.id)).unwrap();
        let found = get!(&store, [world], |s| usagers::found(s, &world.organisation.id, "martin 1950-01-02"));
        assert!(found == vec![world.usager.clone()]);
    }

    a_later_identification_is_recorded(database) {
        let store = database.store().await;
        let before = world(&store).await.usager;
        let after = UsagerRow { identified_at: in_minutes(9), identity_level: "eidas2".to_owned(), ..before.clone() };
        put!(&store, [before, after], |tx, event| usagers::update(tx, &before, &after, &event)).unwrap();
        let found = get!(&store, [before], |s| usagers::by_subject(s, &before.iss, &before.sub)).unwrap();
        assert!(found == UsagerRow { version: 2, ..after });
        assert!(get!(&store, [before], |s| usagers::load(s, &before.id)).unwrap() == found);
    }

    an_auditor_states_a_purpose_and_closes_it(database) {
        let store = database.store().await;
        let row = auditor();
        put!(&store, [row], |tx, event| auditors::insert(tx, &row, &event)).unwrap();
        assert!(get!(&store, [row], |s| auditors::by_email_blind(s, &row.email_blind)).unwrap() == row);
        let subject = Some(("https://agents.test".to_owned(), "auditor".to_owned()));
        let bound = AuditorRow { standing: Standing::Active, subject, activated_at: Some(NOW), ..row.clone() };
        put!(&store, [row, bound], |tx, event| auditors::update(tx, &row, &bound, &event)).unwrap();
        let found = get!(&store, [], |s| auditors::by_subject(s, "https://agents.test", "auditor")).unwrap();
        assert!(found == AuditorRow { version: 2, ..bound });
        assert!(get!(&store, [], |s| auditors::list(s)) == vec![found.clone()]);
        assert!(get!(&store, [row], |s| auditors::load(s, &row.id)).unwrap() == found);

        let reading = ReadingRow {
            id: ReadingId::from_bytes(bytes()), auditor: row.id.clone(), purpose_sealed: vec![4], opened_at: NOW,
            closed_at: None, version: 1,
        };
        put!(&store, [reading], |tx, event| auditors::open_reading(tx, &reading, &event)).unwrap();
        assert!(get!(&store, [reading], |s| auditors::load_reading(s, &reading.id)).unwrap() == reading);
        put!(&store, [reading], |tx, event| auditors::close_reading(tx, &reading, in_minutes(5), &event)).unwrap();
        let again = put!(&store, [reading], |tx, event| auditors::close_reading(tx, &reading, in_minutes(6), &event));
        assert_eq!(again, Err(StoreError::Conflict { table: "reading" }));
        let readings = get!(&store, [row], |s| auditors::readings_of(s, &row.id, 10));
        assert!(readings == vec![ReadingRow { closed_at: Some(in_minutes(5)), version: 2, ..reading }]);
    }

    a_grant_keeps_what_it_names_and_is_taken_back_once(database) {
        let store = database.store().await;
        let auditor = auditor();
        put!(&store, [auditor], |tx, event| auditors::insert(tx, &auditor, &event)).unwrap();
        let reach = Reach::Named {
            organisations: BTreeSet::from([OrganisationId::from_bytes(bytes()), OrganisationId::from_bytes(bytes())]),
            mandates: BTreeSet::from([MandateId::from_bytes(bytes())]),
        };
        let grant = Grant {
            id: GrantId::from_bytes(bytes()), auditor: auditor.id.clone(), reach, slots: Slots::ALL, from: NOW,
            until: in_minutes(60), given_at: NOW, ends_at: in_minutes(90), revoked_at: None,
        };
        let all = Grant { id: GrantId::from_bytes(bytes()), reach: Reach::Everything, ends_at: in_minutes(80), ..grant.clone() };
        let blind = |_: &str, id: &str| id.chars().take(16).collect();
        put!(&store, [grant, all], |tx, event| async {
            audit_grants::insert(tx, &grant, &event, blind).await?;
            audit_grants::insert(tx, &all, &event, blind).await
        }).unwrap();
        let row = |grant: &Grant| GrantRow { grant: grant.clone(), version: 1 };
        assert_eq!(get!(&store, [grant], |s| audit_grants::load(s, &grant.id)), Some(row(&grant)));
        let of = get!(&store, [auditor], |s| audit_grants::of_auditor(s, &auditor.id));
        assert_eq!(of, vec![row(&grant), row(&all)]);
        assert_eq!(get!(&store, [], |s| audit_grants::page(s, "", 10)).len(), 2);
        for (minute, standing) in [(-1, 0), (0, 2), (79, 2), (80, 1), (90, 0)] {
            let found = get!(&store, [auditor], |s| audit_grants::standing(s, &auditor.id, in_minutes(minute)));
            assert_eq!(found.len(), standing, "{minute}");
        }
        let before = row(&grant);
        put!(&store, [before], |tx, event| audit_grants::revoke(tx, &before, in_minutes(5), &event)).unwrap();
        let again = put!(&store, [before], |tx, event| audit_grants::revoke(tx, &before, in_minutes(6), &event));
        assert_eq!(again, Err(StoreError::Conflict { table: "audit_grant" }));
        let found = get!(&store, [auditor], |s| audit_grants::standing(s, &auditor.id, in_minutes(6)));
        assert_eq!(found, vec![row(&all)]);
    }

    a_relying_party_keeps_its_lists_and_its_credential(database) {
        let store = database.store().await;
        let row = client();
        put!(&store, [row], |tx, event| clients::insert(tx, &row, &event)).unwrap();
        assert!(get!(&store, [row], |s| clients::load(s, &row.id)).unwrap() == row);
        let credential = ClientCredential::Keys { jwks: "{\"keys\":[]}".to_owned() };
        let changed = ClientRow { credential, standing: Standing::Suspended, procedures: BTreeSet::new(), ..row.clone() };
        put!(&store, [row, changed], |tx, event| clients::update(tx, &row, &changed, &event)).unwrap();
        let found = get!(&store, [], |s| clients::list(s)).pop().unwrap();
        assert!(found == ClientRow { version: 2, ..changed });
        let party = RelyingParty::from(&found);
        assert_eq!((party.standing, party.procedures), (Standing::Suspended, BTreeSet::new()));
    }

    a_subject_has_one_key_of_a_kind_and_it_can_be_destroyed(database) {
        let store = database.store().await;
        let row = DataKeyRow {
            id: unique(), kind: KeyKind::Usager, subject_id: unique(), wrapped: vec![1; 60], created_at: NOW,
        };
        change!(&store, [row], |tx| data_keys::insert(tx, &row)).unwrap();
        let second = DataKeyRow { id: unique(), ..row.clone() };
        let taken = change!(&store, [second], |tx| data_keys::insert(tx, &second));
        assert!(matches!(taken, Err(StoreError::Taken(_))), "{taken:?}");
        let found = get!(&store, [row], |s| data_keys::of_subject(s, KeyKind::Usager, &row.subject_id)).unwrap();
        assert!(found == row);
        change!(&store, [row], |tx| data_keys::rewrap(tx, &row, &[2; 60])).unwrap();
        let stale = change!(&store, [row], |tx| data_keys::rewrap(tx, &row, &[3; 60]));
        assert_eq!(stale, Err(StoreError::Conflict { table: "data_key" }));
        assert_eq!(get!(&store, [], |s| data_keys::page(s, "", 10))[0].wrapped, [2; 60]);
        assert_eq!(change!(&store, [row], |tx| data_keys::destroy(tx, &row.id)), Ok(true));
        assert!(get!(&store, [row], |s| data_keys::load(s, &row.id)).is_none());
    }
}
