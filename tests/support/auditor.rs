//! Auditors, as they are after their first sign-in. Shared with the benches.

use porteplume::clock::random;
use porteplume::crypto::to_hex;
use porteplume::mandate::{
    AuditorId, EventKind, GrantId, Instant, ProfessionalIdentity, Reach, Slots, Standing,
};
use porteplume::service::audit::grants::{self, Given};
use porteplume::service::people::{self, Holder};
use porteplume::service::{App, Caller, Error, Record};
use porteplume::storage::auditors::{self, AuditorRow};
use std::sync::Arc;
use time::Duration;

/// A registered auditor.
pub(crate) async fn registered(app: &App) -> AuditorId {
    let id = AuditorId::from_bytes(app.new_id().unwrap());
    let (app_, id_, now) = (Arc::clone(app), id.clone(), app.now());
    app.include("test.auditor", move |tx| {
        let (app, id) = (Arc::clone(&app_), id_.clone());
        Box::pin(async move {
            let record = Record::done(EventKind::AuditorAdded).auditor(&id);
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            let unique = to_hex(&random::<16>(&*app.entropy)?);
            let identity = ProfessionalIdentity {
                given_name: "Léa".to_owned(),
                family_name: "Roux".to_owned(),
                email: "lea@audit.example".to_owned(),
            };
            let holder = Holder::Auditor(id.as_str());
            let (identity_sealed, identity_key) = people::seal(&app, tx, holder, &identity, now).await?;
            let row = AuditorRow {
                id,
                standing: Standing::Active,
                email_blind: unique.clone(),
                identity_sealed,
                identity_key,
                subject: Some(("https://agents.test".to_owned(), unique)),
                invited_at: now,
                invite_expires_at: now,
                activated_at: Some(now),
                version: 1,
            };
            Ok::<_, Error>(auditors::insert(tx, &row, &event).await?)
        })
    })
    .await
    .unwrap();
    id
}

/// What gives them this much to read for a while.
pub(crate) async fn given(app: &App, auditor: &AuditorId, reach: Reach, slots: Slots) -> GrantId {
    let given = Given {
        reach,
        slots,
        from: Instant::from_micros(0),
        until: Instant::from_micros(2_000_000_000_000_000),
        ends_at: app.now().plus(Duration::days(30)),
    };
    grants::give(app, auditor, given).await.unwrap()
}
