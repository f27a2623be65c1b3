//! A usager's timeline: everything of theirs, searched, in pages, and as a table that no spreadsheet runs.

use super::postman::{chosen, send, world};
use crate::mandates::uses::represent;
use crate::space::world::{active_for_two, at_home, two, usager_of};
use crate::support::database::on_both;
use crate::support::world::{fresh, known_usager};
use porteplume::mandate::{Channel, EventKind};
use porteplume::service::expire;

/// How many lines a page shows.
fn lines(page: &str) -> usize {
    page.split_once("id=\"timeline\"")
        .map_or(0, |(_, list)| list.split("</ol>").next().unwrap().matches("<li>").count())
}

on_both! {
    a_timeline_tells_all_of_ones_own_searched_and_in_pages(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        chosen(&world, &mandate, Channel::Email).await;
        for number in 0..55 {
            represent(&world, &mandate, &two(&world)[0].clone(), &number.to_string()).await;
        }
        world.wait(31);
        assert_eq!(expire::close_due(&world.app).await.unwrap(), 55);
        send(&world).await;
        let aidant = world.in_hands_of(fresh(&world.app, &world.aidant)).await;
        assert_eq!(aidant.post(&format!("/aidant/mandates/{mandate}/renounce"), &[]).await.status, 303);
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let read = world.entries(EventKind::UsagerSpaceRead, None).await;

        let first = home.get("/usager/timeline").await;
        assert_eq!((first.status, lines(&first.body)), (200, 50), "{}", first.body);
        assert!(first.body.contains("link-older") && !first.body.contains("link-newer"));
        let done = home.get("/usager/timeline?what=done&page=1").await;
        assert_eq!(lines(&done.body), 5, "{}", done.body);
        assert!(done.body.contains("link-newer") && !done.body.contains("link-older"));
        let end = home.get("/usager/timeline?what=end").await;
        assert!(lines(&end.body) == 1 && end.body.contains("le mandat a pris fin, par la structure"), "{}", end.body);
        let told = home.get("/usager/timeline?what=told").await;
        assert!(told.body.contains("un reçu\u{a0}: envoyé"), "{}", told.body);
        let before = home.get("/usager/timeline?until=2001-01-01").await;
        assert!(lines(&before.body) == 0 && before.body.contains("Rien pour ces choix."), "{}", before.body);
        let one = home.get(&format!("/usager/timeline?mandate={mandate}&what=agreement")).await;
        assert!((3..50).contains(&lines(&one.body)), "{}", one.body);
        assert_eq!(world.entries(EventKind::UsagerSpaceRead, None).await, read + 6, "each reading is journaled");
        assert_eq!(home.get("/usager/timeline?page=18446744073709551615").await.status, 200);
        world.test.verifies().await;
    }

    a_timeline_holds_nothing_of_others_and_its_table_runs_nothing(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        represent(&world, &mandate, &two(&world)[0].clone(), "one").await;
        let home = chosen(&world, &mandate, Channel::Email).await;
        let table = home.get("/usager/timeline/file?what=done").await;
        let text = table.body.trim_end().trim_start_matches('\u{feff}');
        assert!(table.status == 200 && table.body.starts_with("\u{feff}\"Quand (UTC)\","), "{}", table.body);
        let rows: Vec<_> = text.split("\r\n").collect();
        assert_eq!(rows.len(), 2, "{text}");
        assert!(rows[1].contains("Caisse d’à côté") && rows.iter().all(|row| row.starts_with('"')));

        let other = known_usager(&world.app, None, crate::mandates::world::born("Autre", "Personne", "1970-01-01")).await;
        let other = at_home(&world, &other).await;
        for path in ["/usager/timeline".to_owned(), format!("/usager/timeline?mandate={mandate}")] {
            let page = other.get(&path).await;
            assert!(page.status == 200 && lines(&page.body) == 0, "{}", page.body);
            assert!(!page.body.contains("L’Haÿ") && !page.body.contains("Camille"), "{}", page.body);
        }
        let nothing = other.get(&format!("/usager/timeline/file?mandate={mandate}")).await;
        assert_eq!(nothing.body.trim_end().lines().count(), 1, "{}", nothing.body);
        let aidant = world.in_hands_of(fresh(&world.app, &world.aidant)).await;
        assert_ne!(aidant.get("/usager/timeline").await.status, 200, "it is no page of an aidant's");
        world.test.verifies().await;
    }
}
