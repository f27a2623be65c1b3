//! Pages for anybody.

page! {
    /// Landing page. Links: `sign-in-usager`, `sign-in-aidant`, `sign-in-auditor`, `link-verify`.
    Landing in Frame from "public/landing.html" {}
}

page! {
    /// After signing out. Link: `link-back`.
    SignedOut in Frame from "public/signed_out.html" {}
}

page! {
    /// OpenID Connect sign-out asked for by a service: nobody is signed out without saying so.
    ///
    /// Form `end-session-form` (POST `/end_session`): `csrf` and the carried fields; button
    /// `end-session-submit`; link `link-stay`.
    EndSession in Guarded from "public/end_session.html" {
        /// Name of the service that asks, when it is known.
        service: Option<String>,
        /// Parameters of the request (`id_token_hint`, `post_logout_redirect_uri`, `state` …), sent again as they came.
        carried: Vec<(String, String)>,
    }
}
