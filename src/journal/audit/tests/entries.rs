//! Entries and leaves altered, removed, inserted, reordered.

use super::*;
use proptest::prelude::*;

#[test]
fn an_untouched_journal_is_clean_at_every_size_and_batch() {
    for (size, batch) in [(0, 1), (1, 1), (5, 2), (255, 1), (256, 256), (257, 7), (600, 300), (9_000, 9_000)]
    {
        let tables = journal(size, batch);
        let report = tables.audit();
        assert_eq!(told(&report), [], "{size}");
        assert!(report.is_clean());
        assert_eq!(report.entries, size);
        assert_eq!(report.openings, size);
        assert_eq!(report.checkpoints, tables.checkpoints.len() as u64);
    }
}

#[test]
fn an_altered_entry_is_named_alone() {
    for index in [0, 57, 255, 256, 599] {
        let mut tables = journal(600, 40);
        tables.alter_entry(index, false, false);
        let report = tables.audit();
        assert_eq!(told(&report), [(Some(index), "entry_altered")]);
        assert_eq!(report.first().unwrap().event.as_deref(), Some(tables.id(index).as_str()));
        let said = report.first().unwrap().to_string();
        assert!(said.starts_with(&format!("entry {index} (event {}): altered", tables.id(index))), "{said}");
    }
}

#[test]
fn an_entry_altered_with_its_leaf_hash_is_named_by_the_tile_or_the_signed_root() {
    for index in [0, 57, 255, 300] {
        let mut tables = journal(600, 40);
        tables.alter_entry(index, true, false);
        assert_eq!(told(&tables.audit()), [(Some(index), "entry_altered")], "{index}");
    }
    // Behind the last full tile only signed roots are left: exact when each entry has one.
    let mut tables = journal(600, 1);
    tables.alter_entry(560, true, false);
    let report = tables.audit();
    assert_eq!(told(&report), [(Some(560), "root_mismatch")]);
    assert_eq!(report.first().unwrap().event.as_deref(), Some(tables.id(560).as_str()));
}

#[test]
fn an_entry_altered_in_every_telling_is_bounded_by_the_signed_roots() {
    for (index, since) in [(0, 0), (39, 0), (40, 40), (300, 280)] {
        let mut tables = journal(600, 40);
        tables.event_at(index).openings.clear();
        tables.alter_entry(index, true, true);
        let report = tables.audit();
        assert_eq!(first(&report), (Some(since), "root_mismatch"), "{index}");
        assert_eq!(report.findings().len(), 1);
        assert_eq!(report.first().unwrap().event.as_deref(), Some(tables.id(since).as_str()));
    }
}

#[test]
fn an_altered_leaf_hash_is_named_alone() {
    for index in [0, 57, 256, 599] {
        let mut tables = journal(600, 40);
        tables.leaves.get_mut(&index).unwrap().hash[5] ^= 1;
        assert_eq!(told(&tables.audit()), [(Some(index), "leaf_hash_altered")]);
        tables.leaves.get_mut(&index).unwrap().hash.clear();
        assert_eq!(told(&tables.audit()), [(Some(index), "leaf_hash_altered")]);
    }
}

#[test]
fn a_removed_leaf_is_named_with_its_event() {
    for index in [0, 57, 255, 300] {
        let mut tables = journal(600, 40);
        let leaf = tables.leaves.remove(&index).unwrap();
        let report = tables.audit();
        assert_eq!(told(&report), [(Some(index), "entry_removed"), (Some(index), "event_without_leaf")]);
        assert_eq!(report.findings()[1].event, Some(leaf.event_id));
    }
    let mut tables = journal(600, 40);
    let leaf = tables.leaves.remove(&550).unwrap();
    tables.events.remove(&leaf.event_id);
    assert_eq!(told(&tables.audit()), [(Some(550), "entry_removed")]);
}

#[test]
fn an_entry_removed_and_papered_over_is_named() {
    for index in [0, 57, 255, 256, 300, 511] {
        let mut tables = journal(1_000, 100);
        tables.remove_and_renumber(index);
        let report = tables.audit();
        assert_eq!(first(&report), (Some(index), "entry_removed"), "{index}");
        // Beyond that only the end without tiles cannot be told any more.
        assert!(report.findings().len() <= 3, "{:?}", told(&report));
    }
    let mut tables = journal(200, 1);
    tables.remove_and_renumber(57);
    let report = tables.audit();
    assert_eq!(first(&report), (Some(57), "root_mismatch"));
}

#[test]
fn an_inserted_entry_is_named() {
    for index in [0, 57, 255, 256, 300, 511] {
        let mut tables = journal(1_000, 100);
        let forged = tables.insert_and_renumber(index);
        let report = tables.audit();
        assert_eq!(first(&report), (Some(index), "entry_inserted"), "{index}");
        assert_eq!(report.first().unwrap().event, Some(forged));
        assert!(report.findings().len() <= 3, "{:?}", told(&report));
    }
    let mut tables = journal(200, 1);
    let forged = tables.insert_and_renumber(57);
    let report = tables.audit();
    assert_eq!(first(&report), (Some(57), "root_mismatch"));
    assert_eq!(report.first().unwrap().event, Some(forged));
}

#[test]
fn an_entry_put_behind_the_end_is_named() {
    for size in [200, 256, 300] {
        let mut tables = journal(size, 7);
        let forged = tables.insert_and_renumber(size);
        let report = tables.audit();
        assert_eq!(told(&report), [(Some(size), "entries_unsigned")]);
        assert_eq!(report.first().unwrap().event, Some(forged), "{size}");
    }
    let mut tables = journal(200, 7);
    tables.insert_and_renumber(200);
    let leaf = tables.leaves.remove(&200).unwrap();
    tables.leaves.insert(1_000_000_000_000, leaf);
    assert!(!tables.audit().is_clean(), "and the audit ends");
}

#[test]
fn reordered_entries_are_named_both() {
    let mut tables = journal(600, 40);
    tables.swap_rows(57, 60);
    assert_eq!(told(&tables.audit()), [(Some(57), "entry_reordered"), (Some(60), "entry_reordered")]);

    let mut tables = journal(600, 40);
    let (one, other) = (tables.id(57), tables.id(60));
    tables.leaves.get_mut(&57).unwrap().event_id = other;
    tables.leaves.get_mut(&60).unwrap().event_id = one;
    assert_eq!(told(&tables.audit()), [(Some(57), "entry_reordered"), (Some(60), "entry_reordered")]);

    // Far apart, and where no tile tells.
    let mut tables = journal(600, 40);
    tables.swap_rows(57, 300);
    let report = tables.audit();
    assert_eq!(
        report.findings().iter().map(|finding| finding.index).collect::<Vec<_>>(),
        [Some(57), Some(300)]
    );
    let mut tables = journal(200, 1);
    tables.swap_rows(57, 60);
    assert_eq!(first(&tables.audit()), (Some(57), "root_mismatch"));
}

#[test]
fn a_journal_cut_short_is_named_from_the_last_proved_entry_on() {
    for (size, end, batch) in [(300, 290, 1), (300, 290, 10), (300, 100, 50), (600, 256, 64), (600, 0, 40)] {
        let mut tables = journal(size, batch);
        for (_, leaf) in tables.leaves.split_off(&end) {
            tables.events.remove(&leaf.event_id);
        }
        assert_eq!(told(&tables.audit()), [(Some(end), "journal_truncated")], "{size} {end}");
    }
    // Whether the last was cut off or an earlier one papered over shows only where a root was signed between them.
    let mut tables = journal(300, 40);
    tables.leaves.pop_last();
    assert_eq!(first(&tables.audit()), (Some(280), "journal_truncated"));
}

#[test]
fn several_attacks_at_once_are_each_named() {
    let mut tables = journal(600, 40);
    tables.alter_entry(10, false, false);
    tables.leaves.get_mut(&11).unwrap().hash[0] ^= 1;
    tables.tiles.get_mut(&(0, 0)).unwrap().0[32 * 12] ^= 1;
    tables.swap_rows(50, 51);
    tables.event_at(300).openings[0].1[40] ^= 1;
    assert_eq!(
        told(&tables.audit()),
        [
            (Some(10), "entry_altered"),
            (Some(11), "leaf_hash_altered"),
            (Some(50), "entry_reordered"),
            (Some(51), "entry_reordered"),
            (Some(300), "opening_altered"),
            (Some(12), "tile_altered"),
        ]
    );
}

/// One way to tamper with one entry.
fn attack() -> impl Strategy<Value = u8> {
    0u8..10
}

fn tamper(tables: &mut Tables, attack: u8, index: u64, other: u64) {
    match attack {
        0 => tables.alter_entry(index, false, false),
        1 => tables.alter_entry(index, true, false),
        2 => tables.alter_entry(index, true, true),
        3 => tables.leaves.get_mut(&index).unwrap().hash[3] ^= 1,
        4 => tables.remove_and_renumber(index),
        5 => drop(tables.leaves.remove(&index)),
        6 => drop(tables.insert_and_renumber(index)),
        7 => tables.swap_rows(index, other),
        8 => drop(tables.events.remove(&tables.id(index))),
        _ => tables.event_at(index).openings[0].1[33] ^= 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn where_every_entry_has_its_checkpoint_every_attack_names_its_entry(
        attack in attack(), size in 2u64..700, a: u64, b: u64,
    ) {
        let (index, other) = (a % size, b % size);
        prop_assume!(attack != 7 || index != other);
        let mut tables = journal(size, 1);
        tamper(&mut tables, attack, index, other);
        let index = if attack == 7 { index.min(other) } else { index };
        prop_assert_eq!(first(&tables.audit()).0, Some(index));
    }

    #[test]
    fn where_checkpoints_are_rare_every_attack_is_found_and_bounded(
        attack in attack(), size in 2u64..700, batch in 1u64..100, a: u64, b: u64,
    ) {
        let (index, other) = (a % size, b % size);
        prop_assume!(attack != 7 || index != other);
        let mut tables = journal(size, batch);
        tamper(&mut tables, attack, index, other);
        let index = if attack == 7 { index.min(other) } else { index };
        let report = tables.audit();
        let named = first(&report).0.expect("an entry is named");
        prop_assert!(named <= index && index - named < batch, "{named} for {index}: {:?}", told(&report));
    }
}
