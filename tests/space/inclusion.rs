//! Neither an activation nor a revocation is confirmed before its entry stands in the journal, though a revocation holds
//! from its commit. PostgreSQL, where nobody gives entries their place until the test lets another replica do so.

use super::history::file;
use super::world::{at_home, two, usager_of};
use crate::mandates::uses::{lives, open, represent};
use crate::mandates::world::{Answer, World};
use crate::support::database::{TestDatabase, signer};
use porteplume::journal::{LogProof, Policy, Promise};
use porteplume::mandate::EventKind;
use porteplume::service::Who;
use porteplume::storage::Engine;

/// The person is told to wait, and nothing else.
fn is_being_recorded(answer: &Answer, at: &str) {
    assert_eq!(answer.location, "", "{at}: {}", answer.body);
    assert!(matches!(answer.status, 202 | 503), "{at}: {} {}", answer.status, answer.body);
    let promised = answer.body.contains("id=\"promise-1\"");
    assert_eq!(promised, answer.status == 202, "only what was done is promised: {at}: {}", answer.body);
    assert!(answer.body.contains("page-being-recorded"), "{at}: {}", answer.body);
    assert!(answer.body.contains("id=\"link-resume\""), "{at}: {}", answer.body);
    assert!(!answer.body.contains("porteplume-flash"), "{at}: {}", answer.body);
}

#[tokio::test]
async fn no_activation_is_confirmed_before_it_stands_in_the_journal() {
    let world = World::over(TestDatabase::fresh(Engine::Postgres).await).await;
    let mut browser = world.signed_in(&world.aidant).await;
    let mandate = world.consented(&mut browser).await;
    browser.unlock().await;
    let slow = world.beside(world.test.held_back().await);
    let desk = browser.at(&slow);
    let base = format!("/aidant/mandates/{mandate}");
    let accept = format!("{base}/accept");
    for _ in 0..2 {
        is_being_recorded(&desk.post(&accept, &[]).await, "accepting");
        for path in [&accept, &base, &format!("{base}/print")] {
            is_being_recorded(&desk.get(path).await, path);
        }
    }
    assert_eq!(slow.entries(EventKind::MandateAccepted, None).await, 1, "accepted once");

    let fast = slow.beside(slow.test.replica().await);
    let desk = desk.at(&fast);
    assert_eq!(desk.get(&accept).await.location, base, "the way to go on leads to the mandate");
    assert_eq!(desk.post(&accept, &[]).await.status, 303, "sent again, it is done");
    let page = desk.get(&base).await;
    assert!(page.status == 200 && page.body.contains("porteplume.test/journal"), "{}", page.body);
    assert_eq!(desk.get(&format!("{base}/print")).await.status, 200);
    assert_eq!(fast.entries(EventKind::MandateAccepted, None).await, 1);
}

#[tokio::test]
async fn a_revocation_holds_at_once_and_is_confirmed_once_it_stands_in_the_journal() {
    let world = World::over(TestDatabase::fresh(Engine::Postgres).await).await;
    let mut browser = world.signed_in(&world.aidant).await;
    let mandate = world.active(&mut browser).await;
    let used = represent(&world, &mandate, &two(&world)[0], "sid").await;
    let home = at_home(&world, &usager_of(&world, &mandate).await).await;
    let slow = world.beside(world.test.held_back().await);
    let home = home.at(&slow);
    let base = format!("/usager/mandates/{mandate}");
    let end = format!("{base}/end");
    is_being_recorded(&home.post(&end, &[]).await, "ending");
    assert!(!lives(&slow, &used).await, "it holds from its commit");
    assert_eq!((open(&slow).await, slow.state(&mandate).await.as_str()), (0, "ended"));
    is_being_recorded(&home.post(&end, &[]).await, "ending again");
    for path in ["/usager", &base, &end] {
        is_being_recorded(&home.get(path).await, path);
    }

    let fast = slow.beside(slow.test.replica().await);
    let home = home.at(&fast);
    assert_eq!(home.get(&end).await.location, base, "the way to go on leads to the mandate");
    let page = home.get(&base).await;
    assert!(page.status == 200 && page.body.contains("porteplume.test/journal"), "{}", page.body);
    assert_eq!(home.post(&end, &[]).await.status, 409, "ended already");
    assert_eq!(fast.entries(EventKind::MandateEnded, None).await, 1);
    assert_eq!(fast.entries(EventKind::RepresentationClosed, None).await, 1);
}

/// The promises on a page.
fn promises(page: &Answer) -> Vec<String> {
    let each = page.body.split("<pre class=\"proof\" id=\"promise-").skip(1);
    each.map(|from| from.split_once("tabindex=\"0\">").unwrap().1.split_once("</pre>").unwrap().0.to_owned())
        .collect()
}

#[tokio::test]
async fn what_is_promised_while_an_entry_waits_is_kept_by_its_proof() {
    let world = World::over(TestDatabase::fresh(Engine::Postgres).await).await;
    let mut browser = world.signed_in(&world.aidant).await;
    let mandate = world.active(&mut browser).await;
    let home = at_home(&world, &usager_of(&world, &mandate).await).await;
    let slow = world.beside(world.test.held_back().await);
    let home = home.at(&slow);
    let waiting = home.post(&format!("/usager/mandates/{mandate}/end"), &[]).await;
    assert_eq!(waiting.status, 202, "done, and not confirmed: {}", waiting.body);
    let notes = promises(&waiting);
    let policy = porteplume::journal::policy(&[signer().verifier()], None, &[], 0);
    let trusted = Policy::parse(policy.as_bytes()).unwrap();
    let opened: Vec<Promise> = notes.iter().map(|note| Promise::open(note, &trusted).unwrap()).collect();
    assert!(!opened.is_empty());
    let proof_of = |promise: &Promise| format!("/journal/promised/{}", promise.event);
    for promise in &opened {
        let asked = home.get(&proof_of(promise)).await;
        assert_eq!(asked.status, 202, "{}", asked.body);
        assert!(!asked.body.contains("c2sp.org"), "{}", asked.body);
    }

    let fast = slow.beside(slow.test.replica().await);
    assert_eq!(home.at(&fast).get(&format!("/usager/mandates/{mandate}/end")).await.status, 303);
    let anybody = home.at(&fast);
    let folder = fast.test.database.folder();
    let written = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    let (policy, note) = (written("policy", &policy), written("promise", &notes[0]));
    let check = |proof: Option<&std::path::Path>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_porteplume"));
        command.args(["journal", "check"]).arg(&note).arg("--policy").arg(&policy);
        let done = proof
            .iter()
            .fold(&mut command, |command, proof| command.arg("--proof").arg(proof))
            .output()
            .unwrap();
        (done.status.code().unwrap(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    };
    assert!(check(None).1.contains(&proof_of(&opened[0])), "{:?}", check(None));
    for promise in &opened {
        let proof = anybody.get(&proof_of(promise)).await;
        assert_eq!(proof.status, 200, "{}", proof.body);
        let read = LogProof::parse(file(&proof)).unwrap();
        assert_eq!(read.entry, None, "anybody may ask: the entry itself is its parties'");
        promise.kept_by(&read, &trusted).unwrap();
        let (code, said) = check(Some(&written("proof", file(&proof))));
        // The command was given the first promise: it is kept by its own proof alone.
        let first = promise == &opened[0];
        assert_eq!((code, said.contains("kept: ")), (i32::from(!first), first), "{said}");
        let other = LogProof { index: read.index + 1, ..read };
        let (code, said) = check(Some(&written("other", &other.to_string())));
        assert_eq!((code, said.contains("does not keep the promise")), (1, true), "{said}");
    }
    for unknown in ["0192f3c47d2e7c1a9b3f0e5d6c7b8a90", "x", "..%2Fcheckpoint"] {
        assert_eq!(anybody.get(&format!("/journal/promised/{unknown}")).await.status, 404, "{unknown}");
    }
    fast.test.verifies().await;
}

#[tokio::test]
async fn a_slow_journal_costs_nobody_their_session() {
    let world = World::over(TestDatabase::fresh(Engine::Postgres).await).await;
    let browser = world.signed_in(&world.aidant).await;
    let slow = world.beside(world.test.held_back().await);
    let mut desk = browser.at(&slow);
    let mandate = slow.consented(&mut desk).await;
    assert!(
        matches!(desk.session().await.unwrap().who, Who::Locked { .. }),
        "the screen is locked, not lost"
    );
    desk.unlock().await;
    is_being_recorded(&desk.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await, "accepting");
    // The factor is proved, and a new one comes with its recovery codes.
    let code = desk.fresh_code();
    assert_eq!(desk.send("/aidant/factor", &[("code", &code)]).await.status, 303);
    let colleague = slow.signed_in(&slow.colleague().await).await;
    assert!(colleague.session().await.is_some());
    let fast = slow.beside(slow.test.replica().await);
    assert_eq!(desk.at(&fast).post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await.status, 303);
    assert_eq!(fast.entries(EventKind::MandateAccepted, None).await, 1);
}
