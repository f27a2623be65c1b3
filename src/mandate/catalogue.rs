//! The catalogue: themes open into procedures, procedures into acts, some of which nobody may delegate.

use super::{Language, ProcedureId, Strength, ThemeId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The catalogue's data file. Whoever can read TOML reads it into a [`CatalogueFile`].
pub const CATALOGUE_TOML: &str = include_str!("catalogue.toml");

/// What may be done within a procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Gather documents and information.
    Prepare,
    /// Fill the form in.
    Fill,
    /// Send it.
    Submit,
    /// Sign in the person's name.
    Sign,
    /// Receive the answer.
    Receive,
}

impl Act {
    /// Every act, in the order a procedure goes through them.
    pub const ALL: [Self; 5] = [Self::Prepare, Self::Fill, Self::Submit, Self::Sign, Self::Receive];

    /// The stable name, as in tokens, entries and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Fill => "fill",
            Self::Submit => "submit",
            Self::Sign => "sign",
            Self::Receive => "receive",
        }
    }

    /// The act of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == name)
    }
}

/// A text in the two languages of the pages. The French one binds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// French.
    pub fr: String,
    /// English.
    pub en: String,
}

impl Bilingual {
    /// The text in one language.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::Fr => &self.fr,
            Language::En => &self.en,
        }
    }
}

/// A family of procedures (one of the ten of the existing service).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Identifier.
    pub id: ThemeId,
    /// Name on the pages.
    pub name: Bilingual,
    /// FranceConnect's `rep_scope` label, byte for byte in NFC (contract `franceconnect.md`, 1.6).
    pub rep_scope: String,
}

/// An act that always stays with the person, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeverDelegable {
    /// The act.
    pub act: Act,
    /// The reason, shown to both parties.
    pub why: Bilingual,
}

/// One procedure ("declare income").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// Identifier.
    pub id: ProcedureId,
    /// Theme it belongs to.
    pub theme: ThemeId,
    /// Name on the pages.
    pub name: Bilingual,
    /// One plain sentence: what the aidant will do.
    pub summary: Bilingual,
    /// Acts a mandate for it asks for.
    pub acts: BTreeSet<Act>,
    /// Acts that stay with the person.
    #[serde(default)]
    pub never_delegable: Vec<NeverDelegable>,
    /// How much a consent must prove about who gave it, for a mandate to be of use here.
    #[serde(default = "Procedure::any_consent")]
    pub consent: Strength,
}

impl Procedure {
    const fn any_consent() -> Strength {
        Strength::Reached
    }

    /// Whether the act may be delegated at all in this procedure.
    #[must_use]
    pub fn is_delegable(&self, act: Act) -> bool {
        !self.never_delegable.iter().any(|never| never.act == act)
    }
}

/// The catalogue as its data file writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFile {
    /// Version, kept in every mandate made from it.
    pub version: String,
    /// Themes, in page order.
    pub themes: Vec<Theme>,
    /// Procedures, in page order.
    pub procedures: Vec<Procedure>,
}

/// Why a catalogue file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CatalogueError {
    /// Two themes share an identifier.
    #[error("theme {0} stands twice")]
    ThemeTwice(ThemeId),
    /// Two procedures share an identifier.
    #[error("procedure {0} stands twice")]
    ProcedureTwice(ProcedureId),
    /// A procedure names a theme that is not there.
    #[error("procedure {0} names an unknown theme")]
    UnknownTheme(ProcedureId),
    /// A procedure asks for no act, or for one that is never delegable.
    #[error("procedure {0} asks for no act or for one that is never delegable")]
    Acts(ProcedureId),
    /// A label is given to a theme that is not there.
    #[error("there is no theme {0} to give a label to")]
    NoTheme(ThemeId),
    /// Two themes would carry one label.
    #[error("theme {0} would carry the label of another")]
    LabelTwice(ThemeId),
}

/// A checked catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    version: String,
    themes: Vec<Theme>,
    procedures: Vec<Procedure>,
    position: BTreeMap<ProcedureId, usize>,
}

impl TryFrom<CatalogueFile> for Catalogue {
    type Error = CatalogueError;

    fn try_from(file: CatalogueFile) -> Result<Self, CatalogueError> {
        let mut themes = BTreeSet::new();
        for theme in &file.themes {
            if !themes.insert(&theme.id) {
                return Err(CatalogueError::ThemeTwice(theme.id.clone()));
            }
        }
        let mut position = BTreeMap::new();
        for (at, procedure) in file.procedures.iter().enumerate() {
            if position.insert(procedure.id.clone(), at).is_some() {
                return Err(CatalogueError::ProcedureTwice(procedure.id.clone()));
            }
            if !themes.contains(&procedure.theme) {
                return Err(CatalogueError::UnknownTheme(procedure.id.clone()));
            }
            let delegable = procedure.acts.iter().all(|act| procedure.is_delegable(*act));
            if procedure.acts.is_empty() || !delegable {
                return Err(CatalogueError::Acts(procedure.id.clone()));
            }
        }
        Ok(Self { version: file.version, themes: file.themes, procedures: file.procedures, position })
    }
}

impl Catalogue {
    /// The same catalogue with these `rep_scope` labels in the place of its own: FranceConnect's production values stand
    /// in its database, not in its code (contract `franceconnect.md`).
    ///
    /// # Errors
    /// [`CatalogueError::NoTheme`], [`CatalogueError::LabelTwice`].
    pub fn labelled(mut self, labels: &[(ThemeId, String)]) -> Result<Self, CatalogueError> {
        for (id, label) in labels {
            let theme = self.themes.iter_mut().find(|theme| &theme.id == id);
            theme.ok_or_else(|| CatalogueError::NoTheme(id.clone()))?.rep_scope.clone_from(label);
        }
        let mut seen = BTreeSet::new();
        for theme in &self.themes {
            if !seen.insert(&theme.rep_scope) {
                return Err(CatalogueError::LabelTwice(theme.id.clone()));
            }
        }
        Ok(self)
    }

    /// Version of the data file.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Themes in page order.
    #[must_use]
    pub fn themes(&self) -> &[Theme] {
        &self.themes
    }

    /// Procedures in page order.
    #[must_use]
    pub fn procedures(&self) -> &[Procedure] {
        &self.procedures
    }

    /// The procedures of one theme, in page order.
    pub fn of_theme<'a>(&'a self, theme: &'a ThemeId) -> impl Iterator<Item = &'a Procedure> {
        self.procedures.iter().filter(move |procedure| &procedure.theme == theme)
    }

    /// One procedure.
    #[must_use]
    pub fn procedure(&self, id: &ProcedureId) -> Option<&Procedure> {
        self.position.get(id).and_then(|at| self.procedures.get(*at))
    }

    /// The theme of a procedure.
    #[must_use]
    pub fn theme_of(&self, procedure: &ProcedureId) -> Option<&Theme> {
        self.procedure(procedure).and_then(|procedure| self.theme(&procedure.theme))
    }

    /// One theme.
    #[must_use]
    pub fn theme(&self, id: &ThemeId) -> Option<&Theme> {
        self.themes.iter().find(|theme| &theme.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::is_nfc;

    fn shipped() -> Catalogue {
        Catalogue::try_from(toml::from_str::<CatalogueFile>(CATALOGUE_TOML).unwrap()).unwrap()
    }

    #[test]
    fn the_ten_themes_carry_franceconnects_labels_byte_for_byte() {
        let expected = [
            ("papiers", "Papier-Citoyennet\u{e9}-Elections"),
            ("famille", "Famille-Scolarit\u{e9}"),
            ("social", "Social-Sant\u{e9}"),
            ("travail", "Travail-Formation"),
            ("logement", "Logement"),
            ("transports", "Transports-Mobilit\u{e9}"),
            ("argent", "Argent-Impots-Consommation"),
            ("justice", "Justice"),
            ("etranger", "Etranger-Europe"),
            ("loisirs", "Loisirs-Sport-Culture"),
        ];
        let catalogue = shipped();
        let themes = catalogue.themes().iter().map(|theme| (theme.id.as_str(), theme.rep_scope.as_str()));
        assert_eq!(themes.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn labels_are_exchanged_for_themes_that_are_there_and_stay_different() {
        let label = |id: &str, label: &str| (ThemeId::parse(id).unwrap(), label.to_owned());
        let exchanged =
            shipped().labelled(&[label("famille", "Famille"), label("logement", "Habitat")]).unwrap();
        let labels: Vec<_> = exchanged.themes().iter().map(|theme| theme.rep_scope.as_str()).collect();
        assert_eq!(
            labels[..5],
            [
                "Papier-Citoyennet\u{e9}-Elections",
                "Famille",
                "Social-Sant\u{e9}",
                "Travail-Formation",
                "Habitat"
            ]
        );
        let unknown = shipped().labelled(&[label("famile", "Famille")]);
        assert_eq!(unknown, Err(CatalogueError::NoTheme(ThemeId::parse("famile").unwrap())));
        let twice = shipped().labelled(&[label("famille", "Justice")]);
        assert_eq!(twice, Err(CatalogueError::LabelTwice(ThemeId::parse("justice").unwrap())));
        assert_eq!(shipped().labelled(&[]), Ok(shipped()));
    }

    #[test]
    fn the_shipped_catalogue_is_broad_and_names_each_procedure_once() {
        let catalogue = shipped();
        assert!(!catalogue.version().is_empty());
        assert!(catalogue.procedures().len() >= 44);
        for theme in catalogue.themes() {
            assert!(catalogue.of_theme(&theme.id).count() >= 4, "{}", theme.id);
            assert_eq!(catalogue.theme(&theme.id), Some(theme));
        }
        let names: BTreeSet<_> = catalogue.procedures().iter().map(|p| p.name.fr.as_str()).collect();
        let english: BTreeSet<_> = catalogue.procedures().iter().map(|p| p.name.en.as_str()).collect();
        assert_eq!(
            (names.len(), english.len()),
            (catalogue.procedures().len(), catalogue.procedures().len())
        );
        for procedure in catalogue.procedures() {
            assert_eq!(catalogue.procedure(&procedure.id), Some(procedure));
        }
    }

    #[test]
    fn what_is_never_delegable_says_why_and_nothing_asks_an_aidant_to_sign() {
        let catalogue = shipped();
        let guarded = catalogue.procedures().iter().filter(|p| !p.never_delegable.is_empty());
        assert!(guarded.count() >= 8);
        for procedure in catalogue.procedures() {
            assert!(!procedure.acts.contains(&Act::Sign), "{}", procedure.id);
            let never: BTreeSet<_> = procedure.never_delegable.iter().map(|never| never.act).collect();
            assert_eq!(never.len(), procedure.never_delegable.len(), "{} says it twice", procedure.id);
            assert!(never.is_disjoint(&procedure.acts), "{}", procedure.id);
        }
        let of = |id| catalogue.procedure(&ProcedureId::parse(id).unwrap()).unwrap();
        for id in ["surendettement", "procuration-vote", "dossier-mariage", "carte-identite-passeport"] {
            assert!(!of(id).is_delegable(Act::Sign), "{id}");
        }
        assert!(of("surendettement").acts.contains(&Act::Fill));
    }

    #[test]
    fn every_text_is_a_short_composed_line_in_both_languages() {
        for procedure in shipped().procedures() {
            let whys = procedure.never_delegable.iter().map(|never| &never.why);
            let sentences: Vec<_> = whys.chain([&procedure.summary]).collect();
            for text in sentences.iter().copied().chain([&procedure.name]) {
                for line in [&text.fr, &text.en] {
                    assert!(is_nfc(line) && !line.is_empty() && line.trim() == line, "{line:?}");
                    assert!(line.chars().count() <= 100, "too long to read at a glance: {line}");
                    assert!(!line.contains(['\'', '"', '\n']), "typewriter signs in {line:?}");
                }
                // These would each need a no-break space before them.
                assert!(!text.fr.contains([':', ';', '!', '?', '«']), "{}", text.fr);
                assert_ne!(text.fr, text.en);
            }
            for text in sentences {
                assert!(text.fr.ends_with('.') && text.en.ends_with('.'), "{}", text.fr);
            }
        }
    }

    #[test]
    fn a_catalogue_that_contradicts_itself_is_refused() {
        let file = || toml::from_str::<CatalogueFile>(CATALOGUE_TOML).unwrap();
        let first = file().procedures[0].id.clone();
        let refused = |change: fn(&mut CatalogueFile)| {
            let mut changed = file();
            change(&mut changed);
            Catalogue::try_from(changed).unwrap_err()
        };
        assert_eq!(
            refused(|f| f.themes.push(f.themes[0].clone())),
            CatalogueError::ThemeTwice(file().themes[0].id.clone())
        );
        assert_eq!(
            refused(|f| f.procedures.push(f.procedures[0].clone())),
            CatalogueError::ProcedureTwice(first.clone())
        );
        assert_eq!(refused(|f| drop(f.themes.remove(0))), CatalogueError::UnknownTheme(first.clone()));
        assert_eq!(refused(|f| f.procedures[0].acts.clear()), CatalogueError::Acts(first.clone()));
        assert_eq!(refused(|f| f.procedures[0].acts.extend([Act::Sign])), CatalogueError::Acts(first));
    }
}
