//! Mail through a real server: aiosmtpd, that `tests/run` installs.

use super::postman::{chosen, notices_of, send, waiting};
use crate::mandates::uses::represent;
use crate::mandates::world::World;
use crate::space::world::{active_for_two, two};
use crate::support::app::TestApp;
use crate::support::authority::Authority;
use crate::support::database::on_both;
use porteplume::courier::{Courier, Couriers, Letter, NotTaken, Smtp, SmtpSettings, SmtpTls};
use porteplume::mandate::{Channel, EventKind, Instant, Language, NoticeId, NoticeText};
use porteplume::service::expire;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A mail server of its own folder and port; it may be killed and come back.
struct MailServer {
    folder: PathBuf,
    port: u16,
    certificate: Option<(PathBuf, PathBuf)>,
    running: Option<Child>,
}

impl MailServer {
    async fn start(certificate: Option<(PathBuf, PathBuf)>) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("mail_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { folder, port, certificate, running: None };
        server.come_back().await;
        server
    }

    async fn come_back(&mut self) {
        let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("outside");
        let python = tools.join("venv/bin/python");
        assert!(python.exists(), "{} is missing: tests/run installs it", python.display());
        let mut command = Command::new(python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/told/mail.py"));
        command.arg(self.port.to_string()).arg(&self.folder);
        if let Some((certificate, key)) = &self.certificate {
            command.arg(certificate).arg(key);
        }
        self.running =
            Some(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("start the mail server"));
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the mail server does not answer");
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn tell(&self, what: &str, times: u32) {
        std::fs::write(self.folder.join(what), times.to_string()).unwrap();
    }

    /// What it took over, in that order.
    fn taken(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join("taken")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn courier(&self, tls: SmtpTls, authorities: &[Vec<u8>]) -> Smtp {
        let settings = SmtpSettings {
            host: "localhost",
            port: self.port,
            tls,
            credentials: None,
            from: "mandats@mairie.example",
            authorities,
        };
        Smtp::new(&settings).unwrap()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn letter(to: &str) -> Letter {
    let text = |text: &str| text.to_owned();
    Letter {
        id: NoticeId::from_bytes([7; 16]),
        channel: Channel::Email,
        to: to.to_owned(),
        language: Language::Fr,
        text: NoticeText {
            subject: text("Une démarche a été faite en votre nom"),
            body: text("Bonjour,\n\n.\nPar qui : ليلى بن علي, Nguyễn"),
            short: String::new(),
        },
        written_at: Instant::from_micros(1_795_000_000_000_000),
        reply_reference: None,
        sent_at: Instant::from_micros(1_795_000_001_000_000),
    }
}

#[tokio::test]
async fn a_real_mail_server_takes_the_whole_of_a_letter_over() {
    let server = MailServer::start(None).await;
    let courier = server.courier(SmtpTls::None, &[]);
    assert_eq!(courier.answers().await, Ok(()));
    assert_eq!(courier.hand(&letter("marie@exemple.fr")).await, Ok(()));
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        (&taken[0]["to"][0], &taken[0]["from"]),
        (&"marie@exemple.fr".into(), &"mandats@mairie.example".into())
    );
    let header = |name: &str| taken[0]["headers"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!(header("subject"), "Une démarche a été faite en votre nom");
    assert_eq!(header("message-id"), "<07070707070707070707070707070707@mairie.example>");
    assert_eq!(header("auto-submitted"), "auto-generated");
    let text = taken[0]["text"].as_str().unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim_end(), "Bonjour,\n\n.\nPar qui : ليلى بن علي, Nguyễn");
}

#[tokio::test]
async fn an_address_that_does_not_exist_is_refused_for_good_and_a_full_mailbox_is_not() {
    let mut server = MailServer::start(None).await;
    let courier = server.courier(SmtpTls::None, &[]);
    assert_eq!(courier.hand(&letter("nobody@exemple.fr")).await, Err(NotTaken::Refused("smtp_refused")));
    assert_eq!(courier.hand(&letter("full@exemple.fr")).await, Err(NotTaken::Later("smtp_busy")));
    server.kill();
    assert_eq!(courier.hand(&letter("marie@exemple.fr")).await, Err(NotTaken::Later("smtp_unavailable")));
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn a_mail_server_with_another_certificate_gets_nothing() {
    let (ours, theirs) = (Authority::bare(), Authority::bare());
    ours.issue("localhost", "P-256", "mail", 30);
    ours.issue("elsewhere", "P-256", "web", 30);
    let pair = |name: &str| Some((ours.path(&format!("{name}.pem")), ours.path(&format!("{name}.key"))));
    let server = MailServer::start(pair("localhost")).await;
    let trusted = server.courier(SmtpTls::Starttls, &[ours.pem("ca")]);
    assert_eq!(trusted.hand(&letter("marie@exemple.fr")).await, Ok(()));
    assert_eq!((server.taken().len(), &server.taken()[0]["tls"]), (1, &true.into()));

    let unnamed = MailServer::start(pair("elsewhere")).await;
    let plain = MailServer::start(None).await;
    for (server, authorities) in [
        (&server, vec![]),
        (&server, vec![theirs.pem("ca")]),
        (&unnamed, vec![ours.pem("ca")]),
        (&plain, vec![]),
    ] {
        let refused = server.courier(SmtpTls::Starttls, &authorities).hand(&letter("marie@exemple.fr")).await;
        assert!(matches!(refused, Err(NotTaken::Later(_))), "{refused:?}");
    }
    assert_eq!((server.taken().len(), unnamed.taken().len(), plain.taken().len()), (1, 0, 0));
}

on_both! {
    a_mail_server_that_breaks_off_and_dies_loses_nothing_and_keeps_the_order(database) {
        let mut server = MailServer::start(None).await;
        let couriers = Couriers { email: Some(Arc::new(server.courier(SmtpTls::None, &[]))), ..Couriers::default() };
        let world = World::of(TestApp::over(database).await.carried_by(couriers)).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        chosen(&world, &mandate, Channel::Email).await;
        for number in 0..12 {
            represent(&world, &mandate, &two(&world)[0].clone(), &number.to_string()).await;
            world.wait(31);
            assert_eq!(expire::close_due(&world.app).await.unwrap(), 1);
        }
        // Broken off before anything was taken, then after; then dead, and back.
        for (round, fault) in [(0, Some(("cut", 2))), (1, Some(("lost", 2))), (2, None)] {
            if let Some((fault, times)) = fault {
                server.tell(fault, times);
            } else {
                server.kill();
            }
            for _ in 0..4 {
                world.wait(60);
                send(&world).await;
            }
            if fault.is_none() {
                server.come_back().await;
            }
            assert!(waiting(&world).await > 0, "round {round}");
        }
        for _ in 0..20 {
            world.wait(60);
            send(&world).await;
        }
        assert_eq!(notices_of(&world).await, vec!["receipt email sent -"; 12]);
        assert_eq!(world.entries(EventKind::NoticeSent, None).await, 12);
        let taken = server.taken();
        let mut seen = BTreeSet::new();
        // As a mailbox does that knows a message again by its identifier.
        let brought: Vec<_> = taken.iter().filter(|one| seen.insert(one["headers"]["message-id"].to_string())).collect();
        assert_eq!((brought.len(), taken.len()), (12, 14), "two answers were lost: two came again");
        let dates: Vec<_> = brought.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
        let whens: Vec<_> = dates.iter().map(|text| text.lines().find(|line| line.starts_with("Quand")).unwrap()).collect();
        assert_eq!(whens.iter().collect::<BTreeSet<_>>().len(), 12, "{whens:?}");
        world.test.verifies().await;
    }
}
