//! What an auditor's grants let them see: windows on the journal, each of one organisation, one mandate or everything.

use crate::mandate::{AuditorId, Grant, Instant, OrganisationId, Reach, Slots};
use crate::service::{App, Error, SessionError};
use crate::storage::search::{Filter, Found};
use crate::storage::{Snapshot, audit_grants};
use std::collections::BTreeSet;

/// One window: entries of an organisation or a mandate (as blind indexes; of everything without either), of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    organisation: Option<String>,
    mandate: Option<String>,
    from: Instant,
    until: Instant,
    slots: Slots,
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

/// All that an auditor may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    windows: Vec<Window>,
    /// The organisations named; none when everything is seen.
    organisations: Option<BTreeSet<OrganisationId>>,
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
        let index = app.keys.index();
        let grants: Vec<Grant> = grants.into_iter().map(|row| row.grant).collect();
        let sight = Self::through(&grants, now, |field, id| index.blind(field, &[id]));
        if sight.windows.is_empty() { Err(SessionError::GrantNeeded.into()) } else { Ok(sight) }
    }

    fn through(grants: &[Grant], now: Instant, blind: impl Fn(&str, &str) -> String) -> Self {
        let mut sight = Self { windows: Vec::new(), organisations: Some(BTreeSet::new()) };
        for grant in grants.iter().filter(|grant| grant.stands(now)) {
            let window = |organisation, mandate| Window {
                organisation,
                mandate,
                from: grant.from,
                until: grant.until,
                slots: grant.slots,
            };
            match &grant.reach {
                Reach::Everything => {
                    sight.organisations = None;
                    sight.windows.push(window(None, None));
                }
                Reach::Named { organisations, mandates } => {
                    for id in organisations {
                        sight.windows.push(window(Some(blind("organisation", id.as_str())), None));
                    }
                    for id in mandates {
                        sight.windows.push(window(None, Some(blind("mandate", id.as_str()))));
                    }
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
        shown.reduce(Slots::and)
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
    use crate::mandate::{EventId, EventKind, GrantId, MandateId, Outcome};
    use crate::storage::SearchRow;
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
        let sight = Sight::through(&grants, at(10), blind);
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
        let sight = Sight::through(&grants, at(10), blind);
        assert!(sight.slots(&entry(None, 10)).is_some() && sight.slots(&entry(None, 60)).is_none());
        assert!(sight.names(&organisation(9)));
        assert!(Sight::through(&grants, at(1_000), blind).windows.is_empty());
    }

    #[test]
    fn a_filter_is_narrowed_to_each_window_and_dropped_where_they_share_nothing() {
        let mandates = BTreeSet::from([MandateId::from_bytes([7; 16])]);
        let organisations = BTreeSet::from([organisation(1), organisation(2)]);
        let reach = Reach::Named { organisations, mandates };
        let sight = Sight::through(&[grant(reach, Slots::METADATA, (10, 60))], at(20), blind);
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
}
