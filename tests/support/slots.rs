//! What entries name, against what their kinds declare.

use super::database::TestDatabase;
use porteplume::mandate::EventKind;
use sqlx::Row as _;

/// Demands that every entry written fills the slots its kind declares, and no others. Where persons were erased, a slot
/// that named one of them is empty.
pub(crate) async fn fit(database: &TestDatabase) {
    let mut raw = database.raw().await;
    let text = "SELECT kind, \
        CAST((SELECT COUNT(*) FROM opening WHERE opening.event_id = event_search.event_id AND slot = 'sub') AS BIGINT) AS sub, \
        CAST((SELECT COUNT(*) FROM opening WHERE opening.event_id = event_search.event_id AND slot = 'aid') AS BIGINT) AS aid, \
        CAST((SELECT COUNT(*) FROM opening WHERE opening.event_id = event_search.event_id AND slot IN ('act', 'ctx')) AS BIGINT) \
        AS rest FROM event_search";
    let rows = sqlx::query(text).fetch_all(&mut raw).await.expect("the entries");
    let erased = rows.iter().any(|row| row.get::<String, _>("kind") == EventKind::PersonErased.as_str());
    for row in rows {
        let kind = EventKind::parse(row.get("kind")).expect("a kind of the catalogue");
        let told = |slot: &str| row.get::<i64, _>(slot) == 1;
        let (usager, professional) = (kind.names_usager(), kind.names_professional());
        assert!(usager.allows(told("sub")) || erased && !told("sub"), "{kind:?} and the usager");
        assert!(professional.allows(told("aid")), "{kind:?} and the aidant or auditor");
        // Of what an erased person did by themselves, where is gone.
        let alone = erased && !told("sub") && !told("aid");
        let rest = row.get::<i64, _>("rest");
        assert!(rest == 2 || rest == 1 && alone, "{kind:?} tells what happened, and where");
    }
}
