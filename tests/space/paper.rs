//! The mandate as a PDF: for keeps, read by readers that are not ours, and proved by what is inside.

use super::world::{at_home, stored, two, usager_of};
use crate::mandates::uses::represent;
use crate::mandates::world::World;
use crate::support::database::{TestDatabase, TestSigner, on_both, signer};
use porteplume::journal::History;
use porteplume::mandate::{EventKind, MandateNumber};
use porteplume::paper::{ATTACHED, Attachment, Block, Document, attachment};
use porteplume::storage::Engine;
use std::path::Path;
use std::process::Command;
use time::macros::datetime;

/// What a program says about a file.
fn says(program: &str, arguments: &[&str], file: &Path) -> String {
    let to = if program == "pdftotext" { &["-"][..] } else { &[] };
    let done = Command::new(program).args(arguments).arg(file).args(to).output();
    let done = done.unwrap_or_else(|error| panic!("{program} (tests/run installs it): {error}"));
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// The exit code of `mandate verify` and what it says.
fn verified(file: &Path, policy: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
    let done = command.args(["mandate", "verify"]).arg(file).arg("--policy").arg(policy).output().unwrap();
    let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    (done.status.code().unwrap(), said)
}

/// Any paper, with that inside.
fn paper_of(inside: Vec<u8>) -> Vec<u8> {
    let document = Document {
        language: "fr-FR",
        title: "Mandat".to_owned(),
        author: "Mairie".to_owned(),
        foot: String::new(),
        made_at: datetime!(2026-11-23 12:00 UTC),
        blocks: vec![Block::Title("Mandat".to_owned())],
        attachment: Attachment { description: "Mandat".to_owned(), data: inside },
    };
    document.to_pdf().unwrap()
}

on_both! {
    the_person_and_the_aidant_get_the_mandate_as_a_pdf_and_nobody_else_does(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut aidant).await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        for (printed, (browser, root)) in
            [(1, (&aidant, "/aidant/mandates")), (2, (&home, "/usager/mandates"))]
        {
            let page = browser.get(&format!("{root}/{mandate}")).await;
            let offered = format!("{root}/{mandate}/pdf");
            assert!(root.contains("aidant") || page.body.contains(&offered), "{}", page.body);
            let (kind, pdf) = browser.download(&offered).await;
            assert_eq!(kind, "application/pdf");
            assert_eq!(world.entries(EventKind::MandatePrinted, None).await, printed);
            let history = History::parse(&attachment(pdf).unwrap()).unwrap();
            // The printing itself is told.
            assert_eq!(history.steps.len() as u64, stored(&world, &mandate).await.seq);
        }
        let stranger = world.signed_in(&world.stranger().await).await;
        let facts = world.facts().await;
        assert_eq!(stranger.get(&format!("/aidant/mandates/{mandate}/pdf")).await.status, 404);
        assert_eq!(home.get("/usager/mandates/00000000000000000000000000000000/pdf").await.status, 404);
        assert_eq!(world.facts().await, facts);
        assert_eq!(home.post(&format!("/usager/mandates/{mandate}/end"), &[]).await.status, 303);
        let facts = world.facts().await;
        for (browser, root) in [(&aidant, "/aidant/mandates"), (&home, "/usager/mandates")] {
            let over = browser.get(&format!("{root}/{mandate}/pdf")).await;
            assert_eq!(over.status, 409, "{}", over.body);
        }
        assert_eq!((world.facts().await, world.entries(EventKind::MandatePrinted, None).await), (facts, 2));
        world.test.verifies().await;
    }
}

#[tokio::test]
async fn other_programs_read_the_pdf_as_what_it_says_it_is() {
    let world = World::over(TestDatabase::fresh(Engine::Sqlite).await).await;
    let mut aidant = world.signed_in(&world.aidant).await;
    let mandate = world.active(&mut aidant).await;
    for language in ["fr", "en"] {
        let path = format!("/aidant/mandates/{mandate}/pdf?lang={language}");
        let (_, pdf) = aidant.download(&path).await;
        let file = world.test.database.folder().join("mandate.pdf");
        std::fs::write(&file, &pdf).unwrap();
        assert!(says("qpdf", &["--check"], &file).contains("No syntax or stream encoding errors"));
        let info = says("pdfinfo", &[], &file);
        for told in ["Tagged:          yes", "JavaScript:      no", "Encrypted:       no", "(A4)"] {
            assert!(info.contains(told), "{told}: {info}");
        }
        let metadata = says("pdfinfo", &["-meta"], &file);
        for told in ["<pdfaid:part>3<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<"] {
            assert!(metadata.contains(told), "{told}: {metadata}");
        }
        let structure = says("pdfinfo", &["-struct-text"], &file);
        for told in ["H1", "H2", "Table", "LBody", "Figure", "Sect"] {
            assert!(structure.contains(told), "{told}: {structure}");
        }
        // Name, type, encoding, emb, sub, uni: each font is embedded, and its letters can be read back.
        let fonts = says("pdffonts", &[], &file);
        let fonts: Vec<&str> = fonts.lines().skip(2).collect();
        assert!(fonts.len() == 2 && fonts.iter().all(|font| font.contains(" yes yes yes ")), "{fonts:?}");
        assert!(says("pdfdetach", &["-list"], &file).contains(&format!("1: {ATTACHED}")));
        let text = says("pdftotext", &["-layout"], &file);
        let number = MandateNumber::of(&mandate).to_string();
        for told in ["Mairie de L’Haÿ-les-Roses", "Camille Le Goff-O’Brien", "Marie", number.as_str()] {
            assert!(text.contains(told), "{told}: {text}");
        }
        let (_, plain) = aidant.download(&format!("{path}&card=no")).await;
        let plain_file = world.test.database.folder().join("plain.pdf");
        std::fs::write(&plain_file, plain).unwrap();
        let plain = says("pdftotext", &["-layout"], &plain_file);
        assert!(plain.contains(&number) && !plain.contains("/revoquer"), "the card stays at home: {plain}");
        assert!(text.contains("mandats.example.fr/verifier") && text.contains("mandats.example.fr/revoquer"));
        assert!(text.contains("Texte français, qui seul engage") == (language == "en"), "{text}");
        let attached = says("qpdf", &[&format!("--show-attachment={ATTACHED}")], &file);
        assert_eq!(attached, attachment(pdf).unwrap());
        assert!(!attached.contains("Marie") && !attached.contains("Camille"), "what proves names nobody");
    }
}

#[tokio::test]
async fn a_pdf_is_proved_by_what_is_inside_and_one_changed_byte_is_refused() {
    let world = World::over(TestDatabase::fresh(Engine::Sqlite).await).await;
    let mut aidant = world.signed_in(&world.aidant).await;
    let mandate = world.active(&mut aidant).await;
    represent(&world, &mandate, &two(&world)[0], "sid").await;
    let home = at_home(&world, &usager_of(&world, &mandate).await).await;
    let (_, pdf) = home.download(&format!("/usager/mandates/{mandate}/pdf")).await;
    let folder = world.test.database.folder();
    let (file, policy, foreign) = (folder.join("paper"), folder.join("policy"), folder.join("foreign"));
    std::fs::write(&policy, porteplume::journal::policy(&[signer().verifier()], None, &[], 0)).unwrap();
    let other = TestSigner::called("elsewhere.test/journal").verifier();
    std::fs::write(&foreign, porteplume::journal::policy(&[other], None, &[], 0)).unwrap();
    let verify = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        verified(&file, &policy)
    };
    let refused = |what: &str, (code, said): (i32, String)| {
        assert!(code == 1 && said.lines().count() == 1 && !said.contains("standing"), "{what}: {said}");
        said
    };

    let (code, said) = verify(&pdf);
    assert_eq!(code, 0, "{said}");
    for told in [&format!("mandate {mandate} of organisation"), "standing after these entries", ": prepare"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    // Whoever does not trust that journal is not told that it stands; the same holds of a mandate swapped for one of theirs.
    refused("another key", verified(&file, &foreign));

    let inside = attachment(pdf.clone()).unwrap().into_bytes();
    assert_eq!(verify(&paper_of(inside.clone())).0, 0, "the pages are no part of the proof");
    for at in (0..inside.len()).step_by(inside.len() / 24) {
        let mut changed = inside.clone();
        changed[at] ^= 1;
        refused(&format!("byte {at}"), verify(&paper_of(changed)));
    }
    let paper = |name: &str, bytes: &[u8], code: &str| {
        let said = refused(name, verify(bytes));
        assert!(said.contains(code), "{name}: {said}");
    };
    paper("cut", &pdf[..pdf.len() / 8], "(paper_");
    paper("rubbish", b"%PDF-1.7\n%%EOF", "(paper_unreadable)");
    paper("without", &without_attachment(&pdf), "(paper_without_attachment)");
    paper("huge", &[&b"%PDF-1.7\n"[..], &vec![b' '; 17 * 1024 * 1024]].concat(), "(paper_too_large)");
    for (name, options, code) in [
        ("encrypted", &["--encrypt", "", "", "256", "--"][..], "(paper_encrypted)"),
        (
            "two",
            &["--add-attachment", "ANOTHER", "--key=another", "--"][..],
            "(paper_with_several_attachments)",
        ),
    ] {
        let (from, to) = (folder.join("from.pdf"), folder.join(format!("{name}.pdf")));
        std::fs::write(&from, &pdf).unwrap();
        let another = folder.join("another.json");
        std::fs::write(&another, "{}").unwrap();
        let mut command = Command::new("qpdf");
        command.arg(&from);
        for option in options {
            command.arg(if *option == "ANOTHER" { another.to_str().unwrap() } else { option });
        }
        let done = command.arg(&to).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        paper(name, &std::fs::read(&to).unwrap(), code);
    }
}

/// The same PDF as another program prints it: what is attached is gone.
fn without_attachment(pdf: &[u8]) -> Vec<u8> {
    let mut bytes = pdf.to_vec();
    // The same length: the places of the objects stay.
    while let Some(at) = bytes.windows(4).position(|word| word == b"/EF<") {
        bytes[at..at + 3].copy_from_slice(b"/XX");
    }
    bytes
}
