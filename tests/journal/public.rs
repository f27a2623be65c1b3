//! What anybody may have of the journal, over HTTP.

use super::history::written;
use crate::support::app::TestApp;
use crate::support::database::{on_both, signer};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use porteplume::journal::{
    Checkpoint, TileId, TileKind, TileSet, inclusion_path, inclusion_tiles, leaf_hash,
};
use porteplume::storage::journal;
use porteplume::web::router;
use tower::ServiceExt as _;

/// Status, caching and body of an answer.
async fn get(app: &TestApp, path: &str) -> (u16, String, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router(app.web.clone()).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let caching = response.headers().get("cache-control").map(|value| value.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), 100_000).await.unwrap();
    (status, caching.unwrap_or_default(), body.to_vec())
}

on_both! {
    an_entry_is_proved_from_public_tiles_and_checkpoint_alone(database) {
        let (app, _) = written(database).await;
        let (status, caching, note) = get(&app, "/journal/checkpoint").await;
        assert_eq!((status, caching.contains("no-store")), (200, true));
        let note = String::from_utf8(note).unwrap();
        let checkpoint = Checkpoint::open(&note, &[signer().verifier()]).unwrap();
        assert_eq!(checkpoint.size, 305);
        let mut tiles = TileSet::default();
        for id in inclusion_tiles(42, checkpoint.size).unwrap() {
            let (status, caching, bytes) = get(&app, &format!("/journal/{}", id.path())).await;
            assert_eq!((status, caching.starts_with("public")), (200, true), "{}", id.path());
            assert!(!caching.contains("immutable"), "next year another shard stands there");
            let (_, caching, same) = get(&app, &format!("/journal/shards/0/{}", id.path())).await;
            assert_eq!((caching.contains("immutable"), &same), (id.is_full(), &bytes));
            assert!(tiles.insert(id, &bytes), "{}", id.path());
        }
        let path = inclusion_path(42, checkpoint.size, &tiles).unwrap();
        let entries = app.web.app.store.read("test", |snapshot| Box::pin(journal::entries(snapshot, 42, 1)));
        let leaf = leaf_hash(&entries.await.unwrap()[0].entry);
        porteplume::journal::verify_inclusion(42, checkpoint.size, &leaf, &path, &checkpoint.root).unwrap();
    }

    entries_are_not_public_and_what_is_not_there_is_not_found(database) {
        let (app, _) = written(database).await;
        let bundle = TileId { kind: TileKind::Entries, index: 0, width: 256 };
        for path in [
            format!("/journal/{}", bundle.path()),
            "/journal/tile/0/001".into(),
            "/journal/tile/0/001.p/50".into(),
            "/journal/tile/1/000".into(),
            "/journal/tile/0/0".into(),
            "/journal/tile/9x/000".into(),
        ] {
            assert_eq!(get(&app, &path).await.0, 404, "{path}");
        }
        assert_eq!(get(&app, "/journal/tile/0/001.p/49").await.0, 200);
        assert_eq!(get(&app, "/journal/tile/1/000.p/1").await.2.len(), 32);
    }

    the_policy_names_the_journal_and_where_it_is(database) {
        let (app, _) = written(database).await;
        let (status, _, policy) = get(&app, "/journal/policy").await;
        let policy = String::from_utf8(policy).unwrap();
        assert_eq!(status, 200);
        assert!(policy.starts_with("log porteplume.test/journal+"), "{policy}");
        assert!(policy.contains("https://mandats.example.fr/journal"), "{policy}");
    }
}
