//! Several agents' providers at once: the domain of an address chooses, and none speaks for another's people.

use super::elsewhere::{Window, provider, stranger};
use crate::journal::watch::{off, raised};
use crate::mandates::world::{Answer, World};
use crate::support::app::TestApp;
use crate::support::database::{TestDatabase, on_both};
use crate::support::state::State;
use crate::support::world::whereabouts;
use porteplume::demo::Flavour;
use porteplume::mandate::{EventKind, Role, Thresholds};
use porteplume::service::manage::{self, Invited, Manager};
use porteplume::service::{Caller, Who};
use porteplume::storage::Engine;
use sqlx::Row as _;

const DOOR: &str = "/aidant/sign-in";
const NORA: &str = "nora.legoff@mediatheque.valmarie.example";
const CLAIRE: &str = "claire.ndiaye@passerelles.example";

/// A world whose library's agents come by a provider of their own, and where both are.
async fn town(database: TestDatabase) -> (World, String, String) {
    let test = TestApp::over(database).await;
    let (usual, at_usual) = provider(&test, Flavour::Agents, "agents").await;
    let (mut own, at_own) = provider(&test, Flavour::Agents, "agents/mediatheque").await;
    own.login_hint = true;
    let others = vec![("mediatheque", "mediatheque.valmarie.example", own)];
    let world = World::of(test.employed_by_several(usual, others)).await;
    for (given_name, family_name, email) in [("Nora", "Le Goff", NORA), ("Claire", "Ndiaye", CLAIRE)] {
        let invited = Invited { given_name, family_name, email, role: Role::Aidant };
        let by = (&world.app, &Manager::Operator, &Caller::default());
        manage::invite_aidant(by.0, by.1, by.2, &world.organisation, invited).await.unwrap();
    }
    (world, at_usual, at_own)
}

fn leads_to(answer: &Answer, origin: &str) -> bool {
    answer.status == 303 && answer.location.starts_with(origin)
}

on_both! {
    the_domain_of_the_address_chooses_the_provider(database) {
        let (world, at_usual, at_own) = town(database).await;
        let door = stranger(&world).await.get(DOOR).await;
        assert!(door.body.contains("id=\"email\""), "{}", door.body);
        for (typed, there) in [
            (NORA, &at_own), ("Somebody.Else@Mediatheque.Valmarie.EXAMPLE", &at_own), (CLAIRE, &at_usual),
            ("nobody@elsewhere.example", &at_usual), ("x@sub.mediatheque.valmarie.example", &at_usual),
        ] {
            let sent = stranger(&world).await.post(DOOR, &[("email", typed)]).await;
            assert!(leads_to(&sent, there), "{typed}: {} {}", sent.status, sent.location);
            let hinted = sent.location.contains("login_hint=");
            assert_eq!(hinted, there == &at_own, "only where the provider takes it");
        }
        // A usager is never asked.
        assert!(!stranger(&world).await.get("/usager/sign-in").await.body.contains("id=\"email\""));
    }

    what_is_no_address_is_said_at_its_field_and_begins_nothing(database) {
        let (world, ..) = town(database).await;
        let before = State::of(&world.test.database).await;
        for typed in ["", "nora", "nora@", "@ville.fr", "nora@intranet", "nora le@ville.fr", "<script>@x"] {
            for door in [DOOR, "/auditor/sign-in"] {
                let browser = stranger(&world).await;
                let page = browser.post(door, &[("email", typed)]).await;
                assert_eq!((page.status, page.location.as_str()), (422, ""), "{typed}: {}", page.body);
                assert!(page.body.contains("href=\"#email\""), "the summary leads to the field: {}", page.body);
                assert!(!page.body.contains("<script>"), "{}", page.body);
            }
        }
        assert_eq!(State::of(&world.test.database).await, before);
    }

    each_aidant_signs_in_and_out_at_their_own_provider(database) {
        let (world, at_usual, at_own) = town(database).await;
        for (email, person, there, back_at) in [
            (NORA, "nora-legoff", &at_own, "/callback/agents/mediatheque?"),
            (CLAIRE, "claire-ndiaye", &at_usual, "/callback/agents?"),
        ] {
            let mut window = Window::stranger(&world, there).await;
            let sent = window.here.post(DOOR, &[("email", email)]).await;
            let back = window.goes(&sent, person).await;
            assert!(back.starts_with(back_at), "{back}");
            let came = window.here.follow(&back).await;
            assert_eq!(came.status, 303, "{}", came.body);
            assert!(matches!(window.here.session().await.unwrap().who, Who::Aidant { .. }));
            let out = window.here.post("/sign-out", &[]).await;
            assert!(out.body.contains("page-leaving") && out.body.contains(there.as_str()), "{}", out.body);
        }
        assert_eq!(world.entries(EventKind::AidantSignedIn, None).await, 2);
        world.test.verifies().await;
    }

    no_provider_speaks_for_the_addresses_of_another(database) {
        let (world, at_usual, at_own) = town(database).await;
        let bound = world.entries(EventKind::InvitationAccepted, None).await;
        // Each says whom the other is to speak for: their addresses are typed so that the wrong provider is asked.
        for (typed, person, there) in [(CLAIRE, "nora-legoff", &at_usual), (NORA, "claire-ndiaye", &at_own)] {
            let mut window = Window::stranger(&world, there).await;
            let sent = window.here.post(DOOR, &[("email", typed)]).await;
            let back = window.goes(&sent, person).await;
            let refused = window.here.follow(&back).await;
            assert_eq!((refused.status, refused.location.as_str()), (403, ""), "{}", refused.body);
            assert!(matches!(window.here.session().await.unwrap().who, Who::Anonymous));
        }
        assert_eq!(world.entries(EventKind::InvitationAccepted, None).await, bound, "nobody was bound");
        assert_eq!(world.entries(EventKind::SignInRefused, Some("not_registered")).await, 2);
        world.test.verifies().await;
    }

    what_was_begun_at_one_provider_ends_at_no_other(database) {
        let (world, at_usual, at_own) = town(database).await;
        for (email, person, there, from, to) in [
            (NORA, "nora-legoff", &at_own, "/agents/mediatheque", "/agents"),
            (CLAIRE, "claire-ndiaye", &at_usual, "/callback/agents", "/callback/agents/mediatheque"),
            (CLAIRE, "claire-ndiaye", &at_usual, "/callback/agents", "/callback/agents/unknown"),
        ] {
            let mut window = Window::stranger(&world, there).await;
            let sent = window.here.post(DOOR, &[("email", email)]).await;
            let back = window.goes(&sent, person).await;
            let mixed = window.here.follow(&back.replacen(from, to, 1)).await;
            assert_eq!((mixed.status, mixed.location.as_str()), (400, ""), "{}", mixed.body);
            assert!(mixed.body.contains("sign_in_flow_unknown"), "{}", mixed.body);
        }
        assert_eq!(world.entries(EventKind::AidantSignedIn, None).await, 0);
    }

    another_employers_siret_is_told_once_and_neither_lets_in_nor_keeps_out(database) {
        let test = TestApp::over(database).await.told_from(Thresholds { other_employer: 2, ..off() });
        let (usual, at) = provider(&test, Flavour::Agents, "agents").await;
        let world = World::of(test.employed_by(usual)).await;
        // Enrolled under the number her provider names; Claire's organisation is not the one hers names.
        let library = manage::add_organisation(&world.app, "Médiathèque", "99900010200015", &whereabouts()).await.unwrap();
        for (organisation, given_name, family_name, email) in
            [(&library, "Nora", "Le Goff", NORA), (&world.organisation, "Claire", "Ndiaye", CLAIRE)]
        {
            let invited = Invited { given_name, family_name, email, role: Role::Aidant };
            manage::invite_aidant(&world.app, &Manager::Operator, &Caller::default(), organisation, invited).await.unwrap();
        }
        let comes = async |person: &str| {
            let mut window = Window::stranger(&world, &at).await;
            window.signs_in(DOOR, person).await;
            matches!(window.here.session().await.unwrap().who, Who::Aidant { .. })
        };
        assert!(comes("nora-legoff").await && comes("nora-legoff").await);
        assert!(comes("claire-ndiaye").await);
        assert_eq!(raised(&world).await, [""; 0], "once is not twice");
        assert!(comes("claire-ndiaye").await, "she is let in all the same");
        assert_eq!(raised(&world).await, ["other_employer 2 aidant open"]);
        assert!(comes("claire-ndiaye").await);
        assert_eq!(raised(&world).await.len(), 1, "not again");
        let mut raw = world.test.database.raw().await;
        let entries = "SELECT count(*) AS n FROM event WHERE instr(CAST(entry AS TEXT), '99900020100015') > 0";
        if world.test.database.engine() == Engine::Sqlite {
            assert_eq!(sqlx::query(entries).fetch_one(&mut raw).await.unwrap().get::<i64, _>("n"), 0);
        }
        world.test.verifies().await;
    }
}
