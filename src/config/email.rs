//! Whose e-mail addresses a provider speaks for: by their domain.

use url::Host;

/// The domain of an e-mail address in its ASCII form (IDNA, lower case), the one in which domains are compared. None for
/// what is no address at a domain.
#[must_use]
pub fn email_domain(address: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    if local.is_empty() || address.trim().chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    match Host::parse(domain).ok()? {
        Host::Domain(domain) if domain.contains('.') && !domain.ends_with('.') => Some(domain),
        Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_compared_in_one_form() {
        for (address, domain) in [
            ("nora@ville-exemple.fr", Some("ville-exemple.fr")),
            (" Nora@Ville-Exemple.FR ", Some("ville-exemple.fr")),
            ("nora@mairie-d-étampes.fr", Some("xn--mairie-d-tampes-jnb.fr")),
            ("nora@xn--mairie-d-tampes-jnb.fr", Some("xn--mairie-d-tampes-jnb.fr")),
            ("\"a@b\"@ville.fr", Some("ville.fr")),
            ("nora@ville-exemple.fr.", None),
            ("nora@intranet", None),
            ("nora@[::1]", None),
            ("nora@127.0.0.1", None),
            ("@ville.fr", None),
            ("nora", None),
            ("nora@", None),
            ("nora@ville .fr", None),
            ("", None),
        ] {
            assert_eq!(email_domain(address).as_deref(), domain, "{address}");
        }
    }
}
