//! Identifiers: one newtype each, so that one kind can never stand where another is meant.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid identifier")]
pub struct InvalidId;

fn is_hex32(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_slug(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads the identifier from its text form.
            ///
            /// # Errors
            /// [`InvalidId`] when the text does not have the form of this identifier.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                if $check(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
            }

            /// The text form, as stored and as shown in addresses.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        id!($(#[$doc])* $name, is_hex32);

        impl $name {
            /// Makes the identifier from 16 bytes of chance.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                use std::fmt::Write as _;
                let mut text = String::with_capacity(32);
                for byte in bytes {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "{byte:02x}");
                }
                Self(text)
            }
        }
    };
}

random_id!(
    /// An organisation (the mandatary, Code civil art. 1984).
    OrganisationId
);
random_id!(
    /// A registered professional of an organisation.
    AidantId
);
random_id!(
    /// The person who grants mandates.
    UsagerId
);
random_id!(
    /// A reader of the journal.
    AuditorId
);
random_id!(
    /// A mandate, from its proposal on.
    MandateId
);
random_id!(
    /// One use of a mandate.
    RepresentationId
);
random_id!(
    /// Something a usager is to be told.
    NoticeId
);
random_id!(
    /// One stated purpose of an auditor, under which entries are read.
    ReadingId
);
random_id!(
    /// What an auditor was given to read.
    GrantId
);
random_id!(
    /// A request of an auditor for the content of a mandate or an entry.
    GlassId
);
random_id!(
    /// A random sample an auditor drew.
    SampleId
);
random_id!(
    /// A search an auditor keeps under a name.
    SearchId
);
random_id!(
    /// What a rule of the watch found.
    AnomalyId
);
random_id!(
    /// What somebody said about an anomaly.
    CommentId
);
random_id!(
    /// A message to a service.
    MessageId
);
random_id!(
    /// One journal entry: a `UUIDv7` written as 32 hexadecimal digits.
    EventId
);
id!(
    /// A relying party (an OpenID client).
    ClientId,
    is_slug
);
id!(
    /// A procedure of the catalogue.
    ProcedureId,
    is_slug
);
id!(
    /// A theme of the catalogue.
    ThemeId,
    is_slug
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_accept_only_their_own_form() {
        assert!(MandateId::parse("0192f3c47d2e7c1a9b3f0e5d6c7b8a90").is_ok());
        for bad in ["", "0192F3C47D2E7C1A9B3F0E5D6C7B8A90", "0192", "' or 1=1 --", "é"] {
            assert_eq!(MandateId::parse(bad), Err(InvalidId), "{bad}");
        }
        assert!(ClientId::parse("caisse-de-demonstration").is_ok());
        for bad in ["", "Caisse", "a b", &"x".repeat(65)] {
            assert_eq!(ClientId::parse(bad), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn random_identifiers_read_back() {
        for bytes in [[0; 16], [7; 16], [255; 16]] {
            let id = MandateId::from_bytes(bytes);
            assert_eq!(id.to_string().len(), 32);
            assert_eq!(MandateId::parse(id.as_str()), Ok(id));
        }
    }

    #[test]
    fn nothing_that_could_break_a_line_an_address_or_a_statement_is_an_identifier() {
        let hex = "0192f3c47d2e7c1a9b3f0e5d6c7b8a90";
        for sign in [" ", "\n", "\0", "/", "..", "%", "'", "\"", "é", "\u{202e}", "g"] {
            assert_eq!(UsagerId::parse(&hex.replacen('0', sign, 1)), Err(InvalidId), "{sign:?}");
            assert_eq!(UsagerId::parse(&format!("{hex}{sign}")), Err(InvalidId), "{sign:?}");
            if sign != "g" {
                assert_eq!(ProcedureId::parse(&format!("impots{sign}")), Err(InvalidId), "{sign:?}");
            }
        }
        assert_eq!(UsagerId::parse(&hex.replacen('0', "", 1)), Err(InvalidId));
    }

    #[test]
    fn identifiers_are_checked_when_they_are_read_from_data_too() {
        let written = "\"0192f3c47d2e7c1a9b3f0e5d6c7b8a90\"";
        let id: AidantId = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), written);
        assert!(serde_json::from_str::<AidantId>("\"../etc/passwd\"").is_err());
        assert!(serde_json::from_str::<ThemeId>("\"Argent\"").is_err());
    }
}
