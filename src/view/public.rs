//! Pages for anybody.

use super::Problem;
use super::paths;

page! {
    /// Landing page. Links: `sign-in-usager`, `sign-in-aidant`, `sign-in-auditor`, `link-verify`.
    Landing in Frame from "public/landing.html" {}
}

page! {
    /// After signing out. Link: `link-back`; `still-open` when the person may still be signed in at the provider.
    SignedOut in Frame from "public/signed_out.html" {
        /// Name of the provider that may still know the person, if so.
        open_at: Option<String>,
    }
}

page! {
    /// On the way through a provider's own sign-out; goes on by itself. Link: `link-onward`.
    Leaving in Frame from "public/leaving.html" {
        /// Name of the provider.
        provider: String,
        /// The address there.
        address: String,
    }
}

page! {
    /// OpenID Connect sign-out asked for by a service: nobody is signed out without saying so.
    ///
    /// Form `end-session-form` (POST `/end_session/confirm`): `csrf`; button `end-session-submit`; link `link-stay`.
    EndSession in Guarded from "public/end_session.html" {}
}

/// Who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A professional helper.
    Aidant,
    /// A person in their own name.
    Usager,
    /// A reader of the journal.
    Auditor,
}

page! {
    /// The way in, before the identity provider.
    ///
    /// Form `sign-in-form` (POST `/aidant/sign-in`, `/usager/sign-in` or `/auditor/sign-in`): `csrf`, `next`;
    /// button `sign-in-submit`.
    SignIn in Guarded from "public/sign_in.html" {
        /// Who signs in.
        door: Door,
        /// Name of the identity provider; none when the address decides which it is.
        provider: Option<String>,
        /// What is wrong with the address.
        problems: Vec<Problem>,
        /// As typed before.
        email: String,
        /// Where to go afterwards, sent back in `next`; the handler checks it again. Empty for the usual place.
        next: String,
    }
}

impl SignIn {
    const fn action(&self) -> &'static str {
        match self.door {
            Door::Aidant => paths::AIDANT_SIGN_IN,
            Door::Usager => paths::USAGER_SIGN_IN,
            Door::Auditor => paths::AUDITOR_SIGN_IN,
        }
    }
}

page! {
    /// What Porteplume is and what its words mean.
    Help in Frame from "public/help.html" {}
}

/// Where a way to write to the operator leads: to their mail, to their page; nowhere when it is neither.
fn contact_href(contact: &str) -> Option<String> {
    if contact.starts_with("https://") || contact.starts_with("http://") {
        Some(contact.to_owned())
    } else if contact.contains('@') && !contact.contains(|c: char| c.is_whitespace() || c == ':') {
        Some(format!("mailto:{contact}"))
    } else {
        None
    }
}

page! {
    /// Accessibility statement (RGAA 4.1).
    Accessibility in Frame from "public/accessibility.html" {
        /// Where to write about a barrier.
        contact: String,
    }
}

page! {
    /// Rights and personal data.
    Legal in Frame from "public/legal.html" {
        /// Who runs this instance.
        operator: String,
        /// Where to write about one's data.
        contact: String,
    }
}

/// A closed shard of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedShard {
    /// Its number, from 0.
    pub number: u64,
    /// Its name.
    pub name: String,
}

impl ClosedShard {
    fn checkpoint(&self) -> String {
        paths::of_shard(paths::SHARD_CHECKPOINT, self.number)
    }

    fn policy(&self) -> String {
        paths::of_shard(paths::SHARD_POLICY, self.number)
    }
}

page! {
    /// How anybody verifies the journal. Links `link-checkpoint`, `link-policy`; the signed text in `checkpoint`.
    VerifyJournal in Frame from "public/verify.html" {
        /// Name of the journal.
        origin: String,
        /// The latest signed checkpoint, as served; absent while the journal is empty.
        checkpoint: Option<String>,
        /// The shards that are closed, oldest first. Links `closed-N-checkpoint`, `closed-N-policy`.
        closed: Vec<ClosedShard>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writes_to_an_address_goes_to_a_page_and_reads_anything_else() {
        for (contact, href) in [
            ("dpo@mairie.example", Some("mailto:dpo@mairie.example")),
            ("https://mairie.example/ecrire", Some("https://mairie.example/ecrire")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("au guichet, place de l’Église", None),
            ("javascript:alert(1)@x", None),
        ] {
            assert_eq!(contact_href(contact).as_deref(), href, "{contact}");
        }
    }
}
