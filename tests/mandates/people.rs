//! The persons of these tests.

use crate::support::world::identity;
use porteplume::mandate::Identity;

/// Somebody of age, with a name that asks something of forms and pages.
pub(crate) fn marie() -> Identity {
    born("Marie-Josèphe", "D’Été-L’Hôte <b>", "1949-03-00")
}

/// Somebody without an e-mail address.
pub(crate) fn born(given: &str, family: &str, birthdate: &str) -> Identity {
    Identity { email: None, ..identity(given, family, birthdate) }
}
