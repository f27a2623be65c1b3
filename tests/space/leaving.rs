//! Whoever leaves here leaves the provider too: the next sign-in there asks again.

use super::elsewhere::{Window, identified, provider, stranger};
use crate::mandates::world::World;
use crate::support::app::TestApp;
use crate::support::database::on_both;
use porteplume::demo::Flavour;
use porteplume::mandate::Role;
use porteplume::service::manage::{self, Invited, Manager};
use porteplume::service::{Caller, Who};

impl Window<'_> {
    /// Whether the provider lets this browser in again without asking who is there.
    async fn is_known_there(&self, world: &World, door: &str) -> bool {
        let other = stranger(world).await;
        let asked = other.post(door, &[]).await.location.replace("prompt=login", "");
        self.there.get(&asked).await.status == 303
    }

    /// Goes on from the page that leads out; gives the path the provider sends back to.
    async fn leaves(&mut self, page: &str) -> String {
        assert!(page.contains("id=\"page-leaving\""), "{page}");
        let (_, next) = page.rsplit_once("__Host-porteplume-next=").expect("the way back is remembered");
        let next = next.split(';').next().unwrap();
        self.here.cookie = format!("{}; __Host-porteplume-next={next}", self.here.cookie);
        let (_, href) = page.split_once("id=\"link-onward\" href=\"").unwrap();
        let address = href.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        let back = self.there.get(&address).await.location();
        assert_eq!(back.path(), "/signed-out");
        format!("{}?{}", back.path(), back.query().expect("our state comes back"))
    }
}

on_both! {
    a_usager_who_signs_out_is_signed_out_at_the_provider_too(database) {
        let (world, issuer) = identified(database).await;
        let mut window = Window::stranger(&world, &issuer).await;
        window.signs_in("/usager/sign-in", "rose-marchal").await;
        assert!(window.is_known_there(&world, "/usager/sign-in").await);
        let out = window.here.post("/sign-out", &[]).await;
        assert!(window.here.session().await.is_none(), "here it is over at once");
        let back = window.leaves(&out.body).await;
        assert!(!window.is_known_there(&world, "/usager/sign-in").await, "the next one is asked");
        let page = window.here.get(&back).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("page-signed-out") && !page.body.contains("still-open"), "{}", page.body);
    }

    aidants_and_auditors_who_sign_out_are_asked_again(database) {
        let test = TestApp::over(database).await;
        let (registration, issuer) = provider(&test, Flavour::Agents, "agents").await;
        let world = World::of(test.employed_by(registration)).await;
        let nora = Invited {
            given_name: "Nora",
            family_name: "Le Goff",
            email: "nora.legoff@mediatheque.valmarie.example",
            role: Role::Aidant,
        };
        manage::invite_aidant(&world.app, &Manager::Operator, &Caller::default(), &world.organisation, nora)
            .await
            .unwrap();
        manage::add_auditor(&world.app, "Inès", "Ferrand", "ines.ferrand@controle.example").await.unwrap();
        for (door, person) in [("/aidant/sign-in", "nora-legoff"), ("/auditor/sign-in", "ines-ferrand")] {
            let mut window = Window::stranger(&world, &issuer).await;
            window.signs_in(door, person).await;
            assert!(window.is_known_there(&world, door).await, "{door}");
            let out = window.here.post("/sign-out", &[]).await;
            let back = window.leaves(&out.body).await;
            assert!(!window.is_known_there(&world, door).await, "{door}");
            assert_eq!(window.here.get(&back).await.status, 200);
        }
    }

    who_answered_on_a_handed_over_screen_is_signed_out_there_and_the_screen_stays_locked(database) {
        let (world, issuer) = identified(database).await;
        for (decision, state) in [("consent", "consented"), ("refuse", "refused")] {
            let desk = world.signed_in(&world.aidant).await;
            let mandate = world.proposed(&desk).await;
            let mut window = Window::on(desk, &issuer);
            window.here.hand_over(&mandate).await;
            window.signs_in("/consent/identify", "rose-marchal").await;
            let said = window.here.send("/consent/decision", &[("decision", decision), ("protected", "no")]).await;
            assert_eq!(world.state(&mandate).await, state);
            let back = window.leaves(&said.body).await;
            assert!(!window.is_known_there(&world, "/usager/sign-in").await, "{decision}");
            let done = window.here.get(&back).await;
            assert_eq!((done.status, done.location.as_str()), (303, "/consent/done"), "{}", done.body);
            let forged = window.here.get("/signed-out?state=forged&to=/aidant").await;
            assert_eq!((forged.status, forged.location.as_str()), (303, "/consent/done"), "{}", forged.body);
            let held = window.here.cookie.split(';').next().unwrap().to_owned();
            window.here.cookie = held;
            assert!(matches!(window.here.session().await.unwrap().who, Who::Locked { .. }));
            assert_eq!(window.here.get("/aidant").await.location, "/aidant/unlock");
        }
    }

    who_could_not_answer_is_signed_out_there_before_the_aidant_goes_on(database) {
        let (world, issuer) = identified(database).await;
        let desk = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&desk).await;
        let mut window = Window::on(desk, &issuer);
        window.here.hand_over(&mandate).await;
        window.signs_in("/consent/identify", "rose-marchal").await;
        let said = window.here.send("/consent/decision", &[("decision", "consent"), ("protected", "yes")]).await;
        assert_eq!(said.status, 422);
        let code = window.here.fresh_code();
        let unlocked = window.here.send("/aidant/unlock", &[("code", &code)]).await;
        let back = window.leaves(&unlocked.body).await;
        assert!(!window.is_known_there(&world, "/usager/sign-in").await);
        let on = window.here.get(&back).await;
        assert_eq!((on.status, on.location), (303, format!("/aidant/mandates/{mandate}/accept")));
    }

    where_the_provider_cannot_be_left_the_page_says_so(database) {
        let (world, issuer) = identified(database).await;
        let mut window = Window::stranger(&world, &issuer).await;
        window.signs_in("/usager/sign-in", "rose-marchal").await;
        let desk = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&desk).await;
        let mut screen = Window::on(desk, &issuer);
        screen.here.hand_over(&mandate).await;
        screen.signs_in("/consent/identify", "rose-marchal").await;

        let other = world.beside(world.test.replica().await);
        let out = window.here.at(&other).post("/sign-out", &[]).await;
        assert_eq!((out.status, out.location.as_str()), (303, "/signed-out?at=citizens"));
        assert!(window.here.get(&out.location).await.body.contains("id=\"still-open\""));
        let mut screen = screen.here.at(&other);
        let said = screen.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!((said.status, said.location.as_str()), (303, "/consent/done?at=citizens"), "{}", said.body);
        assert!(screen.get(&said.location).await.body.contains("id=\"still-open\""));
    }
}
