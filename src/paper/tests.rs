use super::*;
use hayro_syntax::Pdf;
use hayro_syntax::object::{Dict, Name, Object, Stream};
use proptest::prelude::*;
use std::fmt::Write as _;
use time::macros::datetime;

fn sample(text: &str) -> Document {
    let words = |text: &str| text.to_owned();
    let dark = (0..441).map(|n| n % 3 == 0).collect();
    Document {
        language: "fr-FR",
        title: words("Mandat 1820-035-728"),
        author: words("Mairie de Saint-Aubin"),
        foot: words("Mandat 1820-035-728"),
        made_at: datetime!(2026-11-23 17:00:00 UTC),
        blocks: vec![
            Block::Title(words("Mandat 1820-035-728")),
            Block::Paragraph(words(text)),
            Block::Heading(words("Entre")),
            Block::Facts(vec![
                Fact { label: words("La personne"), lines: vec![words(text)], strong: true },
                Fact {
                    label: words("Fin"),
                    lines: vec![words("30 novembre 2026"), words("midi")],
                    strong: false,
                },
            ]),
            Block::Subheading(words("Déclarer ses revenus")),
            Block::List(vec![words("remplir"), words(text)]),
            Block::Code(Code { width: 21, dark, alt: words("Code QR"), side: 40 }),
            Block::In(
                "en",
                vec![Block::Heading(words("For reading")), Block::Strong(words("Only French binds."))],
            ),
            Block::Cut(vec![Block::Heading(words("Carte")), Block::Paragraph(words("K7QF 2M9X"))]),
        ],
        attachment: Attachment { description: words("Le mandat"), data: br#"{"steps":[]}"#.to_vec() },
    }
}

fn made(text: &str) -> Vec<u8> {
    sample(text).to_pdf().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn holds(pdf: &[u8], words: &str) -> bool {
    pdf.windows(words.len()).any(|at| at == words.as_bytes())
}

#[test]
fn a_document_says_that_it_is_pdf_a_3a_and_pdf_ua_1() {
    let pdf = made("Rose Petit");
    for words in [
        "<pdfaid:part>3<",
        "<pdfaid:conformance>A<",
        "<pdfuaid:part>1<",
        "/StructTreeRoot",
        "/Marked true",
        "/Lang(fr-FR)",
        "/AFRelationship/Data",
        "/OutputIntents",
    ] {
        assert!(holds(&pdf, words), "{words}");
    }
}

#[test]
fn its_parts_are_told_apart_and_pictures_have_words() {
    let pdf = Pdf::new(made("Rose Petit")).unwrap();
    let mut kinds: Vec<String> = pdf
        .objects()
        .into_iter()
        .filter_map(|object| match object {
            Object::Dict(dict) => dict.get::<Name<'_>>(b"S").filter(|_| dict.contains_key(b"P")),
            _ => None,
        })
        .map(|name| String::from_utf8_lossy(&name).into_owned())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    let told =
        ["Figure", "H1", "H2", "H3", "L", "LBody", "LI", "Lbl", "P", "Sect", "TD", "TH", "TR", "Table"];
    for kind in told {
        assert!(kinds.iter().any(|one| one == kind), "{kind} in {kinds:?}");
    }
    let figures = pdf.objects().into_iter().filter(|object| match object {
        Object::Dict(dict) => dict.get::<Name<'_>>(b"S").is_some_and(|kind| &*kind == b"Figure"),
        _ => false,
    });
    for figure in figures {
        let Object::Dict(figure) = figure else { unreachable!() };
        assert!(figure.contains_key(b"Alt"));
    }
}

#[test]
fn names_of_any_script_can_be_printed() {
    for name in [
        "Нина Іваненко-Ґ",
        "نورة بنت عبد العزيز",
        "ښکلا څرګندوی ږيره ټول ډېر ړومبی ګل",
        "مُحَمَّد لا إله",
        "محمد Karim الأول 1984",
        "Nguyễn Thị Hằng",
        "山田太郎",
        "👩‍👩‍👧 \u{202e}esoR \u{2068}نورة\u{2069}",
        "a\u{0}b\u{e000}c\u{feff}d\u{fffe}\u{10ffff}\u{ad}\u{200d}",
        "x\n\r\ty\u{2028}z",
        "",
        "   ",
    ] {
        made(name);
    }
}

#[test]
fn a_long_text_takes_pages_and_nothing_is_lost() {
    let text = "Le mandat commence quand la structure donne son accord. ".repeat(400);
    let pdf = Pdf::new(made(&text)).unwrap();
    assert!(pdf.pages().len() > 8, "{}", pdf.pages().len());
}

#[test]
fn the_file_inside_is_found_again() {
    assert_eq!(attachment(made("Rose")), Ok(r#"{"steps":[]}"#.to_owned()));
}

/// A PDF of these objects, numbered from 1, the first of which is its catalogue.
fn raw(objects: &[String]) -> Vec<u8> {
    let mut pdf = String::from("%PDF-1.7\n");
    let mut table = String::new();
    for (number, object) in (1..).zip(objects) {
        let _ = writeln!(table, "{:010} 00000 n ", pdf.len());
        let _ = write!(pdf, "{number} 0 obj\n{object}\nendobj\n");
    }
    let (start, size) = (pdf.len(), objects.len() + 1);
    let _ = write!(pdf, "xref\n0 {size}\n0000000000 65535 f \n{table}");
    let _ = write!(pdf, "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    pdf.into_bytes()
}

fn attached(name: &str, stream: &str) -> Vec<String> {
    vec![
        "<< /Type /Catalog /Pages 2 0 R /AF [3 0 R] >>".into(),
        "<< /Type /Pages /Kids [5 0 R] /Count 1 >>".into(),
        format!("<< /Type /Filespec /F ({name}) /UF ({name}) /AFRelationship /Data /EF << /F 4 0 R >> >>"),
        stream.into(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>".into(),
    ]
}

#[test]
fn what_holds_no_mandate_is_refused_with_a_code_of_its_own() {
    let plain = "<< /Type /EmbeddedFile /Length 2 >>\nstream\n{}\nendstream";
    let good = attached("mandat.json", plain);
    assert_eq!(attachment(raw(&good)), Ok("{}".to_owned()));
    let none = [good[0].clone(), good[1].clone(), "<< >>".into(), good[3].clone(), good[4].clone()];
    let two = [&good[..], &good[2..3]].concat();
    let locked = String::from_utf8(raw(&good)).unwrap().replace("/Size", "/Encrypt << /V 2 >> /Size");
    let filtered = plain.replace("/Length", "/Filter /LZWDecode /Length");
    let twice = plain.replace("/Length", "/Filter [/FlateDecode /FlateDecode] /Length");
    let torn = plain.replace("/Length", "/Filter /FlateDecode /Length");
    let latin = vec![
        (raw(&none), AttachmentError::Missing),
        (raw(&two), AttachmentError::Several),
        (locked.into_bytes(), AttachmentError::Encrypted),
        (raw(&attached("autre.json", plain)), AttachmentError::Foreign),
        (raw(&attached("mandat.json", &filtered)), AttachmentError::Foreign),
        (raw(&attached("mandat.json", &twice)), AttachmentError::Foreign),
        (raw(&attached("mandat.json", &torn)), AttachmentError::Unreadable),
        (raw(&attached("mandat.json", "null")), AttachmentError::Unreadable),
        (b"%PDF-1.7\nrubbish".to_vec(), AttachmentError::Unreadable),
        (b"%PDF-".to_vec(), AttachmentError::Unreadable),
        (vec![b' '; LARGEST_PAPER + 1], AttachmentError::TooLarge),
    ];
    let mut codes = std::collections::BTreeSet::new();
    for (number, (pdf, error)) in latin.into_iter().enumerate() {
        assert_eq!(attachment(pdf), Err(error), "{number}");
        codes.insert(error.code());
    }
    assert_eq!(codes.len(), 6);
}

#[test]
fn what_unpacks_to_more_than_any_history_is_refused_before_it_fills_the_memory() {
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b' '; 65 * 1024 * 1024], 1);
    let mut pdf = Vec::new();
    let marker: String = "BOMB".chars().cycle().take(bomb.len()).collect();
    let stream = format!("<< /Filter /FlateDecode /Length {} >>\nstream\n{marker}\nendstream", bomb.len());
    pdf.extend(raw(&attached("mandat.json", &stream)));
    let at = pdf.windows(8).position(|at| at == b"BOMBBOMB").unwrap();
    pdf[at..at + bomb.len()].copy_from_slice(&bomb);
    assert_eq!(attachment(pdf), Err(AttachmentError::TooLarge));
}

#[test]
fn a_paper_cut_anywhere_gives_the_whole_file_or_none() {
    let pdf = made("Rose");
    for end in (0..pdf.len()).step_by(pdf.len() / 60) {
        let cut = attachment(pdf[..end].to_vec());
        assert!(cut.is_err() || cut.as_deref() == Ok(r#"{"steps":[]}"#), "{end}: {cut:?}");
    }
}

#[test]
fn every_font_is_inside() {
    let pdf = Pdf::new(made("Нина نورة")).unwrap();
    let mut fonts = 0;
    for object in pdf.objects() {
        let Object::Dict(dict) = object else { continue };
        if dict.get::<Name<'_>>(b"Type").is_some_and(|kind| &*kind == b"FontDescriptor") {
            let program = dict.get::<Stream<'_>>(b"FontFile2").or_else(|| dict.get(b"FontFile3"));
            assert!(program.is_some());
            fonts += 1;
        }
        assert!(!dict.contains_key(b"JavaScript") && dict.get::<Dict<'_>>(b"AA").is_none());
    }
    assert_eq!(fonts, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_can_be_printed(text in any::<String>()) {
        made(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = attachment([b"%PDF-1.7\n".as_slice(), &bytes].concat());
    }
}
