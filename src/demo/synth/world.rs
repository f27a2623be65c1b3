//! Who lives the fictional lives: organisations, aidants, persons, and when they work.

use super::below;
use crate::clock::{Entropy, random};
use crate::crypto::to_hex;
use crate::mandate::{
    AidantId, BirthDate, ClientId, EventKind, Identity, Instant, OrganisationId, ProcedureId,
    ProfessionalIdentity, Role, Standing, Whereabouts,
};
use crate::service::people::{self, Holder};
use crate::service::{App, Caller, Error, Record, manage};
use crate::storage::aidants::{self, AidantRow};
use std::sync::Arc;
use time::{Duration, Weekday};

/// Aidants of each organisation.
const AIDANTS: u64 = 6;
const GIVEN: [&str; 12] = [
    "Jeanne", "Ahmed", "Odette", "Lucien", "Fatou", "Marcel", "Irène", "Tuan", "Solange", "Émile", "Rosa",
    "Moussa",
];
const FAMILY: [&str; 12] = [
    "Martin",
    "Benali",
    "Lefèvre",
    "Diallo",
    "Nguyen",
    "Garnier",
    "Le Goff",
    "D’Angelo",
    "Petit-Jean",
    "Rossi",
    "Kowalski",
    "Moreau",
];

/// Who lives these lives.
pub(super) struct World {
    pub(super) offices: Vec<(OrganisationId, Vec<AidantId>)>,
    pub(super) client: ClientId,
    pub(super) procedures: Vec<ProcedureId>,
}

impl World {
    /// Registers fictional organisations and their aidants.
    pub(super) async fn found(app: &App, organisations: u64, client: ClientId) -> Result<Self, Error> {
        let mut offices = Vec::new();
        for number in 1..=organisations {
            let at = Whereabouts {
                address: format!("{number}, rue de la Fiction, 01990 Valmarie"),
                town: "Valmarie".to_owned(),
                telephone: None,
            };
            let (name, siret) = (format!("Maison fictive n° {number}"), format!("999{number:011}"));
            let organisation = manage::add_organisation(app, &name, &siret, &at).await?;
            let mut own = Vec::new();
            for _ in 0..AIDANTS {
                own.push(aidant(app, &organisation).await?);
            }
            offices.push((organisation, own));
        }
        let offered = crate::demo::public_service::PROCEDURES.iter().map(|id| ProcedureId::parse(id));
        let procedures = offered.collect::<Result<_, _>>().map_err(|_| Error::Unreadable)?;
        Ok(Self { offices, client, procedures })
    }
}

pub(super) fn pick<'a, T>(entropy: &dyn Entropy, of: &'a [T]) -> Option<&'a T> {
    let at = below(entropy, u64::try_from(of.len()).unwrap_or(1));
    of.get(usize::try_from(at).unwrap_or(0))
}

/// Moves an instant to a weekday between eight and six o'clock, as nearly all work is; one in forty stays where it is.
pub(super) fn in_working_hours(entropy: &dyn Entropy, at: Instant) -> Instant {
    if below(entropy, 40) == 0 {
        return at;
    }
    let day = at.to_utc();
    let rest = match day.weekday() {
        Weekday::Saturday => 2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    let minute = i64::try_from(below(entropy, 600)).unwrap_or(0);
    let midnight = at.plus(Duration::seconds(-(at.seconds().rem_euclid(86_400))));
    midnight.plus(Duration::days(rest) + Duration::hours(7) + Duration::minutes(minute)).to_the_millisecond()
}

async fn aidant(app: &App, organisation: &OrganisationId) -> Result<AidantId, Error> {
    let id = AidantId::from_bytes(app.new_id()?);
    let given = pick(&*app.entropy, &GIVEN).copied().unwrap_or_default();
    let family = pick(&*app.entropy, &FAMILY).copied().unwrap_or_default();
    let subject = to_hex(&random::<8>(&*app.entropy)?);
    let identity = ProfessionalIdentity {
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        email: format!("{subject}@fiction.example"),
    };
    let (by, now) =
        (Arc::new((Arc::clone(app), organisation.clone(), id.clone(), identity, subject)), app.now());
    app.commit("synth.aidant", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, organisation, id, identity, subject) = &*by;
            let holder = Holder::Aidant(id.as_str());
            let (identity_sealed, identity_key) = people::seal(app, tx, holder, identity, now).await?;
            let record = Record::done(EventKind::InvitationAccepted).organisation(organisation).aidant(id);
            let event = record.append(app, tx, &Caller::default(), now).await?;
            let row = AidantRow {
                id: id.clone(),
                organisation: organisation.clone(),
                role: Role::Aidant,
                standing: Standing::Active,
                email_blind: people::email_blind(app, &identity.email),
                identity_sealed,
                identity_key,
                subject: Some(("https://agents.fiction.example".to_owned(), subject.clone())),
                invited_at: now,
                invite_expires_at: now.plus(Duration::days(7)),
                activated_at: Some(now),
                asked: None,
                version: 1,
            };
            Ok(aidants::insert(tx, &row, &event).await?)
        })
    })
    .await?;
    Ok(id)
}

/// A fictional person.
pub(super) fn person(chance: &dyn Entropy) -> Result<Identity, Error> {
    let (year, month, day) = (1930 + below(chance, 70), 1 + below(chance, 12), 1 + below(chance, 28));
    Ok(Identity {
        given_name: pick(chance, &GIVEN).copied().unwrap_or_default().to_owned(),
        family_name: pick(chance, &FAMILY).copied().unwrap_or_default().to_owned(),
        preferred_username: None,
        gender: "female".to_owned(),
        birthdate: BirthDate::parse(&format!("{year}-{month:02}-{day:02}")).map_err(|_| Error::Unreadable)?,
        birthplace: "01004".to_owned(),
        birthcountry: "99100".to_owned(),
        email: None,
    })
}
