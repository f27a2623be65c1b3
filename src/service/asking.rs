//! Asking a usager for their consent by another way than the aidant's screen.
//!
//! The aidant asks; a code goes to the person, on paper or by whoever carries it; the answer comes back by the code, or a
//! second person of the organisation confirms what was seen. The code rests hashed, and sealed to be sent or printed again.
//! Asking anew kills the former code. What the aidant knows of the person here is declared, not proved: the consent says so.

mod answer;
mod confirm;
mod keep;
mod letters;
mod open;
mod person;
mod scan;

pub use crate::picture::LARGEST_FILE;
pub use crate::storage::askings::Delivery;
pub use answer::{Keyed, deny, key_in};
pub(super) use answer::{agreed, denied, take_code};
pub use confirm::{Compared, compare, confirm, reject};
use keep::evidence;
pub(super) use keep::language as evidence_language;
pub use keep::{Standing, Waiting, waiting};
pub(super) use keep::{cleared, store};
pub use letters::send_due;
pub use open::open;
pub use person::{Choice, Known, Whom};
pub(super) use scan::{Answer, answered};
pub use scan::{Signed, scanned};

use super::office::Office;
use super::steps::{Actor, refuse, take_making};
use super::{App, AskingError, Caller, Error, Session, facts};
use crate::crypto::{DigitCode, VerificationCode, normalise_code};
use crate::mandate::{
    AskingEvidence, CodeAddress, ConsentChannel, Instant, Language, LifeFact, MandateId, NoticeId, Refusal,
    SeenDocument, Terms, UsagerId,
};
use crate::storage::askings::{self, AskingRow};
use crate::storage::mandates::MandateRow;
use crate::storage::{Tx, mandates};
use std::sync::Arc;

/// The way a usager is asked, with what it needs. Personal data: no `Debug`.
#[derive(Clone)]
pub enum Way {
    /// On their own device, where they identify themselves.
    OwnDevice {
        /// Where the code is sent.
        to: CodeAddress,
    },
    /// By telephone: they say the code that is sent to their number.
    Telephone {
        /// Who.
        whom: Whom,
        /// Their number.
        to: CodeAddress,
    },
    /// On paper, signed.
    Paper {
        /// Who.
        whom: Whom,
    },
    /// By a code in a letter.
    PostedCode {
        /// Who.
        whom: Whom,
    },
    /// On the aidant's screen, by an identity document.
    SeenDocument {
        /// Who.
        whom: Whom,
        /// What they showed.
        document: SeenDocument,
    },
}

impl Way {
    /// The channel of the consent that may come of it.
    #[must_use]
    pub const fn channel(&self) -> ConsentChannel {
        match self {
            Self::OwnDevice { .. } => ConsentChannel::OwnDevice,
            Self::Telephone { .. } => ConsentChannel::Telephone,
            Self::Paper { .. } => ConsentChannel::Paper,
            Self::PostedCode { .. } => ConsentChannel::PostedCode,
            Self::SeenDocument { .. } => ConsentChannel::SeenDocument,
        }
    }

    const fn whom(&self) -> Option<&Whom> {
        match self {
            Self::OwnDevice { .. } => None,
            Self::Telephone { whom, .. }
            | Self::Paper { whom }
            | Self::PostedCode { whom }
            | Self::SeenDocument { whom, .. } => Some(whom),
        }
    }

    const fn address(&self) -> Option<&CodeAddress> {
        match self {
            Self::OwnDevice { to } | Self::Telephone { to, .. } => Some(to),
            Self::Paper { .. } | Self::PostedCode { .. } | Self::SeenDocument { .. } => None,
        }
    }
}

/// What came of asking.
pub enum Asked {
    /// The usager is asked.
    Done,
    /// The organisation knows somebody of that name and date of birth: the aidant says whether it is them.
    Whether(Vec<Known>),
}

/// Asks the usager of a proposal by that way; again, or by another than before, while nobody has answered.
///
/// # Errors
/// [`Error::NotFound`] for a proposal of another organisation, journaled; [`Error::Transition`] and [`Error::Refused`],
/// journaled, when nothing can be asked any more or that way proves too little for a procedure; [`AskingError::Unreachable`]
/// when nobody carries a code there; [`Error::BeingRecorded`].
pub async fn ask(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
    way: Way,
    language: Language,
) -> Result<Asked, Error> {
    session.aidant()?;
    let carried = |to: &CodeAddress| app.couriers.of(to.channel()).is_some();
    if !way.address().is_none_or(carried) {
        return Err(AskingError::Unreachable.into());
    }
    let by_mail = matches!(way.address(), Some(CodeAddress::Email(_)));
    if by_mail && way.channel() == ConsentChannel::Telephone {
        return Err(AskingError::Unreachable.into());
    }
    let act = Arc::new(Act {
        app: Arc::clone(app),
        session: session.clone(),
        caller: caller.clone(),
        mandate: mandate.clone(),
        now: app.now(),
    });
    let asked = Arc::new((way, language));
    app.include("consent.ask", move |tx| {
        let (act, asked) = (Arc::clone(&act), Arc::clone(&asked));
        Box::pin(async move {
            let (way, language) = &*asked;
            act.ask(tx, way, *language).await
        })
    })
    .await?
}

/// Sends another code to where the last one went, or prints another: the former one is dead.
///
/// # Errors
/// As [`ask`]; [`Error::NotFound`] where nothing was asked.
pub async fn again(app: &App, session: &Session, caller: &Caller, mandate: &MandateId) -> Result<(), Error> {
    session.aidant()?;
    let act = Arc::new(Act::new(app, session, caller, mandate));
    app.include("consent.ask_again", move |tx| {
        let act = Arc::clone(&act);
        Box::pin(async move { act.again(tx).await })
    })
    .await?
}

/// An aidant at work on how a proposal is asked.
struct Act {
    app: App,
    session: Session,
    caller: Caller,
    mandate: MandateId,
    now: Instant,
}

/// What an act of an aidant stands on: their office, the proposal, how it is asked.
struct Ground {
    office: Office,
    row: MandateRow,
    before: Option<AskingRow>,
}

impl Act {
    fn new(app: &App, session: &Session, caller: &Caller, mandate: &MandateId) -> Self {
        Self {
            app: Arc::clone(app),
            session: session.clone(),
            caller: caller.clone(),
            mandate: mandate.clone(),
            now: app.now(),
        }
    }

    /// The office and the proposal; for outsiders there is none, and that they asked is journaled.
    async fn ground(&self, tx: &mut Tx) -> Result<Result<Ground, Error>, Error> {
        let office = Office::of(tx, &self.session).await?;
        let row = match office.mandate(tx, &self.mandate).await {
            Ok(row) => row,
            Err(error) => {
                let by = (&self.caller, self.now);
                return office.refuse_access(&self.app, tx, error, by).await.map(Err);
            }
        };
        let before = askings::load(tx, &self.mandate).await?;
        Ok(Ok(Ground { office, row, before }))
    }

    fn by<'a>(&'a self, office: &'a Office) -> (Actor<'a>, &'a Caller, Instant) {
        (Actor::Aidant(&office.aidant.id), &self.caller, self.now)
    }

    async fn ask(&self, tx: &mut Tx, way: &Way, language: Language) -> Result<Result<Asked, Error>, Error> {
        let ground = match self.ground(tx).await? {
            Ok(ground) => ground,
            Err(error) => return Ok(Err(error)),
        };
        let by = self.by(&ground.office);
        if let Err(error) = self.may(&ground.row, way.channel()) {
            return refuse(&self.app, tx, &ground.row.mandate, error, by).await.map(Err);
        }
        let usager = match way.whom() {
            None => None,
            Some(whom) => match person::find_or_declare(self, tx, &ground, whom).await? {
                person::Found::One(usager) => Some(usager),
                person::Found::Whether(known) => return Ok(Ok(Asked::Whether(known))),
                person::Found::Minor => {
                    let error = crate::mandate::TransitionError::CannotGrant.into();
                    return refuse(&self.app, tx, &ground.row.mandate, error, by).await.map(Err);
                }
            },
        };
        let document = match way {
            Way::SeenDocument { document, .. } => Some(document.clone()),
            _ => None,
        };
        let address = way.address().cloned();
        let evidence =
            AskingEvidence { code: None, address, language, document, read_in: None, signed_on: None };
        self.put(tx, ground, way.channel(), usager, evidence).await?;
        Ok(Ok(Asked::Done))
    }

    /// Whether that way can be asked by now, for these procedures.
    fn may(&self, row: &MandateRow, channel: ConsentChannel) -> Result<(), Error> {
        row.mandate.clone().ask(channel, self.now)?;
        strong_enough(&self.app, &row.mandate.terms, channel)?;
        Ok(())
    }

    async fn again(&self, tx: &mut Tx) -> Result<Result<(), Error>, Error> {
        let ground = match self.ground(tx).await? {
            Ok(ground) => ground,
            Err(error) => return Ok(Err(error)),
        };
        let Some(before) = ground.before.clone() else { return Ok(Err(Error::NotFound)) };
        if let Err(error) = self.may(&ground.row, before.channel) {
            let by = self.by(&ground.office);
            return refuse(&self.app, tx, &ground.row.mandate, error, by).await.map(Err);
        }
        let evidence = evidence(&self.app, tx, &before).await?.ok_or(Error::Unreadable)?;
        let evidence = AskingEvidence { read_in: None, signed_on: None, ..evidence };
        self.put(tx, ground, before.channel, before.usager, evidence).await?;
        Ok(Ok(()))
    }

    /// Writes it down, with a new code where that way has one.
    async fn put(
        &self,
        tx: &mut Tx,
        ground: Ground,
        channel: ConsentChannel,
        usager: Option<UsagerId>,
        evidence: AskingEvidence,
    ) -> Result<(), Error> {
        let Ground { office, mut row, before } = ground;
        let next = row.mandate.clone().ask(channel, self.now)?;
        let code = code(&self.app, channel)?;
        let evidence = AskingEvidence { code, ..evidence };
        let carried = evidence.address.is_some();
        let mut after = AskingRow {
            mandate: self.mandate.clone(),
            channel,
            delivery: if carried { Delivery::Waiting } else { Delivery::None },
            usager,
            code_hash: evidence
                .code
                .as_deref()
                .map(|code| code_hash(&self.app, channel, &self.mandate, code)),
            sealed: Vec::new(),
            scan_hash: None,
            asked_by: office.aidant.id.clone(),
            asked_at: self.now,
            failures: 0,
            answered_at: None,
            confirmed_by: None,
            version: before.as_ref().map_or(1, |before| before.version + 1),
        };
        after.sealed = keep::seal(&self.app, tx, &after, &evidence, self.now).await?;
        let by = self.by(&office);
        let made = Some(facts::asking(&self.app.keys, &after));
        let event =
            take_making(&self.app, tx, &mut row, next, (LifeFact::Asked { channel }, None, made), by).await?;
        askings::keep(tx, before.as_ref(), &after, &event).await?;
        askings::drop_scan(tx, &self.mandate).await?;
        if carried {
            let letter = NoticeId::from_bytes(self.app.new_id()?);
            Ok(askings::queue(tx, &self.mandate, &letter, self.now).await?)
        } else {
            Ok(askings::unqueue(tx, &self.mandate).await?)
        }
    }
}

/// Where a code is typed, below our own address.
pub const ADDRESS: &str = "/accord";

/// A code as it is shown and said: in groups.
#[must_use]
pub fn grouped(code: &str) -> String {
    let size = if code.len() == 6 { 3 } else { 4 };
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(size).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// Whether consent by that way proves enough for each of these procedures.
///
/// # Errors
/// [`Refusal::ConsentTooWeakForProcedure`].
pub fn strong_enough(app: &App, terms: &Terms, channel: ConsentChannel) -> Result<(), Refusal> {
    let enough = |id| app.catalogue.procedure(id).is_none_or(|one| one.consent <= channel.strength());
    if terms.procedures.keys().all(enough) { Ok(()) } else { Err(Refusal::ConsentTooWeakForProcedure) }
}

/// A fresh code; none where paper or a second person takes its place.
fn code(app: &App, channel: ConsentChannel) -> Result<Option<String>, Error> {
    Ok(match channel {
        ConsentChannel::OwnDevice | ConsentChannel::PostedCode => {
            Some(VerificationCode::generate(&*app.entropy)?.expose().to_owned())
        }
        ConsentChannel::Telephone => Some(DigitCode::generate(&*app.entropy)?.expose().to_owned()),
        ConsentChannel::InPresence | ConsentChannel::Paper | ConsentChannel::SeenDocument => None,
    })
}

/// What an asking is found by from its code, however it was typed. A short one is bound to its proposal: it is only ever typed
/// where that is known.
fn code_hash(app: &App, channel: ConsentChannel, mandate: &MandateId, typed: &str) -> String {
    let of = if channel == ConsentChannel::Telephone { mandate.as_str() } else { "" };
    app.keys.index().keyed_hash("consent_code", &[of, &normalise_code(typed)])
}

/// The proposal of an asking, as long as it waits for an answer.
async fn open_proposal(tx: &mut Tx, asking: &AskingRow, now: Instant) -> Result<Option<MandateRow>, Error> {
    let row = mandates::load(tx, &asking.mandate).await?.ok_or(Error::Unreadable)?;
    let waits = row.mandate.state == crate::mandate::State::Proposed && now < row.mandate.lapses_at();
    let current = row.mandate.asked.is_some_and(|asked| asked.channel == asking.channel);
    Ok((waits && current && asking.answered_at.is_none()).then_some(row))
}
