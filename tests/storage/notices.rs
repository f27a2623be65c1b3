//! What usagers are told: choices, notices, and the queue of what is to be sent.

use super::sample::{NOW, bytes, change, get, in_force, in_minutes, put, representation, usager, world};
use crate::support::database::on_both;
use porteplume::mandate::{Channel, NoticeId, NoticeKind, NoticeState};
use porteplume::storage::contacts::{self, ContactRow};
use porteplume::storage::mandates::MandateRow;
use porteplume::storage::notices::{self, NoticeRow, Queued};
use porteplume::storage::{StoreError, representations, usagers};
use sqlx::{AssertSqlSafe, Executor as _};

fn notice(mandate: &MandateRow, number: u64, channel: Channel) -> NoticeRow {
    NoticeRow {
        id: NoticeId::from_bytes(bytes()),
        usager: mandate.mandate.usager().unwrap().clone(),
        number,
        kind: NoticeKind::Ended,
        mandate: mandate.mandate.id.clone(),
        representation: None,
        procedure: None,
        channel,
        state: if channel.is_carried() { NoticeState::Waiting } else { NoticeState::OnPaper },
        code: None,
        created_at: in_minutes(i64::try_from(number).unwrap()),
        settled_at: None,
        version: 1,
    }
}

on_both! {
    a_choice_is_kept_changed_and_emptied_and_never_deleted(database) {
        let store = database.store().await;
        let person = usager();
        put!(&store, [person], |tx, event| usagers::insert(tx, &person, &event)).unwrap();
        assert!(get!(&store, [person], |s| contacts::load(s, &person.id)).is_none());
        let one = ContactRow { usager: person.id.clone(), channel: Channel::Email, sealed: vec![1, 2], version: 1 };
        put!(&store, [one], |tx, event| contacts::insert(tx, &one, &event)).unwrap();
        assert!(get!(&store, [person], |s| contacts::load(s, &person.id)) == Some(one.clone()));
        let empty = ContactRow { channel: Channel::None, sealed: Vec::new(), version: 2, ..one.clone() };
        put!(&store, [one, empty], |tx, event| contacts::update(tx, &one, &empty, &event)).unwrap();
        let late = put!(&store, [one, empty], |tx, event| contacts::update(tx, &one, &empty, &event));
        assert_eq!(late, Err(StoreError::Conflict { table: "contact" }));
        let page = get!(&store, [], |s| contacts::page(s, "", 10));
        assert!(page.len() == 1 && page[0].0 == empty && page[0].1.len() == 32);
        let mut raw = database.raw().await;
        for sql in ["UPDATE contact SET channel = 'sms'", "DELETE FROM contact"] {
            assert!(raw.execute(AssertSqlSafe(sql.to_owned())).await.is_err(), "{sql}");
        }
    }

    of_each_person_only_the_first_that_is_not_settled_is_due(database) {
        let store = database.store().await;
        let (mine, theirs) = (world(&store).await, world(&store).await);
        let (mine, theirs) = (in_force(&store, &mine).await, in_force(&store, &theirs).await);
        let (one, two) = (notice(&mine, 1, Channel::Email), notice(&mine, 2, Channel::Sms));
        let (other, paper) = (notice(&theirs, 1, Channel::Voice), notice(&theirs, 2, Channel::Paper));
        for row in [&two, &one, &other, &paper] {
            put!(&store, [row], |tx, event| notices::insert(tx, &row, &event)).unwrap();
        }
        let twin = notice(&mine, 2, Channel::Email);
        assert!(put!(&store, [twin], |tx, event| notices::insert(tx, &twin, &event)).is_err(), "a number once");
        let usager = one.usager.clone();
        assert_eq!(get!(&store, [usager], |s| notices::last(s, &usager)), 2);
        let due = async |minute| get!(&store, [], |s| notices::due(s, in_minutes(minute), 10));
        let queued = |row: &NoticeRow, attempts| Queued { id: row.id.clone(), attempts };
        assert!(due(0).await.is_empty());
        let mut both = due(9).await;
        both.sort_by_key(|queued| queued.id.to_string());
        let mut expected = vec![queued(&one, 0), queued(&other, 0)];
        expected.sort_by_key(|queued| queued.id.to_string());
        assert_eq!(both, expected);

        let first = queued(&one, 0);
        assert!(change!(&store, [first], |tx| notices::take(tx, &first, in_minutes(20))).unwrap());
        assert!(!change!(&store, [first], |tx| notices::take(tx, &first, in_minutes(20))).unwrap(), "once");
        assert_eq!(due(9).await, [queued(&other, 0)], "what is under way holds up what follows");
        let taken = queued(&one, 1);
        change!(&store, [taken], |tx| notices::put_off(tx, &taken, in_minutes(9))).unwrap();
        assert!(due(9).await.contains(&taken));

        let sent = NoticeRow { state: NoticeState::Sent, settled_at: Some(in_minutes(9)), version: 2, ..one.clone() };
        put!(&store, [one, sent], |tx, event| notices::update(tx, &one, &sent, &event)).unwrap();
        assert_eq!(get!(&store, [one], |s| notices::load(s, &one.id)), Some(sent.clone()));
        assert!(due(9).await.contains(&queued(&two, 0)));
        let again = put!(&store, [one, sent], |tx, event| notices::update(tx, &one, &sent, &event));
        assert_eq!(again, Err(StoreError::Conflict { table: "notice" }));
        let mandate = mine.mandate.id.clone();
        assert_eq!(get!(&store, [mandate], |s| notices::of_mandate(s, &mandate, 10)), [two, sent]);
    }

    a_notice_stays_what_it_tells_and_what_was_told_is_not_told_again(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let mandate = in_force(&store, &world).await;
        let of = representation(&world, &mandate);
        put!(&store, [of], |tx, event| representations::insert(tx, &of, &event)).unwrap();
        let receipt = NoticeRow {
            kind: NoticeKind::Receipt, representation: Some(of.id.clone()), ..notice(&mandate, 1, Channel::Email)
        };
        put!(&store, [receipt], |tx, event| notices::insert(tx, &receipt, &event)).unwrap();
        assert_eq!(get!(&store, [of], |s| notices::of_representation(s, &of.id)), std::slice::from_ref(&receipt));
        let refused = NoticeRow {
            state: NoticeState::Refused, code: Some("smtp_refused".to_owned()), settled_at: Some(NOW), version: 2,
            ..receipt.clone()
        };
        put!(&store, [receipt, refused], |tx, event| notices::update(tx, &receipt, &refused, &event)).unwrap();
        let handed = NoticeRow { state: NoticeState::HandedOver, version: 3, ..refused.clone() };
        put!(&store, [refused, handed], |tx, event| notices::update(tx, &refused, &handed, &event)).unwrap();
        let back = NoticeRow { state: NoticeState::Waiting, code: None, settled_at: None, version: 4, ..handed.clone() };
        assert!(put!(&store, [handed, back], |tx, event| notices::update(tx, &handed, &back, &event)).is_err());
        let without = NoticeRow { kind: NoticeKind::Receipt, ..notice(&mandate, 2, Channel::Email) };
        assert!(put!(&store, [without], |tx, event| notices::insert(tx, &without, &event)).is_err());
        let mut raw = database.raw().await;
        for sql in [
            "UPDATE notice SET state = 'sent'", "UPDATE notice SET channel = 'sms'", "UPDATE notice SET number = 9",
            "DELETE FROM notice",
        ] {
            assert!(raw.execute(AssertSqlSafe(sql.to_owned())).await.is_err(), "{sql}");
        }
    }

    notices_written_at_once_to_one_person_follow_one_another(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let mandate = in_force(&store, &world).await;
        let written = (0..24).map(|_| {
            let (store, mandate) = (store.clone(), mandate.clone());
            tokio::spawn(async move {
                let row = notice(&mandate, 1, Channel::Email);
                put!(&store, [row], |tx, event| async {
                    let number = notices::last(tx, &row.usager).await? + 1;
                    notices::insert(tx, &NoticeRow { number, ..row.clone() }, &event).await
                })
            })
        });
        for task in written.collect::<Vec<_>>() {
            task.await.unwrap().unwrap();
        }
        let usager = mandate.mandate.usager().unwrap().clone();
        let numbers = get!(&store, [usager], |s| notices::of_usager(s, &usager, 100));
        let numbers: Vec<u64> = numbers.iter().rev().map(|row| row.number).collect();
        assert_eq!(numbers, (1..=24).collect::<Vec<u64>>());
    }
}
