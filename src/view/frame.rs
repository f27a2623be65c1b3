//! What surrounds a page: language, who is signed in, the CSRF token, a message, in whose name one acts.

use super::language::{isolated, typeset};
use super::{Problem, Text, dates};
use crate::mandate::{Bilingual, Instant, Language};
use std::fmt::Display;
use std::ops::Deref;
use time::Date;

/// The session's CSRF token, as it stands in a hidden field. No `Debug`: it never appears in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Csrf(String);

impl Csrf {
    /// The token as text.
    #[must_use]
    pub const fn new(token: String) -> Self {
        Self(token)
    }
}

/// Who is signed in, as the header shows it. Absent while the screen is in the usager's hands.
#[derive(Clone, PartialEq, Eq)]
pub enum Who {
    /// A professional; a referent also manages the organisation.
    Aidant {
        /// First and last name.
        name: String,
        /// Name of the organisation.
        organisation: String,
        /// Whether the referent's pages are offered.
        referent: bool,
    },
    /// A person in their own space.
    Usager {
        /// First and last name.
        name: String,
    },
    /// A reader of the journal.
    Auditor {
        /// First and last name.
        name: String,
    },
}

impl Who {
    /// First and last name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Aidant { name, .. } | Self::Usager { name } | Self::Auditor { name } => name,
        }
    }
}

/// A browser's session as the frame needs it.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The token every form carries.
    pub csrf: Csrf,
    /// Who is signed in, if anybody.
    pub who: Option<Who>,
}

/// The banner that stays in sight while one acts in somebody's name.
#[derive(Clone, PartialEq, Eq)]
pub struct Acting {
    /// In whose name.
    pub usager: String,
    /// At which service, once chosen.
    pub service: Option<String>,
}

/// A message after something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flash {
    /// The mandate is active.
    MandateActive,
    /// The aidant renounced the mandate.
    MandateRenounced,
    /// The mandate was ended for the organisation.
    MandateEnded,
    /// A representation was closed.
    RepresentationClosed,
    /// A second factor was enrolled.
    FactorEnrolled,
    /// An invitation was sent.
    AidantInvited,
    /// An aidant's other sign-in was confirmed.
    SignInConfirmed,
    /// An aidant's other sign-in was denied.
    SignInDenied,
    /// An aidant was suspended.
    AidantSuspended,
    /// An aidant was reinstated.
    AidantReinstated,
    /// Closed and open procedures were saved.
    ProceduresSaved,
    /// The screen was unlocked.
    ScreenUnlocked,
    /// An anomaly was commented.
    AnomalyCommented,
    /// An anomaly was closed.
    AnomalyClosed,
    /// The usager's choice of how they are told was saved.
    ContactSaved,
    /// The usager reported what they do not recognise.
    Disputed,
    /// Receipts were handed over.
    PapersHandedOver,
    /// A second person has compared.
    Compared,
}

impl Flash {
    /// Every message, for the cookie that carries one across a redirect.
    pub const ALL: [Self; 18] = [
        Self::MandateActive,
        Self::MandateRenounced,
        Self::MandateEnded,
        Self::RepresentationClosed,
        Self::FactorEnrolled,
        Self::AidantInvited,
        Self::SignInConfirmed,
        Self::SignInDenied,
        Self::AidantSuspended,
        Self::AidantReinstated,
        Self::ProceduresSaved,
        Self::ScreenUnlocked,
        Self::AnomalyCommented,
        Self::AnomalyClosed,
        Self::ContactSaved,
        Self::Disputed,
        Self::PapersHandedOver,
        Self::Compared,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MandateActive => "mandate-active",
            Self::MandateRenounced => "mandate-renounced",
            Self::MandateEnded => "mandate-ended",
            Self::RepresentationClosed => "representation-closed",
            Self::FactorEnrolled => "factor-enrolled",
            Self::AidantInvited => "aidant-invited",
            Self::SignInConfirmed => "sign-in-confirmed",
            Self::SignInDenied => "sign-in-denied",
            Self::AidantSuspended => "aidant-suspended",
            Self::AidantReinstated => "aidant-reinstated",
            Self::ProceduresSaved => "procedures-saved",
            Self::ScreenUnlocked => "screen-unlocked",
            Self::AnomalyCommented => "anomaly-commented",
            Self::AnomalyClosed => "anomaly-closed",
            Self::ContactSaved => "contact-saved",
            Self::Disputed => "disputed",
            Self::PapersHandedOver => "papers-handed-over",
            Self::Compared => "compared",
        }
    }

    /// The message of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flash| flash.as_str() == name)
    }

    const fn text(self) -> Text {
        let (fr, en) = match self {
            Self::Disputed => (
                "C’est signalé au référent et aux auditeurs.",
                "It is reported to the referent and the auditors.",
            ),
            Self::Compared => ("C’est noté.", "Noted."),
            Self::PapersHandedOver => ("C’est noté : remis.", "Noted: handed over."),
            Self::ContactSaved => ("Votre choix est gardé.", "Your choice is kept."),
            Self::AnomalyCommented => ("Votre commentaire est gardé.", "Your comment is kept."),
            Self::AnomalyClosed => ("Le point est classé.", "The point is closed."),
            Self::MandateActive => ("Le mandat est en vigueur.", "The mandate is in force."),
            Self::MandateRenounced => (
                "Vous avez renoncé à ce mandat. Il ne peut plus servir.",
                "You have renounced this mandate. It can no longer be used.",
            ),
            Self::MandateEnded => (
                "Le mandat a pris fin. Il ne peut plus servir.",
                "The mandate has ended. It can no longer be used.",
            ),
            Self::RepresentationClosed => ("L’intervention est terminée.", "The intervention is closed."),
            Self::FactorEnrolled => {
                ("Votre application de codes est enregistrée.", "Your code application is registered.")
            }
            Self::AidantInvited => ("L’invitation est enregistrée.", "The invitation is recorded."),
            Self::SignInConfirmed => (
                "Le nouveau compte remplace l’ancien dès maintenant.",
                "The new account replaces the former one from now on.",
            ),
            Self::SignInDenied => (
                "Le nouveau compte est refusé. Rien d’autre n’a changé.",
                "The new account is denied. Nothing else has changed.",
            ),
            Self::AidantSuspended => (
                "L’accès est suspendu. Il est fermé dès maintenant.",
                "Access is suspended. It is closed from now on.",
            ),
            Self::AidantReinstated => ("L’accès est rétabli.", "Access is restored."),
            Self::ProceduresSaved => ("Vos choix sont enregistrés.", "Your choices are saved."),
            Self::ScreenUnlocked => ("L’écran est déverrouillé.", "The screen is unlocked."),
        };
        Text { fr, en }
    }
}

/// What surrounds any page. Pages with a form ask for a [`Guarded`] one.
#[derive(Clone)]
pub struct Frame {
    /// Language of the page.
    pub language: Language,
    /// Path and query of the page, for the language switch.
    pub path: String,
    /// A message to show once.
    pub flash: Option<Flash>,
    /// In whose name one acts.
    pub acting: Option<Acting>,
    /// The browser's session, if there is one.
    pub session: Option<Session>,
}

impl Frame {
    /// A frame for somebody we know nothing of.
    #[must_use]
    pub const fn new(language: Language, path: String) -> Self {
        Self { language, path, flash: None, acting: None, session: None }
    }

    /// The same frame within a session; fit for pages with forms.
    #[must_use]
    pub fn guarded(self, session: Session) -> Guarded {
        let csrf = session.csrf.clone();
        Guarded { frame: Self { session: Some(session), ..self }, csrf }
    }

    /// The word or sentence in the page's language. Written in templates as a literal pair.
    pub(super) fn t(&self, fr: &str, en: &str) -> String {
        match self.language {
            Language::Fr => typeset(Language::Fr, fr),
            Language::En => en.to_owned(),
        }
    }

    /// A sentence with one value at `{0}`.
    pub(super) fn t1(&self, fr: &str, en: &str, zero: impl Display) -> String {
        fill(&self.t(fr, en), &[&zero])
    }

    /// A sentence with two values, at `{0}` and `{1}`.
    pub(super) fn t2(&self, fr: &str, en: &str, zero: impl Display, one: impl Display) -> String {
        fill(&self.t(fr, en), &[&zero, &one])
    }

    /// A sentence with three values, at `{0}`, `{1}` and `{2}`.
    pub(super) fn t3(
        &self,
        fr: &str,
        en: &str,
        zero: impl Display,
        one: impl Display,
        two: impl Display,
    ) -> String {
        fill(&self.t(fr, en), &[&zero, &one, &two])
    }

    pub(super) fn text(&self, text: &Text) -> String {
        typeset(self.language, text.in_language(self.language))
    }

    pub(super) fn pick(&self, text: &Bilingual) -> String {
        match self.language {
            Language::Fr => typeset(Language::Fr, &text.fr),
            Language::En => text.en.clone(),
        }
    }

    pub(super) fn flash_text(&self, flash: &Flash) -> String {
        self.text(&flash.text())
    }

    pub(super) fn problem(&self, problem: &Problem) -> String {
        (*problem).say(self)
    }

    /// The address of this page in the other language.
    pub(super) fn other_language(&self) -> String {
        let other = match self.language {
            Language::Fr => Language::En,
            Language::En => Language::Fr,
        };
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let mut kept: Vec<&str> =
            query.split('&').filter(|part| !part.is_empty() && !part.starts_with("lang=")).collect();
        let lang = format!("lang={}", other.as_str());
        kept.push(&lang);
        format!("{path}?{}", kept.join("&"))
    }

    pub(super) fn day(&self, date: &Date) -> String {
        dates::day(self.language, *date)
    }

    pub(super) fn date(&self, at: &Instant) -> String {
        dates::day(self.language, dates::paris(*at).date())
    }

    pub(super) fn moment(&self, at: &Instant) -> String {
        dates::moment(self.language, *at)
    }

    pub(super) fn clock(&self, at: &Instant) -> String {
        dates::clock(self.language, dates::paris(*at))
    }
}

/// Puts values into their places in one pass, so that a `{1}` somebody has for a name stays what they wrote.
fn fill(text: &str, values: &[&dyn Display]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let place = after.split_once('}').and_then(|(number, after)| {
            let value = number.parse::<usize>().ok().and_then(|at| values.get(at))?;
            Some((value, after))
        });
        if let Some((value, after)) = place {
            out.push_str(&isolated(value.to_string()));
            rest = after;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// A frame within a session: has the CSRF token that every form must carry.
#[derive(Clone)]
pub struct Guarded {
    frame: Frame,
    csrf: Csrf,
}

impl Guarded {
    /// The same frame with a message to show once.
    #[must_use]
    pub fn with_flash(mut self, flash: Option<Flash>) -> Self {
        self.frame.flash = flash;
        self
    }

    /// The same frame with the banner of acting in somebody's name.
    #[must_use]
    pub fn with_acting(mut self, acting: Acting) -> Self {
        self.frame.acting = Some(acting);
        self
    }

    pub(super) fn csrf(&self) -> &str {
        &self.csrf.0
    }
}

impl Deref for Guarded {
    type Target = Frame;

    fn deref(&self) -> &Frame {
        &self.frame
    }
}

impl Session {
    pub(super) fn csrf(&self) -> &str {
        &self.csrf.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_switch_keeps_the_rest_of_the_address() {
        for (path, other) in [
            ("/", "/?lang=en"),
            ("/auditor/search?kind=mandate.ended", "/auditor/search?kind=mandate.ended&lang=en"),
            ("/help?lang=fr", "/help?lang=en"),
        ] {
            assert_eq!(Frame::new(Language::Fr, path.to_owned()).other_language(), other);
        }
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_as_written() {
        let frame = Frame::new(Language::Fr, "/".to_owned());
        assert_eq!(frame.t2("{0} et {1} {", "{0} and {1} {", "{1}", "{0}"), "{1} et {0} {");
    }

    #[test]
    fn messages_read_back() {
        for flash in Flash::ALL {
            assert_eq!(Flash::parse(flash.as_str()), Some(flash));
        }
    }
}
