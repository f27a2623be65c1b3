//! From claims to the identities that mandates rest on.

use super::SignedIn;
use crate::mandate::{BirthDate, Identity, ProfessionalIdentity};
use thiserror::Error;

/// The longest name, in characters (FranceConnect's limit on identity claims).
const LONGEST_NAME: usize = 256;
/// The longest e-mail address (RFC 5321, 4.5.3.1.3).
const LONGEST_EMAIL: usize = 254;

/// A claim is missing or is not what it should be; nothing of its value is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the claim {0} is missing or malformed")]
pub struct MissingClaim(pub &'static str);

impl MissingClaim {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "claim_missing"
    }
}

impl SignedIn {
    /// The pivot identity of a usager, as received: names are neither trimmed nor normalised, since they are
    /// replayed to FranceConnect, which looks them up in the civil register (contract `franceconnect.md`, 1.5).
    /// FranceConnect completes partial dates in `birthdate`; `idp_birthdate` holds the true one and is preferred.
    ///
    /// # Errors
    /// [`MissingClaim`] naming the first claim that does not serve.
    pub fn pivot_identity(&self) -> Result<Identity, MissingClaim> {
        let birthcountry = self.place("birthcountry").ok_or(MissingClaim("birthcountry"))?;
        let birthplace = match self.text("birthplace") {
            None if birthcountry != FRANCE => String::new(),
            _ => self.place("birthplace").ok_or(MissingClaim("birthplace"))?,
        };
        let birthdate = self.text("idp_birthdate").or_else(|| self.text("birthdate"));
        let birthdate = birthdate.and_then(|date| BirthDate::parse(date).ok());
        let gender = self.text("gender").filter(|g| matches!(*g, "male" | "female" | "unspecified"));
        Ok(Identity {
            given_name: self.name("given_name").ok_or(MissingClaim("given_name"))?,
            family_name: self.name("family_name").ok_or(MissingClaim("family_name"))?,
            preferred_username: match self.text("preferred_username") {
                None => None,
                Some(_) => Some(self.name("preferred_username").ok_or(MissingClaim("preferred_username"))?),
            },
            gender: gender.ok_or(MissingClaim("gender"))?.to_owned(),
            birthdate: birthdate.ok_or(MissingClaim("birthdate"))?,
            birthplace,
            birthcountry,
            email: match &self.email {
                None => None,
                Some(_) => Some(self.address()?),
            },
        })
    }

    /// The identity of a professional. ProConnect calls the name in use `usual_name`; others, `family_name`.
    ///
    /// # Errors
    /// [`MissingClaim`] naming the first claim that does not serve.
    pub fn professional_identity(&self) -> Result<ProfessionalIdentity, MissingClaim> {
        let family_name = if self.text("usual_name").is_some() { "usual_name" } else { "family_name" };
        Ok(ProfessionalIdentity {
            given_name: self.name("given_name").ok_or(MissingClaim("given_name"))?,
            family_name: self.name(family_name).ok_or(MissingClaim(family_name))?,
            email: self.address()?,
        })
    }

    /// The establishment the provider says a professional works for: a SIRET, 14 digits. An assertion to compare, and never an
    /// authorisation: it can be the provider's usual value (contract `franceconnect.md`, section 3).
    #[must_use]
    pub fn siret(&self) -> Option<&str> {
        self.text("siret").filter(|siret| siret.len() == 14 && siret.bytes().all(|b| b.is_ascii_digit()))
    }

    fn name(&self, claim: &str) -> Option<String> {
        let name = self.text(claim)?;
        let fits = name.chars().count() <= LONGEST_NAME && !name.chars().any(misleads);
        (fits && !name.trim().is_empty()).then(|| name.to_owned())
    }

    /// A code of the Code officiel géographique: a town or a country.
    fn place(&self, claim: &str) -> Option<String> {
        let code = self.text(claim)?;
        let (department, number) = code.split_at_checked(2)?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let fits = matches!(department, "2A" | "2B") || digits(department);
        (fits && number.len() == 3 && digits(number)).then(|| code.to_owned())
    }

    fn address(&self) -> Result<String, MissingClaim> {
        let email = self.email.as_deref().ok_or(MissingClaim("email"))?;
        let (local, domain) = email.rsplit_once('@').ok_or(MissingClaim("email"))?;
        let sound = email.len() <= LONGEST_EMAIL && !email.chars().any(|c| c.is_whitespace() || misleads(c));
        if sound && !local.is_empty() && !domain.is_empty() {
            Ok(email.to_owned())
        } else {
            Err(MissingClaim("email"))
        }
    }
}

/// Country code of France.
const FRANCE: &str = "99100";

/// Whether the character breaks lines or reorders the text around it: on a page, a mandate or a log it would make a
/// name look like something else. Joiners that scripts need (U+200C, U+200D) pass.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretString;
    use serde_json::{Value, json};

    fn signed_in(claims: Value) -> SignedIn {
        let Value::Object(claims) = claims else { panic!("an object") };
        let mut signed_in = SignedIn {
            issuer: "https://example".into(),
            subject: "a".into(),
            acr: None,
            amr: Vec::new(),
            auth_time: None,
            email: None,
            email_verified: None,
            id_token: SecretString::new(String::new()),
            access_token: SecretString::new(String::new()),
            claims: serde_json::Map::new(),
            second_factor: false,
        };
        signed_in.complete_with(claims);
        signed_in
    }

    fn pivot() -> Value {
        json!({
            "given_name": "Anne-Marie Zoé", "family_name": "D’Aubigné", "gender": "female",
            "birthdate": "1962-01-01", "idp_birthdate": "1962-00-00",
            "birthplace": "2A004", "birthcountry": "99100", "email": "a@example.org"
        })
    }

    fn with(claim: &str, value: Value) -> Option<MissingClaim> {
        let mut claims = pivot();
        claims[claim] = value;
        signed_in(claims).pivot_identity().err()
    }

    #[test]
    fn the_pivot_identity_is_kept_as_first_received() {
        let identity = signed_in(pivot()).pivot_identity().ok().unwrap();
        assert_eq!(identity.given_name, "Anne-Marie Zoé");
        assert_eq!(identity.family_name, "D’Aubigné");
        assert_eq!(identity.birthdate.to_string(), "1962-00-00");
        assert_eq!(identity.birthplace, "2A004");
        assert_eq!(identity.preferred_username, None);
        // Decomposed accents stay decomposed, other scripts stay, 256 characters pass.
        for name in ["Zoe\u{301}", "Мария Ивановна", "فاطمه\u{200C}زهرا", "ナツキ", &"é".repeat(256)]
        {
            let mut claims = pivot();
            claims["given_name"] = json!(name);
            assert_eq!(signed_in(claims).pivot_identity().ok().unwrap().given_name, name);
        }
    }

    #[test]
    fn a_claim_that_does_not_serve_is_named() {
        for bad in [
            json!(null),
            json!(""),
            json!(" "),
            json!(7),
            json!("a\u{0}b"),
            json!("a\nb"),
            json!("a\u{202E}b"),
        ] {
            assert_eq!(with("given_name", bad.clone()), Some(MissingClaim("given_name")), "{bad}");
        }
        assert_eq!(with("family_name", json!("é".repeat(257))), Some(MissingClaim("family_name")));
        assert_eq!(with("gender", json!("F")), Some(MissingClaim("gender")));
        assert_eq!(with("idp_birthdate", json!("1962")), Some(MissingClaim("birthdate")));
        assert_eq!(with("email", json!("nobody")), Some(MissingClaim("email")));
        assert_eq!(with("email", json!(null)), None);
    }

    #[test]
    fn a_town_is_demanded_only_of_those_born_in_france() {
        assert_eq!(with("birthplace", json!("")), Some(MissingClaim("birthplace")));
        for bad in ["2C004", "7505", "75056 ", "é5056", "99100x"] {
            assert_eq!(with("birthplace", json!(bad)), Some(MissingClaim("birthplace")), "{bad}");
        }
        let mut abroad = pivot();
        abroad["birthcountry"] = json!("99350");
        abroad["birthplace"] = json!(null);
        assert_eq!(signed_in(abroad).pivot_identity().ok().unwrap().birthplace, "");
    }

    #[test]
    fn a_professional_is_known_by_usual_name_or_family_name() {
        let proconnect = json!({"given_name": "Nora", "usual_name": "Le Goff", "email": "n@example.org"});
        assert_eq!(signed_in(proconnect).professional_identity().ok().unwrap().family_name, "Le Goff");
        let other = json!({"given_name": "Nora", "family_name": "Le Goff", "email": "n@example.org"});
        assert_eq!(signed_in(other).professional_identity().ok().unwrap().family_name, "Le Goff");
        let silent = json!({"given_name": "Nora", "family_name": "Le Goff"});
        assert_eq!(signed_in(silent).professional_identity().err(), Some(MissingClaim("email")));
    }
}
