//! Every route, in one file.

use super::middleware::{Routes, compose};
use super::{Web, factor, public};
use axum::Router;
use std::sync::Arc;

/// The whole service.
pub fn router(web: Web) -> Router {
    let edge = Arc::clone(&web.edge);
    let routes = Routes {
        pages: public::routes(&edge).merge(factor::routes(&edge)),
        doors: Router::new(),
        protocol: Router::new(),
    };
    let app = Arc::clone(&web.app);
    compose(&edge, web, routes, move || {
        let app = Arc::clone(&app);
        async move { crate::service::read::is_ready(&app).await }
    })
}
