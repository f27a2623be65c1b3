//! `auditor grant|grants|revoke`: what auditors may read.

use super::{One, close, id};
use crate::command::{Configured, Refused, say};
use crate::mandate::{AuditorId, GrantId, Instant, MandateId, OrganisationId, Reach, Slots};
use crate::service::audit::grants::{self, Given};
use clap::ValueEnum;
use std::collections::BTreeSet;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, Time};

/// What a grant shows beside what happened and where.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::command) enum Show {
    /// The usagers' identifiers.
    Usagers,
    /// The aidants' identifiers.
    Aidants,
}

/// A grant to give.
#[derive(clap::Args)]
pub(in crate::command) struct Give {
    /// The auditor's identifier, as `auditor list` writes it.
    auditor: String,
    /// An organisation whose entries are read; may be given several times.
    #[arg(long, value_name = "ID")]
    organisation: Vec<String>,
    /// A mandate whose entries are read; may be given several times.
    #[arg(long, value_name = "ID")]
    mandate: Vec<String>,
    /// The whole journal.
    #[arg(long, conflicts_with_all = ["organisation", "mandate"])]
    everything: bool,
    /// Entries from this day on (YYYY-MM-DD, universal time); from the first one when absent.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Entries to the end of this day; to the grant's own end when absent.
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// How many days the grant lasts, 366 at most.
    #[arg(long, default_value_t = 30)]
    days: u16,
    /// What to show beside what happened and where; may be given several times.
    #[arg(long, value_enum)]
    show: Vec<Show>,
    /// Hide where: organisation, service, address and session.
    #[arg(long)]
    without_context: bool,
    #[command(flatten)]
    configured: Configured,
}

fn day(text: &str) -> Result<Instant, Refused> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
    let date = date.map_err(|_| Refused::other(format!("{text:?} is no day: write YYYY-MM-DD")))?;
    Ok(Instant::from(OffsetDateTime::new_utc(date, Time::MIDNIGHT)))
}

impl Give {
    pub(in crate::command) async fn run(self) -> Result<(), Refused> {
        let auditor = id(&self.auditor, AuditorId::parse)?;
        let reach = if self.everything {
            Reach::Everything
        } else {
            Reach::Named {
                organisations: ids(&self.organisation, |text| id(text, OrganisationId::parse))?,
                mandates: ids(&self.mandate, |text| id(text, MandateId::parse))?,
            }
        };
        let from = self.from.as_deref().map_or(Ok(Instant::from_micros(0)), day)?;
        let until = self.until.as_deref().map(day).transpose()?.map(|day| day.plus(Duration::days(1)));
        let slots = Slots {
            ctx: !self.without_context,
            sub: self.show.contains(&Show::Usagers),
            aid: self.show.contains(&Show::Aidants),
        };
        let app = self.configured.open().await?;
        let ends_at = app.now().plus(Duration::days(self.days.into()));
        let given = Given { reach, slots, from, until: until.unwrap_or(ends_at), ends_at };
        let done = grants::give(&app, &auditor, given).await;
        close(app).await;
        say(done?.as_str());
        Ok(())
    }
}

fn ids<T: Ord>(texts: &[String], parse: impl Fn(&str) -> Result<T, Refused>) -> Result<BTreeSet<T>, Refused> {
    texts.iter().map(|text| parse(text)).collect()
}

fn moment(at: Instant) -> String {
    at.to_utc().date().to_string()
}

pub(super) async fn list(one: &One) -> Result<(), Refused> {
    let auditor = id(&one.id, AuditorId::parse)?;
    let app = one.configured.open().await?;
    let (listed, now) = (grants::list(&app, &auditor).await, app.now());
    close(app).await;
    for row in listed? {
        let grant = row.grant;
        let state = match (grant.revoked_at, grant.stands(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "stands",
            (None, false) => "over",
        };
        let reach = match &grant.reach {
            Reach::Everything => "everything".to_owned(),
            Reach::Named { organisations, mandates } => {
                let organisations = organisations.iter().map(|id| format!("organisation:{id}"));
                let named: Vec<_> =
                    organisations.chain(mandates.iter().map(|id| format!("mandate:{id}"))).collect();
                named.join(",")
            }
        };
        let (from, until, ends) = (moment(grant.from), moment(grant.until), moment(grant.ends_at));
        say(&format!(
            "{}  {state}  {reach}  {}  {from}..{until}  ends {ends}",
            grant.id,
            grant.slots.as_str()
        ));
    }
    Ok(())
}

pub(super) async fn revoke(one: &One) -> Result<(), Refused> {
    let grant = id(&one.id, GrantId::parse)?;
    let app = one.configured.open().await?;
    let done = grants::revoke(&app, &grant).await;
    close(app).await;
    done?;
    say("revoked: nothing is read under it from now on");
    Ok(())
}
