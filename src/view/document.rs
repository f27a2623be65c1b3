//! The mandate as a PDF: what the printed page says, for keeps, with its proof inside.

use super::aidant::PrintedMandate;
use super::card::RevocationCard;
use super::parts::Granted;
use super::{Frame, Qr};
use crate::mandate::{Block as Said, Instant, Language, MandateNumber, Section};
use crate::paper::{Attachment, Block, Document, Fact};

/// Width of the QR code of the verification, in millimetres: read by a telephone from paper.
const CODE: u8 = 42;
/// Width of the one that holds a whole proof.
const PROOF: u8 = 95;

fn fact(label: String, lines: Vec<String>) -> Fact {
    Fact { label, lines, strong: false }
}

/// A picture, if there is one.
fn picture(qr: &Qr, alt: String, side: u8) -> Option<Block> {
    qr.code(alt, side).map(Block::Code)
}

/// Sections of the text; within another text they stand one step lower.
fn sections(sections: &[Section], lower: bool) -> Vec<Block> {
    let mut blocks = Vec::new();
    for section in sections {
        let title = section.title.clone();
        blocks.push(if lower { Block::Subheading(title) } else { Block::Heading(title) });
        blocks.extend(section.blocks.iter().map(|block| match block {
            Said::Heading(name) if lower => Block::Strong(name.clone()),
            Said::Heading(name) => Block::Subheading(name.clone()),
            Said::Paragraph(words) => Block::Paragraph(words.clone()),
            Said::List(items) => Block::List(items.clone()),
        }));
    }
    blocks
}

impl PrintedMandate {
    /// The mandate as a document, with the file that proves it inside. Made at that instant.
    #[must_use]
    pub fn document(&self, f: &Frame, made_at: Instant, proof: String) -> Document {
        let title = f.t1("Mandat {0}", "Mandate {0}", f.number(&self.mandate.id));
        let (reading, binding) = (self.text.reading(f), self.text.binding());
        let french = f.language == Language::Fr;
        let mut blocks = vec![Block::Title(title.clone())];
        if !french {
            blocks.push(Block::Strong(
                "This translation helps to read. Only the French text binds; it follows.".to_owned(),
            ));
        }
        blocks.extend(self.parties(f));
        blocks.extend(self.procedures(f));
        // A text of former words was kept in French only.
        let translated = !french && reading != binding;
        if french || translated {
            blocks.extend(sections(reading, false));
        } else {
            blocks.push(Block::In("fr", sections(binding, false)));
        }
        blocks.extend(self.agreements(f));
        blocks.extend(self.verification(f));
        if translated {
            blocks.push(Block::NewPage);
            let mut text = vec![Block::Heading("Texte français, qui seul engage".to_owned())];
            text.extend(sections(binding, true));
            blocks.push(Block::In("fr", text));
        }
        if let Some(card) = &self.card {
            blocks.push(self.cut(f, card));
        }
        Document {
            language: if french { "fr-FR" } else { "en" },
            foot: title.clone(),
            title,
            author: self.mandate.organisation.clone(),
            made_at: made_at.to_utc(),
            blocks,
            attachment: Attachment {
                description: f.t(
                    "L’histoire du mandat, qui se prouve elle-même. Elle ne nomme personne.",
                    "The history of the mandate, which proves itself. It names nobody.",
                ),
                data: proof.into_bytes(),
            },
        }
    }

    fn parties(&self, f: &Frame) -> Vec<Block> {
        let mut organisation = vec![self.mandate.organisation.clone()];
        organisation.extend(self.contact.iter().cloned());
        let mut ways = vec![f.t1("Sur internet : {0}", "On the internet: {0}", &self.space_address)];
        if self.card.is_some() {
            ways.push(
                f.t("Ou avec la carte à la fin de ce papier.", "Or with the card at the end of this paper."),
            );
        }
        ways.push(f.t(
            "Ou dites-le à la structure : sur place, par téléphone ou par lettre.",
            "Or tell the organisation: on the spot, by telephone or by letter.",
        ));
        let person = vec![self.usager.name(), f.born(&self.usager)];
        let end = vec![f.moment(&self.ends_at)];
        vec![
            Block::Heading(f.t("Entre", "Between")),
            Block::Facts(vec![
                Fact { strong: true, ..fact(f.t("La personne", "The person"), person) },
                fact(f.t("La structure", "The organisation"), organisation),
                fact(f.t("Aidant", "Aidant"), vec![self.mandate.aidant.clone()]),
                fact(f.t("Début", "Start"), vec![f.moment(&self.accepted_at)]),
                Fact { strong: true, ..fact(f.t("Fin", "End"), end) },
                fact(f.t("Pour arrêter", "To end it"), ways),
            ]),
        ]
    }

    fn procedures(&self, f: &Frame) -> Vec<Block> {
        let name = |granted: &Granted| match &granted.withdrawn {
            None => f.pick(&granted.name),
            Some(since) => {
                let taken = f.t1("retirée le {0}", "taken out on {0}", f.moment(since));
                format!("{} ({taken})", f.pick(&granted.name))
            }
        };
        vec![
            Block::Heading(f.t("Les démarches, en bref", "The procedures, in short")),
            Block::List(self.mandate.procedures.iter().map(name).collect()),
        ]
    }

    fn agreements(&self, f: &Frame) -> Vec<Block> {
        let given =
            f.t2("{0}, le {1}.", "{0}, on {1}.", f.agreed(&self.channel), f.moment(&self.consented_at));
        let person = format!("{}, {given}", self.usager.name());
        let accepted = f.moment(&self.accepted_at);
        let organisation = f.t2("{0}, le {1}.", "{0}, on {1}.", &self.accepted_by, accepted);
        vec![
            Block::Heading(f.t("Les accords donnés", "The agreements given")),
            Block::Facts(vec![
                fact(f.t("Lieu", "Place"), vec![self.place.clone()]),
                fact(f.t("Accord de la personne", "The person’s agreement"), vec![person]),
                fact(f.t("Acceptation de la structure", "The organisation’s acceptance"), vec![organisation]),
            ]),
        ]
    }

    fn verification(&self, f: &Frame) -> Vec<Block> {
        let number = MandateNumber::of(&self.mandate.id).to_string();
        let mut blocks = vec![
            Block::Heading(f.t("Vérifier ce mandat", "Verify this mandate")),
            Block::Paragraph(f.t1(
                "Chacun peut demander si ce mandat est en vigueur : avec le code QR, ou avec le numéro et le code, à l’adresse {0}. La réponse ne nomme personne.",
                "Anybody can ask whether this mandate is in force: with the QR code, or with the number and the code, at {0}. The answer names nobody.",
                &self.verification_address,
            )),
            Block::Facts(vec![
                Fact { strong: true, ..fact(f.t("Mandat", "Mandate"), vec![number]) },
                Fact { strong: true, ..fact(f.t("Code", "Code"), vec![self.code_parts().join(" ")]) },
            ]),
        ];
        let alt = f.t(
            "Code QR : ouvre la page de vérification. Le même code est écrit juste avant.",
            "QR code: opens the page that verifies. The same code is written just above.",
        );
        blocks.extend(picture(&self.qr, alt, CODE));
        blocks.extend([
            Block::Heading(f.t("Ce que ce fichier prouve", "What this file proves")),
            Block::Paragraph(f.t(
                "Ce PDF porte une pièce jointe, mandat.json : l’histoire du mandat, signée par le journal, sans aucun nom. Elle seule fait preuve. Le texte de ces pages se compare avec elle : « porteplume mandate verify » dit ce que le mandat permet, et jusqu’à quand. Pour savoir s’il est encore en vigueur aujourd’hui, vérifiez-le à l’adresse ci-dessus.",
                "This PDF carries an attachment, mandat.json: the history of the mandate, signed by the journal, without any name. It alone is proof. The text of these pages is to be compared with it: “porteplume mandate verify” says what the mandate grants, and until when. To know whether it is still in force today, verify it at the address above.",
            )),
            Block::Paragraph(f.t1(
                "Empreinte du texte français (SHA-256) : {0}",
                "Hash of the French text (SHA-256): {0}",
                self.text.hash(),
            )),
            Block::Subheading(f.t("Reçu du journal", "Journal receipt")),
            Block::Paragraph(self.receipt.line()),
        ]);
        let alt = f.t(
            "Code QR du reçu. Il contient la preuve entière, sans aucun nom.",
            "QR code of the receipt. It holds the whole proof, and no name.",
        );
        blocks.extend(picture(&self.proof, alt, PROOF));
        blocks
    }

    fn cut(&self, f: &Frame, card: &RevocationCard) -> Block {
        let number = MandateNumber::of(&self.mandate.id).to_string();
        let mut blocks = vec![
            Block::Heading(f.t("Carte pour arrêter le mandat", "Card to end the mandate")),
            Block::Paragraph(f.t(
                "À découper et à garder pour vous. Ne la montrez pas à un guichet pour prouver le mandat.",
                "Cut it out and keep it to yourself. Do not show it at a counter to prove the mandate.",
            )),
            Block::Facts(vec![
                Fact { strong: true, ..fact(f.t("Mandat", "Mandate"), vec![number]) },
                Fact { strong: true, ..fact(f.t("Code", "Code"), vec![card.parts().join(" ")]) },
            ]),
            Block::Strong(f.t1("Pour arrêter : {0}", "To end it: {0}", &card.address)),
            Block::Paragraph(f.t(
                "Ou lisez cette carte à un aidant, dans n’importe quelle structure. Vous n’avez pas à dire pourquoi.",
                "Or read this card to an aidant of any organisation. You need not say why.",
            )),
        ];
        if f.language != Language::Fr {
            let french = "Pour arrêter le mandat, allez à l’adresse ci-dessus, ou faites lire cette carte par un \
                          aidant, dans n’importe quelle structure.";
            blocks.push(Block::In("fr", vec![Block::Paragraph(french.to_owned())]));
        }
        Block::Cut(blocks)
    }
}

#[cfg(test)]
mod tests {
    use crate::mandate::{Instant, Language};
    use crate::paper::{Block, attachment};
    use crate::view::samples::{Cast, anonymous, printed};
    use std::path::Path;

    fn casts() -> Vec<(&'static str, Cast)> {
        let arabic = Cast {
            given_name: "نورة".into(),
            family_name: "بنت عبد العزيز".into(),
            name_in_use: "الښکلې ګل".into(),
            ..Cast::ordinary()
        };
        let cyrillic = Cast {
            given_name: "Нина".into(),
            family_name: "Іваненко".into(),
            name_in_use: "Ґалаґан".into(),
            ..Cast::ordinary()
        };
        vec![
            ("ordinary", Cast::ordinary()),
            ("hostile", Cast::hostile()),
            ("arabic", arabic),
            ("cyrillic", cyrillic),
        ]
    }

    /// Written to `target/paper-samples` as well, to be looked at.
    #[test]
    fn every_mandate_becomes_a_pdf_with_its_proof_inside_whatever_its_persons_are_called() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/paper-samples");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, cast) in casts() {
            for language in Language::ALL {
                let made_at = Instant::from_micros(1_700_000_000_000_000);
                let document = printed(&cast).document(&anonymous(language), made_at, "{}".to_owned());
                let pdf = document.to_pdf().unwrap();
                std::fs::write(folder.join(format!("{name}-{}.pdf", language.as_str())), &pdf).unwrap();
                assert_eq!(attachment(pdf), Ok("{}".to_owned()), "{name}");
            }
        }
    }

    #[test]
    fn the_french_text_binds_in_every_language_and_a_mandate_without_a_card_prints_none() {
        let (cast, made_at) = (Cast::ordinary(), Instant::from_micros(0));
        let of = |language| {
            let blocks = printed(&cast).document(&anonymous(language), made_at, String::new()).blocks;
            let french = blocks.iter().filter(|block| matches!(block, Block::In("fr", _))).count();
            let cut = blocks.iter().filter(|block| matches!(block, Block::Cut(_))).count();
            (french, cut)
        };
        assert_eq!((of(Language::Fr), of(Language::En)), ((0, 1), (1, 1)));
        let mut without = printed(&cast);
        without.card = None;
        let blocks = without.document(&anonymous(Language::Fr), made_at, String::new()).blocks;
        assert!(!blocks.iter().any(|block| matches!(block, Block::Cut(_))));
    }
}
