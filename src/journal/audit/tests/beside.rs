//! What stands beside the entries altered: events, openings, tiles, checkpoints; and whole journals exchanged.

use super::*;

#[test]
fn a_missing_event_is_named() {
    let mut tables = journal(300, 40);
    for index in [57, 290] {
        let id = tables.id(index);
        tables.events.remove(&id);
    }
    assert_eq!(told(&tables.audit()), [(Some(57), "event_missing"), (Some(290), "event_missing")]);
}

#[test]
fn an_event_smuggled_in_without_leaf_is_named() {
    let mut tables = journal(300, 40);
    let (id, event) = event(999_999);
    tables.events.insert(id.clone(), event);
    let report = tables.audit();
    assert_eq!(told(&report), [(None, "event_without_leaf")]);
    assert_eq!(report.first().unwrap().event, Some(id));
}

#[test]
fn altered_columns_beside_the_entry_are_named() {
    let mut tables = journal(300, 40);
    tables.event_at(1).tag = "00".repeat(16);
    tables.event_at(2).at = Instant::from_micros(0);
    let event = tables.events.remove(&tables.id(3)).unwrap();
    tables.events.insert("ff".repeat(16), event);
    tables.leaves.get_mut(&3).unwrap().event_id = "ff".repeat(16);
    let report = tables.audit();
    assert_eq!(told(&report), [1, 2, 3].map(|index| (Some(index), "column_altered")));
}

#[test]
fn a_tag_that_stands_twice_is_named() {
    let mut audit = Audit::new(AuditTerms { keys: vec![], known: vec![], extent: Extent::default() });
    audit.duplicate_tag("0192", 2);
    let report = audit.finish();
    assert_eq!(report.first().unwrap().to_string(), "event 0192: inserted: 2 events carry its tag");
}

#[test]
fn altered_openings_are_named_and_erased_ones_are_not() {
    let mut tables = journal(300, 40);
    tables.event_at(57).openings[0].1[40] ^= 1;
    tables.event_at(58).openings[0].1.truncate(3);
    tables.event_at(59).openings[0].1.clear();
    tables.event_at(60).openings.clear();
    tables.event_at(61).openings[0].0 = Slot::Sub;
    let report = tables.audit();
    assert_eq!(
        told(&report),
        [(Some(57), "opening_altered"), (Some(58), "opening_unreadable"), (Some(61), "opening_altered")]
    );
    assert_eq!((report.erased, report.openings), (1, 295));
}

#[test]
fn tiles_altered_removed_or_smuggled_in_are_named() {
    let mut tables = journal(66_000, 1_000);
    assert!(tables.audit().is_clean());
    tables.tiles.get_mut(&(0, 3)).unwrap().0[32 * 7] ^= 1;
    tables.tiles.get_mut(&(0, 4)).unwrap().1[0] ^= 1;
    tables.tiles.remove(&(0, 5));
    tables.tiles.get_mut(&(1, 0)).unwrap().0[32 * 9] ^= 1;
    let copy = tables.tiles[&(0, 6)].clone();
    tables.tiles.insert((5, 5), copy);
    assert_eq!(
        told(&tables.audit()),
        [
            (Some(3 * 256 + 7), "tile_altered"),
            (Some(4 * 256), "tile_altered"),
            (Some(5 * 256), "tile_missing"),
            (Some(9 * 256), "tile_altered"),
            (None, "stray_rows"),
        ]
    );
}

#[test]
fn altered_checkpoints_are_named_and_the_others_still_hold() {
    let mut tables = journal(300, 40);
    tables.checkpoints.get_mut(&40).unwrap().0[0] ^= 1;
    let note = tables.checkpoints[&80].1.replacen("\n80\n", "\n81\n", 1);
    tables.checkpoints.get_mut(&80).unwrap().1 = note;
    let older = tables.checkpoints[&40].1.clone();
    tables.checkpoints.get_mut(&120).unwrap().1 = older;
    tables.checkpoints.get_mut(&160).unwrap().1 = "nothing".into();
    let report = tables.audit();
    assert_eq!(
        told(&report),
        [
            (Some(39), "checkpoint_altered"),
            (Some(79), "checkpoint_broken"),
            (Some(119), "checkpoint_altered"),
            (Some(159), "checkpoint_broken"),
        ]
    );
    assert_eq!(report.checkpoints, 6);
}

#[test]
fn a_checkpoint_signed_by_another_key_does_not_count() {
    let mut tables = journal(10, 10);
    let root = Hash::from_slice(&tables.checkpoints[&10].0).unwrap();
    let forged = Checkpoint { origin: ORIGIN.into(), size: 10, root }.sign(&key(2)).unwrap();
    tables.checkpoints.get_mut(&10).unwrap().1 = forged;
    assert_eq!(told(&tables.audit()), [(Some(9), "checkpoint_broken"), (Some(0), "entries_unsigned")]);
}

#[test]
fn removed_checkpoints_at_the_end_leave_entries_unsigned() {
    let mut tables = journal(300, 40);
    tables.checkpoints.pop_last();
    tables.checkpoints.pop_last();
    let report = tables.audit();
    assert_eq!(told(&report), [(Some(240), "entries_unsigned")]);
    assert_eq!(report.first().unwrap().event, Some(tables.id(240)));
    tables.checkpoints.clear();
    assert_eq!(told(&tables.audit()), [(Some(0), "entries_unsigned")]);
}

#[test]
fn a_checkpoint_taken_from_between_others_is_missed() {
    let mut tables = journal(300, 40);
    tables.checkpoints.remove(&120);
    assert_eq!(told(&tables.audit()), [(Some(159), "checkpoint_removed")]);
    let mut tables = journal(300, 40);
    tables.checkpoints.remove(&40);
    tables.checkpoints.get_mut(&80).unwrap().2 = None;
    assert_eq!(told(&tables.audit()), [(Some(119), "checkpoint_unlinked")], "the chain does not begin there");
    let mut tables = journal(300, 40);
    let link = tables.checkpoints[&80].2.clone();
    tables.checkpoints.get_mut(&200).unwrap().2 = link;
    tables.checkpoints.get_mut(&240).unwrap().2 = None;
    tables.checkpoints.get_mut(&280).unwrap().2 = Some("nothing".into());
    assert_eq!(told(&tables.audit()), [199, 239, 279].map(|at| (Some(at), "checkpoint_unlinked")));
    tables.checkpoints.values_mut().for_each(|row| row.2 = None);
    assert_eq!(told(&tables.audit()), [(None, "checkpoint_unlinked")], "the newest has one");
}

#[test]
fn checkpoints_from_before_there_were_links_need_none() {
    let mut tables = journal(300, 40);
    for size in [40, 80, 120] {
        tables.checkpoints.get_mut(&size).unwrap().2 = None;
    }
    let root = Hash::from_slice(&tables.checkpoints[&160].0).unwrap();
    tables.checkpoints.insert(160, sign(0, 160, root));
    assert_eq!(told(&tables.audit()), []);
}

#[test]
fn a_journal_cut_short_with_its_checkpoints_is_found_by_one_known_from_outside() {
    let mut tables = journal(300, 40);
    let (root, ..) = tables.checkpoints[&300].clone();
    let known = Checkpoint { origin: ORIGIN.into(), size: 300, root: Hash::from_slice(&root).unwrap() };
    assert!(tables.audit_knowing(vec![known.clone()]).is_clean());
    for (_, leaf) in tables.leaves.split_off(&280) {
        tables.events.remove(&leaf.event_id);
    }
    tables.checkpoints.pop_last();
    assert!(tables.audit().is_clean(), "from inside nothing shows");
    assert_eq!(told(&tables.audit_knowing(vec![known])), [(Some(280), "journal_rolled_back")]);
}

#[test]
fn a_journal_rewritten_and_signed_anew_is_found_by_a_checkpoint_known_from_outside() {
    let honest = journal(300, 40);
    let root = Hash::from_slice(&honest.checkpoints[&80].0).unwrap();
    let known = Checkpoint { origin: ORIGIN.into(), size: 80, root };
    let mut forged = Tables::default();
    let mut tree = Frontier::default();
    for index in 0..300 {
        let (event_id, event) = event(if index == 50 { 999_999 } else { index });
        let hash = leaf_hash(&event.entry);
        forged.events.insert(event_id.clone(), event);
        forged.leaves.insert(index, Leaf { event_id, hash: hash.as_bytes().to_vec() });
        for tile in tree.append(hash) {
            let root = tile.root.as_bytes().to_vec();
            forged.tiles.insert((tile.level, tile.index), (tile.to_bytes(), root));
        }
    }
    forged.checkpoints.insert(300, sign(0, 300, tree.root()));
    assert!(forged.audit().is_clean());
    let report = forged.audit_knowing(vec![known]);
    assert_eq!(first(&report).1, "journal_forked");
}

#[test]
fn an_audit_given_no_rows_says_so() {
    let tables = journal(10, 10);
    let extent = Extent {
        leaves_end: 10,
        newest_note: tables.checkpoints.get(&10).map(|(_, note, _)| note.clone()),
        leaves: 10,
        tiles: 0,
        checkpoints: 1,
    };
    let keys = vec![Vkey::new(ORIGIN, key(1).public_key()).unwrap()];
    let audit = Audit::new(AuditTerms { keys, known: vec![], extent });
    assert_eq!(first(&audit.finish()), (Some(0), "not_read"));
}
