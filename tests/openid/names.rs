//! Names of every kind, from the search to the claims.

use super::*;
use crate::support::database::on_both;

on_both! {
    names_of_every_kind_are_found_and_told_unharmed(database) {
        let town = Town::new(database).await;
        let long = "é".repeat(200);
        let names = ["O'Brien-D’Arc", "محمد العربي", "王小明", "Þórsdóttir", "Nguyễn Thị", long.as_str(), "'; DROP TABLE usager; --"];
        for name in names {
            let usager = world::usager(town.app(), &town.organisation, world::identity(name, name, "1950-01-31")).await;
            let by = (&town.organisation, &town.aidant);
            let mandate = world::mandate(town.app(), by, &usager, &[PRIME], Term::Month).await;
            let browser = town.browser().await;
            let handle = browser.asks(&[]).await;
            let typed = [("family_name", name), ("birth_day", "31"), ("birth_month", "01"), ("birth_year", "1950")];
            let found = browser.post(&format!("/authorize/{handle}/search"), &typed).await;
            assert_eq!(found.status, 200, "{name}: {}", found.body);
            assert!(found.body.contains(&format!("usager-{usager}")), "{name}");
            assert!(found.body.contains(&name.replace('\'', "&#39;")), "{name}: {}", found.body);
            let code = browser.confirms(&handle, &mandate, PRIME).await.sent_on("code").unwrap();
            let answer = town.exchange(&code, &[]).await.json();
            let told = town.userinfo(answer["access_token"].as_str().unwrap()).await.json();
            assert_eq!(told["given_name"], name);
        }
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let before = town.entries("usager.looked_up").await.len();
        let longer = "é".repeat(201);
        let typed = [("family_name", longer.as_str()), ("birth_day", "31"), ("birth_month", "01"), ("birth_year", "1950")];
        assert_eq!(browser.post(&format!("/authorize/{handle}/search"), &typed).await.status, 422);
        assert_eq!(town.entries("usager.looked_up").await.len(), before, "nothing was looked up");
    }
}
