//! The schema: same on both engines, every statement fits it.

use crate::support::database::on_both;

on_both! {
    every_statement_can_be_prepared(database) {
        let store = database.store().await;
        let prepared = store.prepare_all().await.unwrap();
        assert!(prepared > 100, "{prepared}");
    }
}
