//! Each rule at its threshold, below it, and switched off.

use super::*;

const NOON: i64 = 1_795_431_600; // Monday 23 November 2026, 12:00 in Paris.

fn at(seconds: i64) -> Instant {
    Instant::from_micros((NOON + seconds) * 1_000_000)
}

fn traces(seconds: impl IntoIterator<Item = i64>) -> Vec<Trace> {
    let trace = |(number, second): (usize, i64)| Trace {
        event: EventId::from_bytes([u8::try_from(number).unwrap(); 16]),
        at: at(second),
        usager: None,
    };
    seconds.into_iter().enumerate().map(trace).collect()
}

fn few() -> Thresholds {
    Thresholds {
        opening: OpeningHours::parse("mon-fri 08:00-18:00").unwrap(),
        outside_hours: 2,
        burst: 3,
        burst_minutes: 10,
        never_used_days: 60,
        used_at_once: 3,
        used_at_once_minutes: 2,
        hasty_consent_seconds: 20,
        shared_device: 4,
        most_refusals: 5,
        most_refusals_percent: 60,
        most_refusals_days: 30,
        weak: vec!["eidas1".into()],
        weak_consents: 10,
        weak_consents_points: 30,
        weak_consents_days: 30,
        used_before_revocation: 1,
        used_before_revocation_minutes: 30,
        look_ups_alone: 2,
        look_ups_hours: 24,
        other_employer: 2,
    }
}

fn off() -> Thresholds {
    Thresholds {
        outside_hours: 0,
        burst: 0,
        never_used_days: 0,
        used_at_once: 0,
        hasty_consent_seconds: 0,
        shared_device: 0,
        most_refusals: 0,
        weak_consents: 0,
        used_before_revocation: 0,
        look_ups_alone: 0,
        other_employer: 0,
        ..few()
    }
}

#[test]
fn the_day_these_tests_play_on_is_a_monday_at_noon() {
    assert_eq!(paris(at(0)).to_string(), "2026-11-23 12:00:00.0 +01:00:00");
}

#[test]
fn rules_read_back_by_their_names() {
    for rule in Rule::ALL {
        assert_eq!(Rule::parse(rule.as_str()), Some(*rule));
    }
    assert_eq!(Rule::parse("none"), None);
}

#[test]
fn two_representations_in_the_evening_of_one_day_are_outside_hours_and_one_is_not() {
    let (evening, hour) = (7 * 3600, 3600);
    let uses = traces([0, evening, evening + hour]);
    let found = few().outside_hours(&uses, at(evening + hour)).unwrap();
    assert_eq!((found.rule, found.measured, found.threshold), (Rule::OutsideHours, 2, 2));
    assert_eq!(found.entries, [uses[1].event.clone(), uses[2].event.clone()]);
    assert_eq!(few().outside_hours(&uses[..2], at(evening)), None, "one only");
    let two_days = traces([evening, evening + 24 * hour]);
    assert_eq!(few().outside_hours(&two_days, at(evening + 24 * hour)), None, "one each day");
    assert_eq!(off().outside_hours(&uses, at(evening)), None);
}

#[test]
fn three_representations_within_ten_minutes_are_a_burst_and_a_minute_more_is_none() {
    let found = few().burst(&traces([1, 300, 600]), at(600)).unwrap();
    assert_eq!((found.measured, found.span, found.entries.len()), (3, 10, 3));
    assert_eq!(few().burst(&traces([0, 300, 600]), at(600)), None, "the first is ten minutes old");
    assert_eq!(few().burst(&traces([1, 600]), at(600)), None);
    assert_eq!(few().burst(&traces([1, 300, 601]), at(600)), None, "what comes later does not count");
    assert_eq!(off().burst(&traces([1, 300, 600]), at(600)), None);
}

#[test]
fn a_mandate_unused_for_sixty_days_is_told_and_for_a_second_less_is_not() {
    let days = 60 * 86_400;
    assert_eq!(few().never_used(at(0), at(days), false).unwrap().measured, 60);
    assert_eq!(few().never_used(at(0), at(days - 1), false), None);
    assert_eq!(few().never_used(at(0), at(days), true), None);
    assert_eq!(off().never_used(at(0), at(days), false), None);
}

#[test]
fn three_mandates_in_a_row_used_within_two_minutes_are_told_and_one_slower_in_between_clears() {
    let waited = |seconds: i64| (at(0), at(seconds));
    let fast = [waited(120), waited(5), waited(0)];
    assert_eq!(few().used_at_once(&fast).unwrap().measured, 3);
    assert_eq!(few().used_at_once(&fast[..2]), None);
    assert_eq!(few().used_at_once(&[waited(5), waited(121), waited(5), waited(5)]), None);
    assert_eq!(off().used_at_once(&fast), None);
}

#[test]
fn a_consent_after_nineteen_seconds_is_hasty_and_after_twenty_is_not() {
    let consent = traces([19]).remove(0);
    let found = few().hasty_consent(at(0), &consent).unwrap();
    assert_eq!((found.measured, found.threshold), (19, 20));
    assert_eq!(found.entries, std::slice::from_ref(&consent.event));
    assert_eq!(few().hasty_consent(at(-1), &consent), None);
    assert_eq!(off().hasty_consent(at(0), &consent), None);
}

#[test]
fn four_usagers_on_one_device_are_told_and_three_are_not() {
    assert_eq!(few().shared_device(4).unwrap().measured, 4);
    assert_eq!(few().shared_device(3), None);
    assert_eq!(off().shared_device(4), None);
}

#[test]
fn five_refusals_that_are_sixty_percent_are_told_unless_the_aidant_works_alone() {
    assert_eq!(few().most_refusals(6, 10, false).unwrap().measured, 6);
    assert_eq!(few().most_refusals(5, 9, false), None, "55 percent");
    assert_eq!(few().most_refusals(4, 4, false), None, "too few");
    assert_eq!(few().most_refusals(6, 10, true), None, "nobody to compare with");
    assert_eq!(off().most_refusals(6, 10, false), None);
}

#[test]
fn weak_consents_are_told_from_thirty_points_over_the_others_on() {
    let share = |weak, all| Share { weak, all };
    assert_eq!(few().weak_consents(share(8, 10), share(5, 10)).unwrap().measured, 30);
    assert_eq!(few().weak_consents(share(8, 10), share(51, 100)), None, "29 points");
    assert_eq!(few().weak_consents(share(9, 9), share(0, 10)), None, "too few");
    assert_eq!(few().weak_consents(share(10, 10), share(10, 10)), None, "everybody does");
    assert_eq!(few().weak_consents(share(10, 10), share(0, 0)), None, "no norm");
    assert_eq!(off().weak_consents(share(8, 10), share(5, 10)), None);
}

#[test]
fn a_use_within_half_an_hour_before_the_revocation_is_told_and_an_earlier_or_later_one_is_not() {
    let half = 30 * 60;
    assert_eq!(few().used_before_revocation(&traces([0]), at(half)).unwrap().measured, 1);
    assert_eq!(few().used_before_revocation(&traces([-1]), at(half)), None);
    assert_eq!(few().used_before_revocation(&traces([half + 1]), at(half)), None);
    assert_eq!(off().used_before_revocation(&traces([0]), at(half)), None);
}

#[test]
fn a_look_up_is_followed_by_an_act_for_the_same_person_within_a_day() {
    let whom = |traces: Vec<Trace>, whom: &str| -> Vec<Trace> {
        traces.into_iter().map(|trace| Trace { usager: Some(whom.into()), ..trace }).collect()
    };
    let day = 86_400;
    let look_ups = whom(traces([0, 60]), "a");
    assert_eq!(few().look_ups_alone(&look_ups, &[]).unwrap().measured, 2);
    assert_eq!(few().look_ups_alone(&look_ups[..1], &[]), None);
    assert_eq!(few().look_ups_alone(&look_ups, &whom(traces([day]), "a")), None, "the first was followed");
    assert!(few().look_ups_alone(&look_ups, &whom(traces([day]), "b")).is_some(), "for somebody else");
    assert!(few().look_ups_alone(&look_ups, &whom(traces([day + 61]), "a")).is_some(), "too late");
    assert!(few().look_ups_alone(&look_ups, &whom(traces([-1]), "a")).is_some(), "before");
    assert_eq!(
        few().look_ups_alone(&traces([0, 60]), &whom(traces([90]), "a")),
        None,
        "nobody was found: any act"
    );
    assert_eq!(off().look_ups_alone(&look_ups, &[]), None);
}

#[test]
fn sign_ins_under_another_employer_count_from_the_threshold_on() {
    let sign_ins = traces([0, 60]);
    assert_eq!(few().other_employer(&sign_ins[..1]), None);
    let found = few().other_employer(&sign_ins).unwrap();
    assert_eq!((found.rule, found.measured, found.entries.len()), (Rule::OtherEmployer, 2, 2));
    assert_eq!(off().other_employer(&sign_ins), None);
}
