//! How Porteplume is registered at one provider, in the terms of `openidconnect`.

use crate::config::{Algorithm, AuthMethod, Provider};
use crate::crypto::JwsAlg;
use openidconnect::core::CoreJwsSigningAlgorithm;
use openidconnect::url::Url;
use openidconnect::{AuthType, IssuerUrl};

/// Our registration at one provider: what the configuration says, and where that provider sends browsers back.
#[derive(Debug, Clone)]
pub(super) struct Registration {
    pub(super) provider: Provider,
    pub(super) issuer: IssuerUrl,
    pub(super) redirect_uri: Url,
}

impl Registration {
    pub(super) fn auth_type(&self) -> AuthType {
        match self.provider.auth_method {
            AuthMethod::ClientSecretPost => AuthType::RequestBody,
            AuthMethod::ClientSecretBasic => AuthType::BasicAuth,
        }
    }

    /// The accepted algorithms of ID tokens; `none` cannot be one.
    pub(super) fn algorithms(&self) -> impl Iterator<Item = CoreJwsSigningAlgorithm> {
        self.provider.algorithms.iter().map(|algorithm| match algorithm {
            Algorithm::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            Algorithm::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            Algorithm::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            Algorithm::Hs256 => CoreJwsSigningAlgorithm::HmacSha256,
        })
    }

    /// The same for signed userinfo.
    pub(super) fn userinfo_algorithms(&self) -> impl Iterator<Item = JwsAlg> {
        self.provider.algorithms.iter().filter_map(|algorithm| match algorithm {
            Algorithm::Es256 => Some(JwsAlg::Es256),
            Algorithm::Rs256 => Some(JwsAlg::Rs256),
            Algorithm::Ps256 => Some(JwsAlg::Ps256),
            Algorithm::Hs256 => None,
        })
    }

    /// Whether the level is one we accept.
    pub(super) fn accepts(&self, acr: Option<&str>) -> bool {
        let accepted = &self.provider.accepted_acr;
        accepted.is_empty() || acr.is_some_and(|acr| accepted.iter().any(|listed| listed == acr))
    }

    /// Whether these values prove that the provider asked for a second factor. A code sent by e-mail is none: it
    /// proves the mailbox (ProConnect's `eidas1-mfa` may rest on it). So levels count only when listed, and methods
    /// only when `mail` is not among them.
    pub(super) fn proves_second_factor(&self, acr: Option<&str>, amr: &[String]) -> bool {
        let level = acr.is_some_and(|acr| self.provider.second_factor_acr.iter().any(|listed| listed == acr));
        let method = amr.iter().any(|method| self.provider.second_factor_amr.contains(method));
        level || (method && !amr.iter().any(|method| method == "mail"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, UserinfoFormat};

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn registration() -> Registration {
        let issuer = "https://auth.example";
        Registration {
            provider: Provider {
                label: String::new(),
                issuer: issuer.to_owned(),
                client_id: "porteplume".to_owned(),
                client_secret: Secret::new("secret".to_owned()),
                auth_method: AuthMethod::ClientSecretPost,
                scopes: Vec::new(),
                acr_values: Vec::new(),
                accepted_acr: texts(&["eidas1", "eidas2"]),
                pkce: true,
                ui_locales: true,
                login_hint: false,
                claims: None,
                userinfo: UserinfoFormat::Json,
                algorithms: vec![Algorithm::Es256],
                second_factor_acr: texts(&["eidas2", "eidas3"]),
                second_factor_amr: texts(&["mfa"]),
            },
            issuer: IssuerUrl::new(issuer.to_owned()).unwrap(),
            redirect_uri: Url::parse("https://mandats.example/callback").unwrap(),
        }
    }

    #[test]
    fn a_code_by_e_mail_is_no_second_factor() {
        let registration = registration();
        let proves = |acr: Option<&str>, amr: &[&str]| registration.proves_second_factor(acr, &texts(amr));
        assert!(proves(Some("eidas2"), &[]));
        assert!(proves(Some("eidas3"), &["pwd", "mail"]));
        assert!(proves(Some("eidas1-mfa"), &["pwd", "otp", "mfa"]));
        assert!(!proves(Some("eidas1-mfa"), &["pwd", "mail", "otp", "mfa"]));
        assert!(!proves(Some("eidas1-mfa"), &[]));
        assert!(!proves(Some("eidas1"), &["pwd"]));
        assert!(!proves(None, &[]));
    }

    #[test]
    fn only_listed_levels_are_accepted() {
        let mut registration = registration();
        assert!(registration.accepts(Some("eidas2")));
        assert!(!registration.accepts(Some("eidas0")));
        assert!(!registration.accepts(None));
        registration.provider.accepted_acr.clear();
        assert!(registration.accepts(None));
    }
}
