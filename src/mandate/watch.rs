//! What deserves a second look: rules over what happened, each with its threshold. A rule accuses nobody: it says what
//! was counted, and from how many on somebody should ask why.

mod opening;

pub use opening::OpeningHours;

use super::{DECLARED, EventId, Instant, paris};
use time::Duration;

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $code:literal;)*) => {
        /// The rules. Their stable names are part of the journal and never change meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])* $variant,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The rule of that stable name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

rules! {
    /// An aidant represents people outside the opening hours.
    OutsideHours = "outside_hours";
    /// An aidant represents many people within minutes.
    Burst = "burst";
    /// A mandate stands and nobody uses it.
    NeverUsed = "never_used";
    /// Every mandate of an aidant is used within minutes of the consent.
    UsedAtOnce = "used_at_once";
    /// A consent came faster than one can read.
    HastyConsent = "hasty_consent";
    /// Many usagers sign in from one device.
    SharedDevice = "shared_device";
    /// One aidant is behind most refusals of an organisation.
    MostRefusals = "most_refusals";
    /// An aidant's consents are weaker than those of the others of the organisation.
    WeakConsents = "weak_consents";
    /// A mandate was used right before its usager revoked it.
    UsedBeforeRevocation = "used_before_revocation";
    /// An aidant looks people up and does nothing for them.
    LookUpsAlone = "look_ups_alone";
    /// An aidant's provider names another employer than their organisation.
    OtherEmployer = "other_employer";
    /// A usager does not recognise what was done in their name. It cannot be switched off.
    Disputed = "disputed";
}

/// From how many on a rule speaks. Zero as a number of times, days or seconds switches a rule off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds {
    /// When people work.
    pub opening: OpeningHours,
    /// Representations of one aidant outside these hours, in one day.
    pub outside_hours: u32,
    /// Representations of one aidant within `burst_minutes`.
    pub burst: u32,
    /// Span of a burst, in minutes.
    pub burst_minutes: u32,
    /// Days a mandate stands without being used.
    pub never_used_days: u32,
    /// Mandates of one aidant in a row, each used within `used_at_once_minutes` of its consent.
    pub used_at_once: u32,
    /// Minutes from consent to first use.
    pub used_at_once_minutes: u32,
    /// Seconds from the usager's identification to the consent below which nobody can have read.
    pub hasty_consent_seconds: u32,
    /// Usagers who sign in to their space from one device in a day.
    pub shared_device: u32,
    /// Refusals of one aidant within `most_refusals_days`.
    pub most_refusals: u32,
    /// Their part of all refusals of the organisation, in percent.
    pub most_refusals_percent: u32,
    /// Span of the refusals, in days.
    pub most_refusals_days: u32,
    /// What makes a consent weak: levels of identification, channels.
    pub weak: Vec<String>,
    /// Consents taken by one aidant within `weak_consents_days`, below which nothing is said.
    pub weak_consents: u32,
    /// Points of percent by which their weak ones exceed those of the organisation's other aidants.
    pub weak_consents_points: u32,
    /// Span of the consents, in days.
    pub weak_consents_days: u32,
    /// Representations within `used_before_revocation_minutes` before the usager revokes.
    pub used_before_revocation: u32,
    /// Span before a revocation, in minutes.
    pub used_before_revocation_minutes: u32,
    /// Look-ups of one aidant in a day that nothing follows.
    pub look_ups_alone: u32,
    /// Hours within which something has to follow a look-up.
    pub look_ups_hours: u32,
    /// Sign-ins under one other employer's SIRET.
    pub other_employer: u32,
}

impl Default for Thresholds {
    /// What an empty `[watch]` section means.
    fn default() -> Self {
        Self {
            opening: OpeningHours::default(),
            outside_hours: 3,
            burst: 15,
            burst_minutes: 10,
            never_used_days: 60,
            used_at_once: 20,
            used_at_once_minutes: 2,
            hasty_consent_seconds: 20,
            shared_device: 10,
            most_refusals: 10,
            most_refusals_percent: 60,
            most_refusals_days: 30,
            weak: vec!["eidas1".to_owned(), DECLARED.to_owned()],
            weak_consents: 10,
            weak_consents_points: 30,
            weak_consents_days: 30,
            used_before_revocation: 1,
            used_before_revocation_minutes: 30,
            look_ups_alone: 5,
            look_ups_hours: 24,
            other_employer: 1,
        }
    }
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What was counted.
    pub measured: u64,
    /// From where on it speaks.
    pub threshold: u64,
    /// Within which span it was counted, in the rule's unit (minutes, hours, days); zero where it has none.
    pub span: u64,
    /// The entries it rests on, as far as they are few.
    pub entries: Vec<EventId>,
}

/// An act, as an entry tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The entry.
    pub event: EventId,
    /// When.
    pub at: Instant,
    /// For whom, as far as it is known; told apart only, never named.
    pub usager: Option<String>,
}

/// How many of some consents are weak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// The weak ones.
    pub weak: u64,
    /// All.
    pub all: u64,
}

impl Share {
    fn percent(self) -> u64 {
        self.weak.saturating_mul(100).checked_div(self.all).unwrap_or(0)
    }
}

fn count<T>(of: &[T]) -> u64 {
    u64::try_from(of.len()).unwrap_or(u64::MAX)
}

fn from_on(rule: Rule, measured: u64, threshold: u32, span: u32) -> Option<Finding> {
    let (threshold, span) = (u64::from(threshold), u64::from(span));
    (threshold > 0 && measured >= threshold).then(|| Finding {
        rule,
        measured,
        threshold,
        span,
        entries: Vec::new(),
    })
}

fn resting_on(found: Option<Finding>, traces: &[&Trace]) -> Option<Finding> {
    let entries = traces.iter().map(|trace| trace.event.clone()).collect();
    found.map(|finding| Finding { entries, ..finding })
}

fn minutes(count: u32) -> Duration {
    Duration::minutes(i64::from(count))
}

impl Thresholds {
    /// Of one aidant's representations, those outside the opening hours on the day (in Paris) of `at`.
    #[must_use]
    pub fn outside_hours(&self, uses: &[Trace], at: Instant) -> Option<Finding> {
        let day = paris(at).date();
        let outside = |used: &&Trace| paris(used.at).date() == day && !self.opening.covers(used.at);
        let found: Vec<&Trace> = uses.iter().filter(outside).collect();
        resting_on(from_on(Rule::OutsideHours, count(&found), self.outside_hours, 0), &found)
    }

    /// Of one aidant's representations, those of the minutes that end at `at`.
    #[must_use]
    pub fn burst(&self, uses: &[Trace], at: Instant) -> Option<Finding> {
        let from = at.plus(-minutes(self.burst_minutes));
        let found: Vec<&Trace> = uses.iter().filter(|used| from < used.at && used.at <= at).collect();
        resting_on(from_on(Rule::Burst, count(&found), self.burst, self.burst_minutes), &found)
    }

    /// A mandate in force since `starts_at`.
    #[must_use]
    pub fn never_used(&self, starts_at: Instant, now: Instant, used: bool) -> Option<Finding> {
        let days = u64::try_from(now.since(starts_at).whole_days()).unwrap_or(0);
        from_on(Rule::NeverUsed, days, self.never_used_days, 0).filter(|_| !used)
    }

    /// The last mandates of one aidant that were used, the latest first: when consented to, when first used.
    #[must_use]
    pub fn used_at_once(&self, lately: &[(Instant, Instant)]) -> Option<Finding> {
        let longest = minutes(self.used_at_once_minutes);
        let in_a_row =
            lately.iter().take_while(|(consented, used)| used.since(*consented) <= longest).count();
        let in_a_row = u64::try_from(in_a_row).unwrap_or(u64::MAX);
        from_on(Rule::UsedAtOnce, in_a_row, self.used_at_once, self.used_at_once_minutes)
    }

    /// A consent and the identification before it, after which the text was shown.
    #[must_use]
    pub fn hasty_consent(&self, identified: Instant, consented: &Trace) -> Option<Finding> {
        let took = consented.at.since(identified);
        let threshold = u64::from(self.hasty_consent_seconds);
        (took < Duration::seconds(i64::from(self.hasty_consent_seconds))).then(|| Finding {
            rule: Rule::HastyConsent,
            measured: u64::try_from(took.whole_seconds()).unwrap_or(0),
            threshold,
            span: 0,
            entries: vec![consented.event.clone()],
        })
    }

    /// Usagers who signed in from one device in the last day.
    #[must_use]
    pub fn shared_device(&self, usagers: u64) -> Option<Finding> {
        from_on(Rule::SharedDevice, usagers, self.shared_device, 0)
    }

    /// Refusals of one aidant and of the whole organisation. Somebody who works alone is behind all of them.
    #[must_use]
    pub fn most_refusals(&self, own: u64, all: u64, alone: bool) -> Option<Finding> {
        let part = Share { weak: own, all }.percent() >= u64::from(self.most_refusals_percent);
        from_on(Rule::MostRefusals, own, self.most_refusals, self.most_refusals_days)
            .filter(|_| part && !alone)
    }

    /// The consents one aidant took and those the organisation's other aidants took, who are the norm.
    #[must_use]
    pub fn weak_consents(&self, own: Share, others: Share) -> Option<Finding> {
        let enough = self.weak_consents > 0 && own.all >= u64::from(self.weak_consents) && others.all > 0;
        let over = own.percent().saturating_sub(others.percent());
        from_on(Rule::WeakConsents, over, self.weak_consents_points, self.weak_consents_days)
            .filter(|_| enough)
    }

    /// A mandate's representations, and when its usager revoked it.
    #[must_use]
    pub fn used_before_revocation(&self, uses: &[Trace], revoked: Instant) -> Option<Finding> {
        let from = revoked.plus(-minutes(self.used_before_revocation_minutes));
        let found: Vec<&Trace> = uses.iter().filter(|used| from <= used.at && used.at <= revoked).collect();
        let (threshold, span) = (self.used_before_revocation, self.used_before_revocation_minutes);
        resting_on(from_on(Rule::UsedBeforeRevocation, count(&found), threshold, span), &found)
    }

    /// One aidant's sign-ins for which their provider named the same other employer.
    #[must_use]
    pub fn other_employer(&self, sign_ins: &[Trace]) -> Option<Finding> {
        let found: Vec<&Trace> = sign_ins.iter().collect();
        resting_on(from_on(Rule::OtherEmployer, count(&found), self.other_employer, 0), &found)
    }

    /// A usager's word that they do not recognise a representation: one is enough.
    #[must_use]
    pub fn disputed(&self, said: &Trace) -> Finding {
        let entries = vec![said.event.clone()];
        Finding { rule: Rule::Disputed, measured: 1, threshold: 1, span: 0, entries }
    }

    /// One aidant's look-ups of a day, and what they did after: for the same usager where the look-up found one.
    #[must_use]
    pub fn look_ups_alone(&self, look_ups: &[Trace], acts: &[Trace]) -> Option<Finding> {
        let within = Duration::hours(i64::from(self.look_ups_hours));
        let followed = |look_up: &Trace| {
            acts.iter().any(|act| {
                let same = look_up.usager.is_none() || act.usager.is_none() || look_up.usager == act.usager;
                same && look_up.at <= act.at && act.at <= look_up.at.plus(within)
            })
        };
        let found: Vec<&Trace> = look_ups.iter().filter(|look_up| !followed(look_up)).collect();
        resting_on(
            from_on(Rule::LookUpsAlone, count(&found), self.look_ups_alone, self.look_ups_hours),
            &found,
        )
    }
}

#[cfg(test)]
mod tests;
