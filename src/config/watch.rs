//! `[watch]`: from how many on the rules of the watch speak.

use super::ConfigError;
use super::reader::Section;
use super::values;
use crate::mandate::{OpeningHours, Thresholds};

/// Reads the section; what is not given is as [`Thresholds::default`] has it.
pub(super) fn read(section: &mut Section<'_>) -> Result<Thresholds, ConfigError> {
    const OPENING: &str = "write spans of hours, such as \"mon-fri 08:00-19:00, sat 09:00-12:00\"";
    const WEAK: &str = "write levels or channels, such as [\"eidas1\"]";
    let usual = Thresholds::default();
    let opening = section.optional("opening", OPENING, OpeningHours::parse)?;
    let weak = section.list("weak", WEAK, values::nonempty)?;
    let mut number = |key, default| section.number(key, 0..=1_000_000, default);
    Ok(Thresholds {
        outside_hours: number("outside_hours", usual.outside_hours)?,
        burst: number("burst", usual.burst)?,
        burst_minutes: number("burst_minutes", usual.burst_minutes)?,
        never_used_days: number("never_used_days", usual.never_used_days)?,
        used_at_once: number("used_at_once", usual.used_at_once)?,
        used_at_once_minutes: number("used_at_once_minutes", usual.used_at_once_minutes)?,
        hasty_consent_seconds: number("hasty_consent_seconds", usual.hasty_consent_seconds)?,
        shared_device: number("shared_device", usual.shared_device)?,
        most_refusals: number("most_refusals", usual.most_refusals)?,
        most_refusals_percent: number("most_refusals_percent", usual.most_refusals_percent)?,
        most_refusals_days: number("most_refusals_days", usual.most_refusals_days)?,
        weak_consents: number("weak_consents", usual.weak_consents)?,
        weak_consents_points: number("weak_consents_points", usual.weak_consents_points)?,
        weak_consents_days: number("weak_consents_days", usual.weak_consents_days)?,
        used_before_revocation: number("used_before_revocation", usual.used_before_revocation)?,
        used_before_revocation_minutes: number(
            "used_before_revocation_minutes",
            usual.used_before_revocation_minutes,
        )?,
        look_ups_alone: number("look_ups_alone", usual.look_ups_alone)?,
        look_ups_hours: number("look_ups_hours", usual.look_ups_hours)?,
        other_employer: number("other_employer", usual.other_employer)?,
        opening: opening.unwrap_or(usual.opening),
        weak: if weak.is_empty() { usual.weak } else { weak },
    })
}
