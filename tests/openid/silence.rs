//! Secrets and persons show nowhere: not in a log line however fine, not in an address of ours, not in an error.

use super::*;
use crate::support::database::on_both;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};
use tracing::Dispatch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// The finest an operator can ask for: libraries that log what they carry stay at `info` (`telemetry.rs`).
const FINEST: &str = "trace,hyper=info,hyper_util=info,reqwest=info,sqlx=info";

fn listener(log: &Log) -> Dispatch {
    let lines = tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new(FINEST));
    Dispatch::new(lines.with_writer(log.clone()).finish())
}

/// What was answered, and what of it must stay with whom it was for.
#[derive(Default)]
pub(super) struct Told {
    /// Where browsers were sent by us to us, and every refusal.
    elsewhere: Vec<String>,
    pub(super) secrets: Vec<(&'static str, String)>,
}

/// Stands in addresses that people are led to by others. The page they get may repeat its own address; no log line does.
const LURE: &str = "Ziegelmeyer";
/// Stands in what a provider sends back: neither a page nor a log line repeats it.
const SENT_BACK: &str = "Zumthurm";

impl Told {
    fn hears(&mut self, answer: Answer) -> Answer {
        if !answer.location().starts_with("https://caisse.example/") {
            self.elsewhere.push(answer.location().to_owned());
        }
        if answer.status >= 400 {
            self.elsewhere.push(format!("{:?} {}", answer.headers, answer.body));
        }
        answer
    }

    fn keeps(&mut self, what: &'static str, secret: &str) {
        assert!(secret.len() > 3, "{what}");
        self.secrets.push((what, secret.to_owned()));
    }
}

/// A whole representation, and every way of going wrong with it.
pub(super) async fn lives(town: &Town) -> Told {
    let mut told = Told::default();
    for (what, secret) in [
        ("name", "Almeida"),
        ("first name", "Rose"),
        ("the aidant's name", "Roche"),
        ("e-mail", "rose@example.org"),
        ("birth date", "1942-02-28"),
        ("the service's secret", SECRET),
        ("the verifier", VERIFIER),
        ("what was typed", "Zimmermann"),
        ("the aidant's e-mail", "@mairie.example"),
        ("what a provider sent back", SENT_BACK),
    ] {
        told.keeps(what, secret);
    }
    let browser = town.browser().await;
    told.keeps("the cookie", browser.cookie.split_once('=').unwrap().1);
    told.keeps("the form's token", &csrf::token(&browser.session.as_ref().unwrap().csrf));
    let handle = browser.asks(&[]).await;
    let typed =
        [("family_name", "Zimmermann"), ("birth_day", "28"), ("birth_month", "2"), ("birth_year", "1942")];
    told.hears(browser.post(&format!("/authorize/{handle}/search"), &typed).await);
    let picked =
        browser.post(&format!("/authorize/{handle}/usager"), &[("usager", town.usager.as_str())]).await;
    told.hears(picked);
    let sent = told.hears(browser.confirms(&handle, &town.mandate, PRIME).await);
    let code = sent.sent_on("code").unwrap();
    told.keeps("the code", &code);
    told.hears(town.exchange_as(&basic("caisse", "a-wrong-guess-of-a-secret"), &code, &[]).await);
    told.keeps("a wrong secret", "a-wrong-guess-of-a-secret");
    let answer = told.hears(town.exchange(&code, &[]).await).json();
    let (access, id) = (answer["access_token"].as_str().unwrap(), answer["id_token"].as_str().unwrap());
    told.keeps("the access token", access);
    told.keeps("the ID token", id);
    told.hears(town.userinfo(access).await);
    told.hears(town.userinfo(&format!("{access}x")).await);
    told.hears(town.exchange(&code, &[]).await);
    told.hears(town.userinfo(access).await);
    told.hears(browser.confirms(&handle, &town.mandate, VITALE).await);
    let lure = format!("https://evil.example/{LURE}");
    told.hears(browser.get(&format!("/authorize?{}", request(&[("redirect_uri", &lure)]))).await);
    told.hears(browser.get(&format!("/aidant/mandates/{LURE}")).await);
    for provider in ["agents", "citizens"] {
        let query = form(&[("state", SENT_BACK), ("code", SENT_BACK), ("error_description", SENT_BACK)]);
        told.hears(browser.get(&format!("/callback/{provider}?{query}")).await);
    }
    told.hears(browser.post("/aidant/factor", &[("code", "Zimmermann")]).await);
    let verified = browser.post("/verifier", &[("number", "1820035728"), ("code", "Zimmermann")]).await;
    assert!(verified.status == 422 && !verified.body.contains("Zimmermann"), "{}", verified.body);
    assert_eq!(browser.get(&format!("/verifier/1820035728/{LURE}")).await.status, 200);
    let (usager, authenticated_at) = (town.usager.clone(), town.app().now());
    let home = town.browser_of(Who::Usager { usager, authenticated_at, level: "eidas1".to_owned() }).await;
    told.keeps("the usager's cookie", home.cookie.split_once('=').unwrap().1);
    assert_eq!(home.get("/usager").await.status, 200);
    let end = format!("/usager/mandates/{}/end", town.mandate.mandate.id);
    told.hears(home.post(&end, &[]).await);
    told.hears(home.post(&end, &[]).await);
    told
}

on_both! {
    no_secret_and_no_person_shows_in_a_log_an_address_or_an_error(database) {
        // With one listener only, a line first met on another test's thread would count as wanted by nobody.
        static ANCHOR: OnceLock<Dispatch> = OnceLock::new();
        ANCHOR.get_or_init(|| listener(&Log::default()));
        let town = Town::new(database).await;
        let log = Log::default();
        let listening = tracing::dispatcher::set_default(&listener(&log));
        let told = lives(&town).await;
        drop(listening);
        let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(lines.lines().filter(|line| line.contains("porteplume::request")).count() > 15, "{lines}");
        assert!(!lines.contains(LURE), "an address is logged");
        for (what, secret) in &told.secrets {
            let line = lines.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{what} is logged");
            let shown = told.elsewhere.iter().find(|text| text.contains(secret.as_str()));
            assert_eq!(shown, None, "{what} is shown");
        }
    }
}
