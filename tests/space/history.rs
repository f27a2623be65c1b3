//! A mandate's own history: every act with its receipt, and a file that proves itself.

use super::world::{at_home, stored, two, usager_of};
use crate::mandates::uses::represent;
use crate::mandates::world::{Answer, World, born};
use crate::support::database::{TestDatabase, TestSigner, on_both, signer};
use crate::support::world::known_usager;
use porteplume::journal::{History, LogProof, Policy, Vkey};
use porteplume::mandate::{EventKind, MandateId, State};
use porteplume::service::shards;
use porteplume::storage::Engine;

/// The keys under which the test's journal is signed.
fn keys() -> Vec<Vkey> {
    vec![signer().verifier()]
}

/// A file as it was sent: the browser adds a line for the cookies.
pub(super) fn file(answer: &Answer) -> &str {
    answer.body.rsplit_once('\n').unwrap().0
}

/// A mandate that was used once.
async fn used(world: &World) -> MandateId {
    let mut browser = world.signed_in(&world.aidant).await;
    let mandate = world.active(&mut browser).await;
    represent(world, &mandate, &two(world)[0], "sid").await;
    mandate
}

on_both! {
    every_act_of_a_mandate_has_its_line_and_its_receipt(database) {
        let world = World::over(database).await;
        let mandate = used(&world).await;
        let length = stored(&world, &mandate).await.seq;
        assert!(length >= 5, "proposed, consented, accepted, opened, exchanged");
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let aidant = world.signed_in(&world.aidant).await;
        for (browser, root) in [(&home, "/usager/mandates"), (&aidant, "/aidant/mandates")] {
            let history = format!("{root}/{mandate}/history");
            let page = browser.get(&history).await;
            assert_eq!(page.status, 200, "{}", page.body);
            for number in 1..=length {
                assert!(page.body.contains(&format!("id=\"receipt-{number}\"")), "{number}: {}", page.body);
                let receipt = browser.get(&format!("{history}/{number}")).await;
                assert_eq!(receipt.status, 200, "{}", receipt.body);
                let sent = browser.get(&format!("{history}/{number}/proof")).await;
                let proof = LogProof::parse(file(&sent)).unwrap();
                let (entry, checkpoint) = proof.verify(&keys()).unwrap();
                assert!(receipt.body.contains(&entry.id().to_string()), "{}", receipt.body);
                assert!(receipt.body.contains("id=\"receipt-qr\""), "the proof fits in a QR code");
                assert!(receipt.body.contains(&format!("porteplume.test/journal {}/", proof.index)));
                assert!(checkpoint.size > proof.index);
            }
            assert!(!page.body.contains(&format!("id=\"receipt-{}\"", length + 1)));
        }
    }

    the_whole_history_is_a_file_that_proves_itself_and_names_nobody(database) {
        let world = World::over(database).await;
        let mandate = used(&world).await;
        let usager = usager_of(&world, &mandate).await;
        let home = at_home(&world, &usager).await;
        let read = world.entries(EventKind::UsagerSpaceRead, None).await;
        let sent = home.get(&format!("/usager/mandates/{mandate}/history/file")).await;
        assert_eq!(sent.status, 200, "{}", sent.body);
        assert_eq!(world.entries(EventKind::UsagerSpaceRead, None).await, read + 1, "the reading is journaled");
        let history = History::parse(file(&sent)).unwrap();
        let proved = history.verify(&Policy::of_log(&keys())).unwrap();
        assert_eq!(proved.len() as u64, stored(&world, &mandate).await.seq);
        assert!(proved.windows(2).all(|pair| pair[0].entry.at() <= pair[1].entry.at()));
        let acts = history.steps.iter().flat_map(|step| &step.openings).map(|opening| {
            let act: serde_json::Value = opening.read().unwrap();
            act["kind"].as_str().unwrap().to_owned()
        });
        let life: Vec<String> = acts.filter(|kind| kind.starts_with("mandate.")).collect();
        assert_eq!(&life[..3], ["mandate.proposed", "mandate.consented", "mandate.accepted"]);
        let opened = history.steps.iter().flat_map(|step| &step.openings);
        let opened: String = opened.map(|one| String::from_utf8_lossy(one.json()).into_owned()).collect();
        for name in ["Camille", "Goff", "Marie", "Josèphe", "D’Été", "1949-", "L’Haÿ"] {
            assert!(!opened.contains(name), "{opened}");
            assert!(!sent.body.contains(name), "{}", sent.body);
        }
    }

    a_history_over_two_shards_is_proved_step_by_step_under_the_policy_of_each(database) {
        let world = World::over(database).await;
        let mandate = used(&world).await;
        let before = stored(&world, &mandate).await.seq;
        let next = shards::open_now(&world.app, "new year").await.unwrap();
        represent(&world, &mandate, &two(&world)[0], "sid2").await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let history = format!("/usager/mandates/{mandate}/history");
        // What was done at the service waits for its place on PostgreSQL.
        let mut receipt = home.get(&format!("{history}/{}", before + 1)).await;
        while receipt.body.contains("page-being-recorded") {
            receipt = home.get(&format!("{history}/{}", before + 1)).await;
        }
        assert!(receipt.body.contains(&format!("{next} ")), "the receipt names its shard: {}", receipt.body);
        let sent = home.get(&format!("{history}/file")).await;
        let (old, new) = (keys(), vec![TestSigner::called(&next).verifier()]);
        let told = History::parse(file(&sent)).unwrap();
        let origins: Vec<_> = told.steps.iter().map(|step| step.proof.checkpoint.lines().next().unwrap().to_owned()).collect();
        assert!(origins.len() as u64 > before && origins.windows(2).all(|pair| pair[0] <= pair[1]), "{origins:?}");
        let (old, new) = (Policy::of_log(&old), Policy::of_log(&new));
        for (policy, holds) in [(&old.clone().or(new.clone()), true), (&old, false), (&new, false)] {
            assert_eq!(told.verify(policy).is_ok(), holds);
        }
        let written = |name: &str, text: &str| {
            std::fs::write(world.test.database.folder().join(name), text).unwrap();
            world.test.database.folder().join(name)
        };
        let given = written("history", file(&sent));
        let trusted = [keys(), vec![TestSigner::called(&next).verifier()]].map(|keys| porteplume::journal::policy(&keys, None, &[], 0));
        let (old, new) = (written("old", &trusted[0]), written("new", &trusted[1]));
        for (policies, ended) in [(vec![&old, &new], 0), (vec![&new, &old], 0), (vec![&old], 1), (vec![&new], 1)] {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_porteplume"));
            command.args(["journal", "check"]).arg(&given);
            for policy in policies {
                command.arg("--policy").arg(policy);
            }
            assert_eq!(command.output().unwrap().status.code(), Some(ended));
        }
        world.test.verifies().await;
    }

    a_history_is_told_to_its_parties_only_and_only_what_it_holds(database) {
        let world = World::over(database).await;
        let mandate = used(&world).await;
        let length = stored(&world, &mandate).await.seq;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        for number in ["0", "x", "-1", "18446744073709551616", &(length + 1).to_string()] {
            for end in ["", "/proof"] {
                let page = home.get(&format!("/usager/mandates/{mandate}/history/{number}{end}")).await;
                assert_eq!(page.status, 404, "{number}{end}: {}", page.body);
            }
        }
        let stranger = known_usager(&world.app, None, born("Zoé", "O’Neill", "1980-01-01")).await;
        let stranger = at_home(&world, &stranger).await;
        let other = world.signed_in(&world.stranger().await).await;
        let refused = world.entries(EventKind::AccessRefused, Some("not_found")).await;
        let mut asked = 0;
        for (browser, root) in [(&stranger, "/usager/mandates"), (&other, "/aidant/mandates")] {
            for end in ["history", "history/1", "history/1/proof"] {
                let page = browser.get(&format!("{root}/{mandate}/{end}")).await;
                assert_eq!(page.status, 404, "{root} {end}: {}", page.body);
                asked += 1;
            }
        }
        let page = stranger.get(&format!("/usager/mandates/{mandate}/history/file")).await;
        assert_eq!(page.status, 404, "{}", page.body);
        assert_eq!(world.entries(EventKind::AccessRefused, Some("not_found")).await, refused + asked + 1);
    }
}

#[tokio::test]
async fn receipts_and_histories_are_checked_offline_by_anybody_who_has_the_policy() {
    let world = World::over(TestDatabase::fresh(Engine::Sqlite).await).await;
    let mandate = used(&world).await;
    let home = at_home(&world, &usager_of(&world, &mandate).await).await;
    let folder = world.test.database.folder();
    let written = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    let policy = written("policy", &porteplume::journal::policy(&keys(), None, &[], 0));
    let other = Vkey::new("porteplume.test/journal", &[7; 32]).unwrap();
    let other = written("other", &porteplume::journal::policy(&[other], None, &[], 0));
    let check = |file: &std::path::Path, policy: &std::path::Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_porteplume"));
        let done = command.args(["journal", "check"]).arg(file).arg("--policy").arg(policy).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.code().unwrap(), String::from_utf8(said).unwrap())
    };
    for (name, path, told) in [
        ("receipt", format!("/usager/mandates/{mandate}/history/3/proof"), "stands at place"),
        ("history", format!("/usager/mandates/{mandate}/history/file"), "none left out between them"),
    ] {
        let text = file(&home.get(&path).await).to_owned();
        let (code, said) = check(&written(name, &text), &policy);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(told), "{said}");
        let (cut, rest) = text.split_at(text.len() / 2);
        let flipped = if rest.starts_with('A') { "B" } else { "A" };
        let altered = format!("{cut}{flipped}{}", rest.chars().skip(1).collect::<String>());
        for (file, policy) in [
            (written("altered", &altered), &policy),
            (written("cut", cut), &policy),
            (written("page", "<!doctype html>"), &policy),
            (written("empty", ""), &policy),
            (folder.join(name), &other),
            (folder.join(name), &folder.join(name)),
            (folder.join("absent"), &policy),
        ] {
            let (code, said) = check(&file, policy);
            assert_eq!(code, 1, "{}: {said}", file.display());
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
}

#[tokio::test]
async fn a_mandate_is_verified_by_its_history_and_a_hole_in_it_is_refused() {
    let world = World::over(TestDatabase::fresh(Engine::Sqlite).await).await;
    let mandate = used(&world).await;
    let home = at_home(&world, &usager_of(&world, &mandate).await).await;
    let folder = world.test.database.folder();
    let policy = folder.join("policy");
    std::fs::write(&policy, porteplume::journal::policy(&keys(), None, &[], 0)).unwrap();
    let verify = |text: &str| {
        std::fs::write(folder.join("mandate"), text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_porteplume"));
        command.args(["mandate", "verify"]).arg(folder.join("mandate")).arg("--policy").arg(&policy);
        let done = command.output().unwrap();
        let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        (done.status.code().unwrap(), said)
    };
    let address = format!("/usager/mandates/{mandate}/history/file");
    let standing = file(&home.get(&address).await).to_owned();
    let (code, said) = verify(&standing);
    assert_eq!(code, 0, "{said}");
    let stored = stored(&world, &mandate).await.mandate;
    let State::Active { consent, .. } = &stored.state else { panic!("{:?}", stored.state) };
    let text = &consent.text_hash;
    let procedure = stored.terms.procedures.keys().next().unwrap();
    for told in [
        &format!("mandate {mandate} of organisation {}", world.organisation),
        &format!("SHA-256 of the binding text: {text}"),
        &format!("  {procedure}: prepare"),
        "standing after these entries",
        "none left out between them",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(!said.contains("ENDED"), "{said}");

    assert_eq!(home.post(&format!("/usager/mandates/{mandate}/end"), &[]).await.status, 303);
    let ended = file(&home.get(&address).await).to_owned();
    let (code, said) = verify(&ended);
    assert!(code == 0 && said.contains("ENDED 20") && said.contains("(revoked)"), "{said}");
    assert!(!said.contains("standing"), "{said}");

    // Whoever leaves out what opens the end does not pass for standing.
    let mut silent: serde_json::Value = serde_json::from_str(&ended).unwrap();
    let entries = silent["entries"].as_array_mut().unwrap();
    let ends = |entry: &serde_json::Value| entry["openings"]["act"].as_str().is_some();
    let last = entries.iter().rposition(ends).unwrap();
    entries[last]["openings"].as_object_mut().unwrap().remove("act");
    let (code, said) = verify(&silent.to_string());
    assert!(code == 1 && said.contains("history_silent") && said.lines().count() == 1, "{said}");
    let mut altered: serde_json::Value = serde_json::from_str(&ended).unwrap();
    altered["entries"].as_array_mut().unwrap().swap(0, 1);
    for wrong in [altered.to_string(), String::new(), "{}".to_owned(), ended.replacen('1', "2", 9)] {
        let (code, said) = verify(&wrong);
        assert!(code == 1 && said.lines().count() == 1, "{said}");
    }
}
