//! The mandate's own text: what the usager reads, agrees to, and takes home.
//!
//! It says everything a mandate must say (Code civil art. 1984 ff.) except who the parties' persons are:
//! it is sealed with the proposal, before the usager is identified, and its hash is what they consent to.
//! Names, place, dates and the end date stand beside it, with the two agreements. The same proposal gives
//! the same text, byte for byte.

use super::text_fixed as fixed;
use super::{Act, Bilingual, Catalogue, InvalidTerms, Language, Procedure, Term, Terms};
use std::collections::BTreeSet;

/// Version of the fixed sentences; it stands in the first line of the text and so in its hash.
pub const TEXT_VERSION: &str = "porteplume-mandat/1";

/// What a mandate's text is made from.
#[derive(Debug, Clone)]
pub struct MandateText<'a> {
    organisation: String,
    procedures: Vec<(&'a Procedure, &'a BTreeSet<Act>)>,
    term: Term,
    catalogue: &'a str,
}

impl<'a> MandateText<'a> {
    /// Gathers what the text says: the organisation's name (in Unicode NFC) and the terms, in the words
    /// of the catalogue they were chosen from.
    ///
    /// # Errors
    /// [`InvalidTerms::UnknownProcedure`] when the catalogue does not know a procedure of the terms, and
    /// [`InvalidTerms::NoProcedure`] when they list none.
    pub fn of(organisation: &str, terms: &'a Terms, catalogue: &'a Catalogue) -> Result<Self, InvalidTerms> {
        let named = terms.procedures.iter().map(|(id, acts)| {
            catalogue.procedure(id).map(|procedure| (procedure, acts)).ok_or(InvalidTerms::UnknownProcedure)
        });
        let procedures = named.collect::<Result<Vec<_>, _>>()?;
        if procedures.is_empty() {
            return Err(InvalidTerms::NoProcedure);
        }
        let organisation = one_line(organisation);
        Ok(Self { organisation, procedures, term: terms.term, catalogue: &terms.catalogue })
    }

    /// The text in one language, in titled sections, for a page to lay out.
    #[must_use]
    pub fn sections(&self, language: Language) -> Vec<Section> {
        let [object, rest @ ..] = fixed::SECTIONS;
        let mut first = object.section(language);
        first.blocks.insert(0, Block::Paragraph(self.object(language)));
        let mut sections = vec![first, self.list(language), self.duration(language)];
        sections.extend(rest.iter().map(|fixed| fixed.section(language)));
        sections
    }

    pub(super) fn organisation(&self) -> &str {
        &self.organisation
    }

    pub(super) const fn term(&self) -> Term {
        self.term
    }

    pub(super) fn procedures(&self) -> impl Iterator<Item = (&'a Procedure, &'a BTreeSet<Act>)> {
        self.procedures.iter().copied()
    }

    /// Sections as one string under the line of their version, language and catalogue.
    pub(super) fn composed(&self, language: &str, sections: Vec<Section>) -> String {
        let mut lines = vec![format!("{TEXT_VERSION} {language} {}", self.catalogue)];
        for section in sections {
            lines.push(String::new());
            lines.push(format!("# {}", section.title));
            for block in section.blocks {
                match block {
                    Block::Heading(name) => lines.push(format!("## {name}")),
                    Block::Paragraph(words) => lines.push(words),
                    Block::List(items) => lines.extend(items.iter().map(|item| format!("- {item}"))),
                }
            }
        }
        lines.push(String::new());
        lines.join("\n")
    }

    fn object(&self, language: Language) -> String {
        let name = &self.organisation;
        match language {
            Language::Fr => {
                format!("Vous demandez à la structure {name} de faire des démarches en ligne en votre nom.")
            }
            Language::En => {
                format!("You ask the organisation {name} to carry out online procedures in your name.")
            }
        }
    }

    fn list(&self, language: Language) -> Section {
        let mut section = fixed::PROCEDURES.section(language);
        for (procedure, acts) in &self.procedures {
            section.blocks.extend(one_procedure(procedure, acts, language));
        }
        section
    }

    fn duration(&self, language: Language) -> Section {
        let length = match (self.term, language) {
            (Term::Until(day), Language::Fr) => format!(
                "Il finit le {} à minuit, temps universel (1\u{a0}h ou 2\u{a0}h du matin à Paris, le lendemain).",
                language.day(day)
            ),
            (Term::Until(day), Language::En) => format!(
                "It ends on {} at midnight, universal time (1 or 2 in the morning in Paris, the next day).",
                language.day(day)
            ),
            (term, Language::Fr) => format!("Il dure {}.", term.label(language)),
            (term, Language::En) => format!("It lasts {}.", term.label(language)),
        };
        let mut section = fixed::DURATION.section(language);
        section.blocks.insert(1, Block::Paragraph(length));
        section
    }
}

fn one_procedure(procedure: &Procedure, acts: &BTreeSet<Act>, language: Language) -> Vec<Block> {
    let (can, never) = match language {
        Language::Fr => ("L’aidant peut\u{a0}:", "L’aidant ne peut jamais"),
        Language::En => ("The aidant can:", "The aidant can never"),
    };
    let mut blocks = vec![
        Block::Heading(procedure.name.text(language).to_owned()),
        Block::Paragraph(procedure.summary.text(language).to_owned()),
        Block::Paragraph(can.to_owned()),
        Block::List(acts.iter().map(|act| act.phrase(language).to_owned()).collect()),
    ];
    let why = |why: &Bilingual, act: Act| format!("{never} {}. {}", act.phrase(language), why.text(language));
    blocks.extend(procedure.never_delegable.iter().map(|one| Block::Paragraph(why(&one.why, one.act))));
    blocks
}

/// A titled part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Stable name, the same in every language, fit for an element's id.
    pub id: &'static str,
    /// Title.
    pub title: String,
    /// What stands under it, in order.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The name of a procedure, above what is said of it.
    Heading(String),
    /// A paragraph.
    Paragraph(String),
    /// A list, one line each.
    List(Vec<String>),
}

/// The binding text as one string, in French: the bytes whose SHA-256 is the consent's `text_hash`.
#[must_use]
pub fn binding_text(text: &MandateText<'_>) -> String {
    reading_text(text, Language::Fr)
}

/// The text in one language as one string. Only the French one binds.
#[must_use]
pub fn reading_text(text: &MandateText<'_>, language: Language) -> String {
    text.composed(language.as_str(), text.sections(language))
}

/// A name on one line and without invisible signs, so that it can neither add a line to the text nor
/// turn the reading direction of what follows.
fn one_line(name: &str) -> String {
    let invisible = |c: &char| matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let visible: String = name.chars().filter(|c| !invisible(c)).collect();
    let words = visible.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{catalogue, minute, procedure, terms};
    use super::*;
    use crate::mandate::{CATALOGUE_TOML, CatalogueFile};
    use time::macros::date;
    use unicode_normalization::is_nfc;

    const TERMS: [Term; 5] =
        [Term::Day, Term::Month, Term::SixMonths, Term::Year, Term::Until(date!(2026 - 12 - 31))];

    fn text(organisation: &str, terms: &Terms, language: Language) -> String {
        reading_text(&MandateText::of(organisation, terms, &catalogue()).unwrap(), language)
    }

    fn binding(term: Term) -> String {
        text("Mairie de Saint-Aubin", &terms(term), Language::Fr)
    }

    #[test]
    fn the_text_states_everything_a_mandate_must_state() {
        let english = text("Mairie de Saint-Aubin", &terms(Term::Day), Language::En);
        for (what, fr, en) in [
            (
                "the organisation",
                "Vous demandez à la structure Mairie de Saint-Aubin de",
                "You ask the organisation Mairie",
            ),
            ("who may act", "les aidants de cette structure", "the aidants of this organisation"),
            ("a procedure", "\n## dettes\n", "\n## dettes, in English\n"),
            ("its acts", "\n- remplir le formulaire\n", "\n- fill in the form\n"),
            ("what stays", "ne peut jamais signer à votre place. Vous", "can never sign in your place. Vous"),
            ("a closed list", "Tout le reste lui est interdit", "Everything else is forbidden"),
            ("the duration", "Il dure 1\u{a0}jour.", "It lasts 1\u{a0}day."),
            ("the end date", "la date de fin sont écrites", "the end date are written"),
            ("the law", "articles 1984 et suivants du Code civil", "articles 1984 and following"),
            ("the channels", "Il est valable en ligne", "It is valid online"),
            ("revocation", "arrêter ce mandat quand vous voulez", "stop this mandate whenever you want"),
            ("how to revoke", "dans votre espace Porteplume", "to your Porteplume space"),
            ("how, without a device", "demandez-le à la structure", "ask the organisation"),
            ("a part of it", "retirer une seule démarche", "take out a single procedure"),
            ("age", "vous avez 18\u{a0}ans ou plus", "you are 18\u{a0}or older"),
            ("no protection", "pas sous une mesure de protection", "not under a protection measure"),
            ("the explanation of the object", "à quoi sert ce mandat", "what this mandate is for"),
            ("the explanation of the data", "quelles données sont utilisées", "which data are used"),
            ("listed acts only", "seulement les démarches de la liste", "only the procedures of the list"),
            ("needed data only", "seulement les données nécessaires", "only the data that are needed"),
            ("confidentiality", "garder le secret", "keep confidential"),
            ("the account (art. 1993)", "vous rendre compte", "give you an account"),
            ("end: revoked", "vous l’arrêtez", "you stop it"),
            ("end: renounced", "l’aidant y renonce", "the aidant renounces it"),
            ("end: by the organisation", "la structure y met fin", "the organisation ends it"),
            ("end: protection", "une mesure de protection est décidée", "a protection measure is decided"),
            ("end: death", "vous décédez", "you die"),
            (
                "place and date",
                "le lieu, la date et l’heure des deux accords",
                "the place, the date and the time",
            ),
            (
                "both agreements",
                "quand vous donnez votre accord, puis",
                "when you give your agreement, and then",
            ),
            ("free of charge", "Cette aide est gratuite", "This help is free of charge"),
            ("how long it is kept", "6\u{a0}ans après la fin", "6\u{a0}years after"),
            ("what binds", "Seul le texte en français", "Only the French text binds"),
        ] {
            assert!(binding(Term::Day).contains(fr), "{what}: {fr}");
            assert!(english.contains(en), "{what}: {en}");
        }
    }

    #[test]
    fn both_languages_have_the_same_sections_built_alike() {
        let shape = |block: &Block| match block {
            Block::Heading(_) => ('h', 0),
            Block::Paragraph(_) => ('p', 0),
            Block::List(items) => ('l', items.len()),
        };
        for term in TERMS {
            let (terms, catalogue) = (terms(term), catalogue());
            let text = MandateText::of("Mairie", &terms, &catalogue).unwrap();
            let [fr, en] = Language::ALL.map(|language| text.sections(language));
            let shapes = |sections: &[Section]| -> Vec<_> {
                sections.iter().map(|s| (s.id, s.blocks.iter().map(shape).collect::<Vec<_>>())).collect()
            };
            assert_eq!(shapes(&fr), shapes(&en));
            let ids: BTreeSet<_> = fr.iter().map(|section| section.id).collect();
            assert_eq!(ids.len(), 11);
            assert!(fr.iter().zip(&en).all(|(fr, en)| fr.title != en.title));
        }
    }

    #[test]
    fn the_same_proposal_gives_the_same_text_and_any_other_another() {
        assert_eq!(binding(Term::Day), binding(Term::Day));
        let mut terms = terms(Term::Day);
        let mut texts: BTreeSet<_> = TERMS.map(binding).into();
        texts.insert(text("Mairie de Saint-Aubin-sur-Mer", &terms, Language::Fr));
        terms.procedures.get_mut(&procedure("impots")).unwrap().remove(&Act::Submit);
        texts.insert(text("Mairie de Saint-Aubin", &terms, Language::Fr));
        terms.procedures.remove(&procedure("impots"));
        texts.insert(text("Mairie de Saint-Aubin", &terms, Language::Fr));
        terms.catalogue = "another".to_owned();
        texts.insert(text("Mairie de Saint-Aubin", &terms, Language::Fr));
        assert_eq!(texts.len(), TERMS.len() + 4);
    }

    #[test]
    fn an_end_date_is_said_in_words_with_its_hour() {
        let text = binding(TERMS[4]);
        assert!(text.contains("Il finit le 31\u{a0}décembre 2026 à minuit, temps universel"), "{text}");
        assert!(!text.contains("Il dure 1"));
    }

    #[test]
    fn the_whole_catalogue_is_composed_with_care_in_both_languages() {
        let file: CatalogueFile = toml::from_str(CATALOGUE_TOML).unwrap();
        let catalogue = Catalogue::try_from(file).unwrap();
        let all = catalogue.procedures().iter().map(|procedure| procedure.id.clone()).collect();
        let terms = Terms::check(&catalogue, &all, Term::Year, minute(0)).unwrap();
        let text = MandateText::of("Mairie", &terms, &catalogue).unwrap();
        for language in Language::ALL {
            let text = reading_text(&text, language);
            assert!(is_nfc(&text) && !text.contains(['\'', '"', '\t', '\r']) && !text.contains("  "));
            assert!(text.ends_with(".\n"));
        }
        let fr = binding_text(&text);
        assert!(!fr.contains(" :") && !fr.contains([';', '!', '?']));
        assert_eq!(fr.matches(':').count(), fr.matches("\u{a0}:").count());
        for procedure in catalogue.procedures() {
            assert!(fr.contains(&format!("\n## {}\n{}\n", procedure.name.fr, procedure.summary.fr)));
        }
    }

    #[test]
    fn a_name_can_neither_add_a_line_nor_turn_the_reading_direction() {
        let name = "  Mairie\n\n# Les démarches\r\n\u{202e}tout\u{2028}\u{200b}\u{7}oui ";
        let text = text(name, &terms(Term::Day), Language::Fr);
        assert!(text.contains("Vous demandez à la structure Mairie # Les démarches tout oui de faire"));
        assert_eq!(text.lines().count(), binding(Term::Day).lines().count());
        let long = "L’Île-d’Yeu ".repeat(200);
        assert!(self::text(&long, &terms(Term::Day), Language::Fr).contains(long.trim()));
    }

    #[test]
    fn terms_the_catalogue_does_not_know_have_no_text() {
        let mut terms = terms(Term::Day);
        let acts = BTreeSet::from([Act::Fill]);
        terms.procedures.insert(procedure("inconnue"), acts);
        let catalogue = catalogue();
        let of = |terms: &Terms| MandateText::of("Mairie", terms, &catalogue).err();
        assert_eq!(of(&terms), Some(InvalidTerms::UnknownProcedure));
        let empty = Terms { procedures: std::collections::BTreeMap::new(), ..terms };
        assert_eq!(of(&empty), Some(InvalidTerms::NoProcedure));
    }

    #[test]
    fn a_change_of_the_binding_sentences_changes_the_version() {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let of_text = TERMS.map(binding).concat().bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
        assert!(binding(Term::Day).starts_with("porteplume-mandat/1 fr sample\n"));
        assert_eq!(
            of_text, 142_337_701_954_016_567,
            "the text changed: raise TEXT_VERSION, then this number"
        );
    }
}
