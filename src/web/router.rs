//! Every route, in one file.

use super::middleware::{Routes, compose};
use super::{
    Web, aidant, anomalies, asking, auditor, authorize, card, consent, contact, factor, history, journal,
    messages, openid, paper, propose, public, receipts, referent, timeline, usager,
};
use axum::Router;
use std::sync::Arc;

/// The whole service.
pub fn router(web: Web) -> Router {
    let edge = Arc::clone(&web.edge);
    let routes = Routes {
        pages: public::routes(&edge)
            .merge(factor::routes(&edge))
            .merge(asking::routes(&edge))
            .merge(card::routes(&edge))
            .merge(paper::routes(&edge))
            .merge(aidant::routes())
            .merge(propose::routes())
            .merge(consent::routes(&edge))
            .merge(authorize::pages(&edge))
            .merge(openid::pages())
            .merge(journal::routes())
            .merge(anomalies::routes())
            .merge(auditor::routes())
            .merge(contact::routes())
            .merge(receipts::routes())
            .merge(usager::routes())
            .merge(timeline::routes())
            .merge(history::routes())
            .merge(referent::routes()),
        uploads: asking::uploads(&edge),
        doors: authorize::doors(&edge).merge(openid::doors()),
        protocol: openid::protocol(&web).merge(messages::protocol()),
    };
    let app = Arc::clone(&web.app);
    compose(&edge, web, routes, move || {
        let app = Arc::clone(&app);
        async move { crate::service::health::is_ready(&app).await }
    })
}
