//! What a client may learn about the usager, and the scopes that ask for it.
//!
//! One scope per claim, as FranceConnect and ProConnect have it. The standard's `profile` is not among them: whoever
//! lists a scope must return all of its claims (contract `openid.md`), and most of `profile` is not known here.

use super::profile::ScopeGroup;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

macro_rules! claims {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One claim about the usager, asked for by the scope of the same name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Claim {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Claim {
            /// Every claim.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name, as scope and as claim.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The claim of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

claims! {
    /// All first names.
    GivenName = "given_name",
    /// Birth name.
    FamilyName = "family_name",
    /// Name in use, where different.
    PreferredUsername = "preferred_username",
    /// `male`, `female` or `unspecified`.
    Gender = "gender",
    /// Date of birth, partial dates kept.
    Birthdate = "birthdate",
    /// COG code of the place of birth.
    Birthplace = "birthplace",
    /// COG code of the country of birth.
    Birthcountry = "birthcountry",
    /// E-mail address, with `email_verified`.
    Email = "email",
}

/// The scope does not ask for OpenID Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the scope must contain openid")]
pub struct NoOpenId;

/// The granted scope: `openid` and the claims both asked for and registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(BTreeSet<Claim>);

impl Scope {
    /// Grants what is asked for within what is registered, by claim or by group of claims; the rest is left out without an error
    /// (RFC 6749, section 3.3). Asked again with the stored text at userinfo, it follows a registration that has narrowed.
    ///
    /// # Errors
    /// [`NoOpenId`] when `openid` is not asked for.
    pub(super) fn grant(
        asked: &str,
        registered: &BTreeSet<Claim>,
        groups: &[ScopeGroup],
    ) -> Result<Self, NoOpenId> {
        if !asked.split(' ').any(|scope| scope == "openid") {
            return Err(NoOpenId);
        }
        let group =
            |word: &str| groups.iter().find(|(name, _)| *name == word).map_or(&[][..], |(_, all)| all);
        let claims = |word| Claim::parse(word).into_iter().chain(group(word).iter().copied());
        let asked = asked.split(' ').flat_map(claims);
        Ok(Self(asked.filter(|claim| registered.contains(claim)).collect()))
    }

    /// The claims about the usager.
    #[must_use]
    pub const fn claims(&self) -> &BTreeSet<Claim> {
        &self.0
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("openid")?;
        self.0.iter().try_for_each(|claim| write!(f, " {}", claim.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_grants_only_what_is_registered() {
        let registered = [Claim::GivenName, Claim::Email].into();
        let scope = Scope::grant("email openid birthdate given_name profile", &registered, &[]).unwrap();
        assert_eq!(scope.to_string(), "openid given_name email");
        assert_eq!(
            Scope::grant(&scope.to_string(), &[Claim::Email].into(), &[]).unwrap().to_string(),
            "openid email"
        );
    }

    #[test]
    fn a_scope_without_openid_is_refused() {
        for asked in ["", "email", "openidx", "OPENID"] {
            assert_eq!(Scope::grant(asked, &BTreeSet::new(), &[]), Err(NoOpenId), "{asked}");
        }
    }
}
