//! What an auditor's grants let them see: windows on the journal, each of one organisation, one mandate or everything.

use crate::mandate::{
    AuditorId, EventId, GLASS_OPEN, Grant, Instant, MandateId, OrganisationId, Reach, Slots,
};
use crate::service::{App, Error, SessionError};
use crate::storage::search::{Filter, Found};
use crate::storage::{Snapshot, audit_grants, break_glass, mandates};
use std::collections::{BTreeMap, BTreeSet};

/// One window: entries of an organisation or a mandate (as blind indexes; of everything without either), of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    organisation: Option<String>,
    mandate: Option<String>,
    from: Instant,
    until: Instant,
    slots: Slots,
    /// The same by identifier; a mandate with its organisation.
    named: (Option<OrganisationId>, Option<MandateId>),
}

/// A part of what is seen that no other part overlaps: of an organisation, a mandate or everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Only of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Only of this mandate.
    pub mandate: Option<MandateId>,
    /// From this instant on.
    pub from: Instant,
    /// Before this instant.
    pub until: Instant,
}

/// What another auditor opened for a while: one mandate, or one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Opened {
    Mandate(String),
    Entry(EventId),
}

impl Window {
    fn shows(&self, entry: &Found) -> bool {
        let same = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        self.from <= entry.at
            && entry.at < self.until
            && same(&self.organisation, &entry.search.organisation)
            && same(&self.mandate, &entry.search.mandate)
    }

    /// What of a filter lies within this window; nothing when it lies outside.
    #[must_use]
    pub fn narrow(&self, filter: &Filter) -> Option<Filter> {
        let (from, until) = (filter.from.max(self.from), filter.until.min(self.until));
        let organisation = both(self.organisation.as_ref(), filter.organisation.as_ref())?;
        let mandate = both(self.mandate.as_ref(), filter.mandate.as_ref())?;
        (from < until).then(|| Filter { from, until, organisation, mandate, ..filter.clone() })
    }
}

/// What both demand; nothing when they demand different things.
#[expect(clippy::option_option, reason = "no demand and no agreement are two things")]
fn both(one: Option<&String>, other: Option<&String>) -> Option<Option<String>> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => None,
        (Some(same), _) | (None, Some(same)) => Some(Some(same.clone())),
        (None, None) => Some(None),
    }
}

/// What is left of a period when others are taken out of it.
fn left(period: (Instant, Instant), taken: &[(Instant, Instant)]) -> Vec<(Instant, Instant)> {
    let mut rest = vec![period];
    for (from, until) in taken {
        let pieces = |(a, b): (Instant, Instant)| [(a, b.min(*from)), (a.max(*until), b)];
        rest = rest.into_iter().flat_map(pieces).collect();
        rest.retain(|(a, b)| a < b);
    }
    rest.retain(|(a, b)| a < b);
    rest
}

/// All that an auditor may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    windows: Vec<Window>,
    /// The organisations named; none when everything is seen.
    organisations: Option<BTreeSet<OrganisationId>>,
    opened: Vec<Opened>,
}

impl Sight {
    /// What that auditor's grants let them see now.
    ///
    /// # Errors
    /// [`SessionError::GrantNeeded`] without any.
    pub async fn of(
        app: &App,
        snapshot: &mut Snapshot,
        auditor: &AuditorId,
        now: Instant,
    ) -> Result<Self, Error> {
        let grants = audit_grants::standing(snapshot, auditor, now).await?;
        let grants: Vec<Grant> = grants.into_iter().map(|row| row.grant).collect();
        let mut homes = BTreeMap::new();
        for grant in &grants {
            let Reach::Named { mandates: named, .. } = &grant.reach else { continue };
            for id in named {
                if let Some(row) = mandates::load(snapshot, id).await? {
                    homes.insert(id.clone(), row.mandate.organisation);
                }
            }
        }
        let index = app.keys.index();
        let mut sight = Self::through(&grants, &homes, now, |field, id| index.blind(field, &[id]));
        if sight.windows.is_empty() {
            return Err(SessionError::GrantNeeded.into());
        }
        for row in break_glass::open(snapshot, auditor, now.plus(-GLASS_OPEN)).await? {
            let glass = row.glass;
            if !glass.is_open(now) {
                continue;
            }
            match (glass.entry, glass.mandate) {
                (Some(entry), _) => sight.opened.push(Opened::Entry(entry)),
                (None, Some(id)) => {
                    sight.opened.push(Opened::Mandate(index.blind("mandate", &[id.as_str()])));
                }
                (None, None) => {}
            }
        }
        Ok(sight)
    }

    fn through(
        grants: &[Grant],
        homes: &BTreeMap<MandateId, OrganisationId>,
        now: Instant,
        blind: impl Fn(&str, &str) -> String,
    ) -> Self {
        let organisations = Some(BTreeSet::new());
        let mut sight = Self { windows: Vec::new(), organisations, opened: Vec::new() };
        for grant in grants.iter().filter(|grant| grant.stands(now)) {
            let window = |organisation: Option<&OrganisationId>, mandate: Option<&MandateId>| {
                let home = mandate.and_then(|id| homes.get(id));
                Window {
                    organisation: organisation.map(|id| blind("organisation", id.as_str())),
                    mandate: mandate.map(|id| blind("mandate", id.as_str())),
                    from: grant.from,
                    until: grant.until,
                    slots: grant.slots,
                    named: (organisation.or(home).cloned(), mandate.cloned()),
                }
            };
            match &grant.reach {
                Reach::Everything => {
                    sight.organisations = None;
                    sight.windows.push(window(None, None));
                }
                Reach::Named { organisations, mandates } => {
                    sight.windows.extend(organisations.iter().map(|id| window(Some(id), None)));
                    sight.windows.extend(mandates.iter().map(|id| window(None, Some(id))));
                    if let Some(named) = &mut sight.organisations {
                        named.extend(organisations.iter().cloned());
                    }
                }
            }
        }
        sight
    }

    /// The slots shown of an entry; nothing when it is out of sight.
    #[must_use]
    pub fn slots(&self, entry: &Found) -> Option<Slots> {
        let shown = self.windows.iter().filter(|window| window.shows(entry)).map(|window| window.slots);
        let shown = shown.reduce(Slots::and)?;
        Some(if self.opens(entry) { Slots::ALL } else { shown })
    }

    /// Whether another auditor opened this entry's content.
    #[must_use]
    pub fn opens(&self, entry: &Found) -> bool {
        self.opened.iter().any(|opened| match opened {
            Opened::Mandate(blind) => entry.search.mandate.as_ref() == Some(blind),
            Opened::Entry(id) => entry.event_id == *id,
        })
    }

    /// What is seen of a period, of one organisation or of all, in parts that do not overlap: for counting.
    #[must_use]
    pub fn disjoint(
        &self,
        from: Instant,
        until: Instant,
        organisation: Option<&OrganisationId>,
    ) -> Vec<Seen> {
        let mut parts: Vec<Seen> = Vec::new();
        let mut windows: Vec<&Window> = self.windows.iter().collect();
        windows.sort_by_key(|window| (window.mandate.is_some(), window.organisation.is_some()));
        for window in windows {
            let (home, mandate) = &window.named;
            if home.is_some() && organisation.is_some() && home.as_ref() != organisation {
                continue;
            }
            let home = home.as_ref().or(organisation).cloned();
            let covers = |part: &&Seen| {
                (part.mandate.is_none() && (part.organisation.is_none() || part.organisation == home))
                    || (part.mandate.is_some() && part.mandate == *mandate)
            };
            let taken: Vec<_> = parts.iter().filter(covers).map(|part| (part.from, part.until)).collect();
            let rest = left((window.from.max(from), window.until.min(until)), &taken);
            parts.extend(rest.into_iter().map(|(from, until)| Seen {
                organisation: home.clone(),
                mandate: mandate.clone(),
                from,
                until,
            }));
        }
        parts
    }

    /// What of a filter is in sight, window by window.
    #[must_use]
    pub fn narrow(&self, filter: &Filter) -> Vec<Filter> {
        self.windows.iter().filter_map(|window| window.narrow(filter)).collect()
    }

    /// Whether an organisation may be chosen from a list.
    #[must_use]
    pub fn names(&self, organisation: &OrganisationId) -> bool {
        self.organisations.as_ref().is_none_or(|named| named.contains(organisation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mandate::{EventKind, GrantId, Outcome};
    use crate::storage::SearchRow;
    use proptest::prelude::*;
    use time::Duration;

    fn at(minute: i64) -> Instant {
        Instant::from_micros(0).plus(Duration::minutes(minute))
    }

    fn blind(field: &str, id: &str) -> String {
        format!("{field} {id}")
    }

    fn organisation(digit: u8) -> OrganisationId {
        OrganisationId::from_bytes([digit; 16])
    }

    fn grant(reach: Reach, slots: Slots, (from, until): (i64, i64)) -> Grant {
        Grant {
            id: GrantId::from_bytes([1; 16]),
            auditor: AuditorId::from_bytes([2; 16]),
            reach,
            slots,
            from: at(from),
            until: at(until),
            given_at: at(0),
            ends_at: at(1_000),
            revoked_at: None,
        }
    }

    fn of(digits: &[u8]) -> Reach {
        let organisations = digits.iter().map(|digit| organisation(*digit)).collect();
        Reach::Named { organisations, mandates: BTreeSet::new() }
    }

    fn entry(organisation: Option<u8>, minute: i64) -> Found {
        let organisation = organisation.map(|d| blind("organisation", self::organisation(d).as_str()));
        let search = SearchRow {
            kind: EventKind::SignedOut,
            outcome: Outcome::Done,
            code: None,
            organisation,
            aidant: None,
            mandate: None,
            usager: None,
            client: None,
            procedure: None,
        };
        Found { event_id: EventId::from_bytes([3; 16]), at: at(minute), search, index: None }
    }

    #[test]
    fn an_entry_is_seen_through_the_windows_it_lies_in_and_no_other() {
        let aid = Slots { aid: true, ..Slots::METADATA };
        let grants = [grant(of(&[1, 2]), Slots::METADATA, (0, 60)), grant(of(&[2]), aid, (30, 90))];
        let sight = Sight::through(&grants, &BTreeMap::new(), at(10), blind);
        for (organisation, minute, slots) in [
            (Some(1), 0, Some(Slots::METADATA)),
            (Some(1), 60, None),
            (Some(2), 29, Some(Slots::METADATA)),
            (Some(2), 30, Some(aid)),
            (Some(2), 89, Some(aid)),
            (Some(2), 90, None),
            (Some(3), 10, None),
            (None, 10, None),
        ] {
            assert_eq!(sight.slots(&entry(organisation, minute)), slots, "{organisation:?} at {minute}");
        }
        assert!(sight.names(&organisation(1)) && !sight.names(&organisation(3)));
    }

    #[test]
    fn everything_is_seen_within_its_period_only_and_nothing_once_the_grant_is_over() {
        let grants = [grant(Reach::Everything, Slots::METADATA, (10, 60))];
        let sight = Sight::through(&grants, &BTreeMap::new(), at(10), blind);
        assert!(sight.slots(&entry(None, 10)).is_some() && sight.slots(&entry(None, 60)).is_none());
        assert!(sight.names(&organisation(9)));
        assert!(Sight::through(&grants, &BTreeMap::new(), at(1_000), blind).windows.is_empty());
    }

    #[test]
    fn a_filter_is_narrowed_to_each_window_and_dropped_where_they_share_nothing() {
        let mandates = BTreeSet::from([MandateId::from_bytes([7; 16])]);
        let organisations = BTreeSet::from([organisation(1), organisation(2)]);
        let reach = Reach::Named { organisations, mandates };
        let sight =
            Sight::through(&[grant(reach, Slots::METADATA, (10, 60))], &BTreeMap::new(), at(20), blind);
        let wide = sight.narrow(&Filter::period(at(0), at(100)));
        assert_eq!(wide.len(), 3);
        assert!(wide.iter().all(|filter| (filter.from, filter.until) == (at(10), at(60))));
        let one = Some(blind("organisation", organisation(1).as_str()));
        let chosen = Filter { organisation: one.clone(), ..Filter::period(at(0), at(100)) };
        let narrowed = sight.narrow(&chosen);
        assert_eq!(narrowed.len(), 2, "the organisation's own window, and the mandate's");
        assert!(narrowed.iter().all(|filter| filter.organisation == one));
        assert!(sight.narrow(&Filter::period(at(60), at(100))).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_counted_is_what_is_seen_and_nothing_twice(
            grants in prop::collection::vec((0_u8..5, 0_i64..60, 1_i64..60), 1..8),
            chosen in 0_u8..3,
        ) {
            // Mandate 9 is of organisation 1.
            let mandate = MandateId::from_bytes([9; 16]);
            let homes = BTreeMap::from([(mandate.clone(), organisation(1))]);
            let grants: Vec<Grant> = grants.into_iter().map(|(reach, from, long)| {
                let reach = match reach {
                    0 => Reach::Everything,
                    1 | 2 => of(&[reach]),
                    3 => of(&[1, 2]),
                    _ => Reach::Named {
                        organisations: BTreeSet::new(), mandates: BTreeSet::from([mandate.clone()]),
                    },
                };
                grant(reach, Slots::METADATA, (from, from + long))
            }).collect();
            let sight = Sight::through(&grants, &homes, at(10), blind);
            let chosen = (chosen > 0).then(|| organisation(chosen));
            let parts = sight.disjoint(at(5), at(100), chosen.as_ref());
            for minute in 0..130 {
                for (home, of_mandate) in [(1, false), (1, true), (2, false)] {
                    let mut one = entry(Some(home), minute);
                    one.search.mandate = of_mandate.then(|| blind("mandate", mandate.as_str()));
                    let wanted = (5..100).contains(&minute)
                        && chosen.as_ref().is_none_or(|chosen| *chosen == organisation(home));
                    let counted = parts.iter().filter(|part| {
                        part.from <= at(minute) && at(minute) < part.until
                            && part.organisation.as_ref().is_none_or(|of| *of == organisation(home))
                            && (part.mandate.is_none() || of_mandate)
                    }).count();
                    prop_assert_eq!(counted, usize::from(wanted && sight.slots(&one).is_some()));
                }
            }
        }
    }
}
