//! What every answer tells the browser: load nothing foreign, run nothing, keep nothing.

use super::edge::Edge;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::fmt::Write as _;
use std::sync::Arc;
use url::Url;

/// Where the forms of a page may lead beside this service.
///
/// Chromium applies `form-action` to every redirect that follows a form. A form whose answer sends the browser to
/// a relying party or an identity provider must therefore say so on the page that holds it: put this into the
/// response's extensions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FormTargets {
    origins: Vec<String>,
    onward: bool,
}

impl FormTargets {
    /// The origin of that address. An address without a host adds nothing.
    #[must_use]
    pub fn to(address: &str) -> Self {
        let origin = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        let origins = origin.map(|url| url.origin().ascii_serialization()).into_iter().collect();
        Self { origins, onward: false }
    }

    /// The same, and the origin of that address.
    #[must_use]
    pub fn and_to(mut self, address: &str) -> Self {
        self.origins.extend(Self::to(address).origins);
        self
    }

    /// The same, and wherever that party sends the browser next, as FranceConnect sends it on to the
    /// service behind: any https address.
    #[must_use]
    pub fn and_onward(self) -> Self {
        Self { onward: true, ..self }
    }
}

/// The policy of a page: style and pictures of ours, forms to us and to those targets, no script at all.
fn content_security_policy(targets: &FormTargets) -> String {
    let mut policy = String::from(
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'self'",
    );
    for origin in &targets.origins {
        // Writing to a String cannot fail.
        let _ = write!(policy, " {origin}");
    }
    if targets.onward {
        policy.push_str(" https:");
    }
    policy
}

const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), \
     fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
     publickey-credentials-create=(self), publickey-credentials-get=(self), usb=(), xr-spatial-tracking=()";

/// What stands on every answer unless the handler said otherwise.
const ALWAYS: [(HeaderName, &str); 7] = [
    // Nothing rests in a shared computer's cache; what may be kept says so itself.
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Others learn nothing. Not `no-referrer`: with it browsers send `Origin: null` on our own forms, and the check
    // of a form's origin would have nothing to hold on to.
    (REFERRER_POLICY, "same-origin"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
];

pub(super) async fn layer(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let targets = response.extensions_mut().remove::<FormTargets>().unwrap_or_default();
    let policy = HeaderValue::from_str(&content_security_policy(&targets));
    let headers = response.headers_mut();
    // An origin is ASCII; should one not be, the strictest policy stands.
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if edge.issuer.is_https() {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_policy_allows_a_script_or_a_foreign_source() {
        for targets in [FormTargets::default(), FormTargets::to("https://sp.example/cb").and_onward()] {
            let policy = content_security_policy(&targets);
            assert!(policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self'; "), "{policy}");
            for word in ["script", "unsafe", "*", "data:", "http:"] {
                assert!(!policy.contains(word), "{policy}");
            }
        }
    }

    #[test]
    fn a_form_may_lead_to_the_party_it_is_meant_for_and_no_further() {
        let policy =
            |targets| content_security_policy(&targets).split("form-action ").nth(1).map(str::to_owned);
        assert_eq!(policy(FormTargets::default()).as_deref(), Some("'self'"));
        let party = FormTargets::to("https://caisse.example:8443/callback?x=1");
        assert_eq!(policy(party.clone()).as_deref(), Some("'self' https://caisse.example:8443"));
        assert_eq!(policy(party.and_onward()).as_deref(), Some("'self' https://caisse.example:8443 https:"));
        for nowhere in
            ["javascript:alert(1)", "data:text/html,x", "not an address", "https:// x; script-src *"]
        {
            assert_eq!(policy(FormTargets::to(nowhere)).as_deref(), Some("'self'"), "{nowhere}");
        }
    }
}
