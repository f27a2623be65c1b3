//! One entry: eight lines of text that are hashed for ever.
//!
//! ```text
//! porteplume-journal/v1
//! id 0192f3c47d2e7c1a9b3f0e5d6c7b8a90
//! at 1795302645123
//! tag dc7c4b1c92aadaffb8a7f01c73c670fd
//! act <base64 of 32 bytes>
//! sub <base64 of 32 bytes>
//! aid <base64 of 32 bytes>
//! ctx <base64 of 32 bytes>
//! ```
//! Each line ends in LF, nothing follows. There is one way to write an entry: what reads back differently is none.
//! The index is not part of it; the tree gives the position.

use super::{Hash, Opening};
use crate::clock::{Entropy, NoEntropy, random};
use crate::crypto::{CryptoError, HmacKey, SecretBytes, from_hex, to_hex};
use crate::mandate::{EventId, Instant};
use serde::Serialize;
use std::fmt::Write as _;
use thiserror::Error;

const HEAD: &str = "porteplume-journal/v1";

/// Why an entry cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntryError {
    /// The bytes are not an entry in its one form.
    #[error("not an entry in its one form")]
    Malformed,
    /// A value has no canonical JSON form.
    #[error("a value without canonical JSON form")]
    NotCanonical,
    /// The instant lies before 1970.
    #[error("an instant before 1970")]
    Instant,
    /// The operating system gave no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl EntryError {
    /// Stable code, for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "entry_malformed",
            Self::NotCanonical => "entry_not_canonical",
            Self::Instant => "entry_instant",
            Self::NoEntropy(_) => "no_entropy",
        }
    }
}

/// Which of its four commitments: one can be opened without the others, and erased without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// What was done: kind, mandate, sequence number, procedure, outcome.
    Act,
    /// The usager.
    Sub,
    /// The aidant, or whoever else acted.
    Aid,
    /// Where: organisation, service, address, session, version.
    Ctx,
}

impl Slot {
    /// The slots in the order of their lines.
    pub const ALL: [Self; 4] = [Self::Act, Self::Sub, Self::Aid, Self::Ctx];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Sub => "sub",
            Self::Aid => "aid",
            Self::Ctx => "ctx",
        }
    }

    /// The slot of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.as_str() == name)
    }
}

/// The key from which a mandate's tags come: who holds it can find every entry of the mandate and prove that
/// none is missing; to anyone else the tags are random.
#[derive(Clone)]
pub struct MandateKey(SecretBytes<32>);

impl MandateKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        SecretBytes::generate(entropy).map(Self)
    }

    /// The key as opened from its sealed form, when it has 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        SecretBytes::from_slice(bytes).map(Self)
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The tag of the mandate's entry number `seq`, counted from 1.
    #[must_use]
    pub fn tag(&self, seq: u64) -> Tag {
        let full = HmacKey::new(self.expose()).tag(&[b"tag", &seq.to_be_bytes()]);
        Tag(full.first_chunk().copied().unwrap_or_default())
    }
}

/// 16 bytes that link an entry to its mandate for those who hold the mandate's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 16]);

impl Tag {
    /// The tag of an entry outside any mandate.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn random(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        random(entropy).map(Self)
    }

    /// The stored form: 32 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        to_hex(&self.0)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`CryptoError::BadText`].
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        from_hex(text).map(Self)
    }
}

/// A fresh identifier of an entry: UUID version 7 (RFC 9562, 5.7), the instant in front.
///
/// # Errors
/// [`NoEntropy`].
pub fn new_event_id(now: Instant, entropy: &dyn Entropy) -> Result<EventId, NoEntropy> {
    let chance = random::<16>(entropy)?;
    let millis = u128::from(u64::try_from(now.millis()).unwrap_or(0) & 0xffff_ffff_ffff);
    let chance = u128::from_be_bytes(chance);
    let (random_a, random_b) = ((chance >> 64) & 0xfff, chance & ((1 << 62) - 1));
    let id = millis << 80 | 7 << 76 | random_a << 64 | 0b10 << 62 | random_b;
    Ok(EventId::from_bytes(id.to_be_bytes()))
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    id: EventId,
    at_millis: i64,
    tag: Tag,
    commitments: [Hash; 4],
}

impl Entry {
    /// Identifier.
    #[must_use]
    pub const fn id(&self) -> &EventId {
        &self.id
    }

    /// When, to the millisecond.
    #[must_use]
    pub const fn at(&self) -> Instant {
        Instant::from_micros(self.at_millis.saturating_mul(1_000))
    }

    /// Tag.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// The commitment in a slot.
    #[must_use]
    pub const fn commitment(&self, slot: Slot) -> Hash {
        let [act, sub, aid, ctx] = self.commitments;
        match slot {
            Slot::Act => act,
            Slot::Sub => sub,
            Slot::Aid => aid,
            Slot::Ctx => ctx,
        }
    }

    /// Whether an opening is what the entry commits to in its slot.
    #[must_use]
    pub fn is_opened_by(&self, opening: &Opening) -> bool {
        self.commitment(opening.slot()) == opening.commitment()
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(320);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{HEAD}\nid {}\nat {}\ntag {}", self.id, self.at_millis, self.tag.to_hex());
        for (slot, commitment) in Slot::ALL.into_iter().zip(self.commitments) {
            let _ = writeln!(text, "{} {commitment}", slot.as_str());
        }
        text.into_bytes()
    }

    /// Reads canonical bytes; whatever this reads, [`Self::to_bytes`] gives back byte for byte.
    ///
    /// # Errors
    /// [`EntryError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        let text = std::str::from_utf8(bytes).map_err(|_| EntryError::Malformed)?;
        Self::read(text).ok_or(EntryError::Malformed)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_prefix(HEAD)?.strip_prefix('\n')?.strip_suffix('\n')?.split('\n');
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let id = EventId::parse(field("id")?).ok()?;
        let at_millis = decimal(field("at")?)?;
        let tag = Tag::parse(field("tag")?).ok()?;
        let mut commitment = |slot: Slot| Hash::parse(field(slot.as_str())?);
        let commitments =
            [commitment(Slot::Act)?, commitment(Slot::Sub)?, commitment(Slot::Aid)?, commitment(Slot::Ctx)?];
        lines.next().is_none().then_some(Self { id, at_millis, tag, commitments })
    }
}

/// Reads a decimal number without sign and without leading zero.
pub(super) fn decimal<T: std::str::FromStr>(text: &str) -> Option<T> {
    let plain = text == "0" || (!text.starts_with('0') && text.bytes().all(|c| c.is_ascii_digit()));
    if plain { text.parse().ok() } else { None }
}

/// An entry in the making.
pub struct Draft {
    id: EventId,
    at_millis: i64,
    tag: Tag,
    openings: Vec<Opening>,
}

/// An entry ready to be appended, and what opens it.
pub struct Drafted {
    /// The entry.
    pub entry: Entry,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// What opens its filled slots.
    pub openings: Vec<Opening>,
}

impl Draft {
    /// Begins an entry.
    ///
    /// # Errors
    /// [`EntryError::Instant`] before 1970.
    pub fn new(id: EventId, at: Instant, tag: Tag) -> Result<Self, EntryError> {
        if at.micros() < 0 {
            return Err(EntryError::Instant);
        }
        Ok(Self { id, at_millis: at.millis(), tag, openings: Vec::with_capacity(Slot::ALL.len()) })
    }

    /// Fills a slot; a slot filled twice keeps the last value.
    ///
    /// # Errors
    /// [`EntryError::NotCanonical`], [`EntryError::NoEntropy`].
    pub fn fill(
        mut self,
        entropy: &dyn Entropy,
        slot: Slot,
        value: &impl Serialize,
    ) -> Result<Self, EntryError> {
        self.openings.retain(|opening| opening.slot() != slot);
        self.openings.push(Opening::new(entropy, slot, value)?);
        Ok(self)
    }

    /// Ends the entry. A slot nobody filled gets 32 random bytes, so that its emptiness does not show.
    ///
    /// # Errors
    /// [`EntryError::NoEntropy`].
    pub fn finish(self, entropy: &dyn Entropy) -> Result<Drafted, EntryError> {
        let Self { id, at_millis, tag, openings } = self;
        let mut commitments = [super::EMPTY_ROOT; 4];
        for (commitment, slot) in commitments.iter_mut().zip(Slot::ALL) {
            *commitment = match openings.iter().find(|opening| opening.slot() == slot) {
                Some(opening) => opening.commitment(),
                None => Hash::from_bytes(random(entropy)?),
            };
        }
        let entry = Entry { id, at_millis, tag, commitments };
        Ok(Drafted { bytes: entry.to_bytes(), entry, openings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;
    use proptest::prelude::*;
    use serde_json::json;

    fn drafted() -> Drafted {
        let entropy = SeededEntropy::new(1);
        let id = EventId::parse("0192f3c47d2e7c1a9b3f0e5d6c7b8a90").unwrap();
        let tag = Tag::parse("dc7c4b1c92aadaffb8a7f01c73c670fd").unwrap();
        Draft::new(id, Instant::from_micros(1_795_302_645_123_999), tag)
            .unwrap()
            .fill(&entropy, Slot::Act, &json!({"seq": 1, "kind": "mandate.proposed"}))
            .unwrap()
            .fill(&entropy, Slot::Sub, &json!({"usager": "01"}))
            .unwrap()
            .finish(&entropy)
            .unwrap()
    }

    #[test]
    fn an_entry_is_the_text_of_the_contract() {
        let drafted = drafted();
        let [act, sub, aid, ctx] = Slot::ALL.map(|slot| drafted.entry.commitment(slot));
        let expected = format!(
            "porteplume-journal/v1\nid 0192f3c47d2e7c1a9b3f0e5d6c7b8a90\nat 1795302645123\n\
             tag dc7c4b1c92aadaffb8a7f01c73c670fd\nact {act}\nsub {sub}\naid {aid}\nctx {ctx}\n"
        );
        assert_eq!(String::from_utf8(drafted.bytes.clone()).unwrap(), expected);
        assert_eq!(drafted.bytes.len(), 308);
        assert_eq!(Entry::parse(&drafted.bytes), Ok(drafted.entry));
    }

    #[test]
    fn a_commitment_is_the_one_of_the_contract_and_opens_with_its_own_opening_only() {
        let drafted = drafted();
        let [act, sub] = <[Opening; 2]>::try_from(drafted.openings).ok().unwrap();
        assert_eq!(act.json(), br#"{"kind":"mandate.proposed","seq":1}"#);
        let stored = act.to_bytes();
        let by_hand = [b"porteplume-journal/v1/act\0".as_slice(), &stored].concat();
        assert_eq!(drafted.entry.commitment(Slot::Act), Hash::from_bytes(crate::crypto::sha256(&by_hand)));
        assert!(drafted.entry.is_opened_by(&act) && drafted.entry.is_opened_by(&sub));
        assert!(Opening::from_bytes(Slot::Act, &stored).ok().unwrap() == act);
        for at in [0, 31, 32, stored.len() - 1] {
            let mut altered = stored.to_vec();
            altered[at] ^= 1;
            assert!(!drafted.entry.is_opened_by(&Opening::from_bytes(Slot::Act, &altered).ok().unwrap()));
        }
        assert!(!drafted.entry.is_opened_by(&Opening::from_bytes(Slot::Sub, &stored).ok().unwrap()));
        assert!(Opening::from_bytes(Slot::Act, &stored[..31]).is_err());
    }

    #[test]
    fn an_empty_slot_looks_like_a_filled_one_and_equal_values_look_different() {
        let entropy = SeededEntropy::new(2);
        let commitments: Vec<_> = (0..2)
            .flat_map(|_| {
                let id = new_event_id(Instant::from_micros(0), &entropy).unwrap();
                let draft = Draft::new(id, Instant::from_micros(0), Tag::random(&entropy).unwrap()).unwrap();
                let entry =
                    draft.fill(&entropy, Slot::Act, &json!({})).unwrap().finish(&entropy).unwrap().entry;
                Slot::ALL.map(|slot| entry.commitment(slot))
            })
            .collect();
        let distinct: std::collections::BTreeSet<_> = commitments.iter().collect();
        assert_eq!(distinct.len(), 8);
    }

    #[test]
    fn bytes_that_are_not_the_one_form_are_refused() {
        let good = String::from_utf8(drafted().bytes).unwrap();
        let bad = [
            String::new(),
            good.trim_end().to_owned(),
            format!("{good}\n"),
            format!("{good}x y\n"),
            good.replace('\n', "\r\n"),
            good.replace("v1", "v2"),
            good.replace("id 0192f3", "id 0192F3"),
            good.replace("at 1", "at 01"),
            good.replace("at 1", "at +1"),
            good.replace("at 1", "at -1"),
            good.replace("at 1", "at  1"),
            good.replace("at 1795302645123", "at 99999999999999999999"),
            good.replace("at 1795302645123", "at "),
            good.replace("tag dc", "tag DC"),
            good.replace("=\nsub", "\nsub"),
            good.replace("sub ", "aid "),
            good.replace("act ", "act\t"),
        ];
        for text in bad {
            assert_eq!(Entry::parse(text.as_bytes()), Err(EntryError::Malformed), "{text}");
        }
        assert_eq!(Entry::parse(&[0xff]), Err(EntryError::Malformed));
    }

    #[test]
    fn tags_come_from_the_mandates_key_and_number() {
        let key = MandateKey::from_slice(&[7; 32]).unwrap();
        assert_eq!(key.tag(1), key.tag(1));
        assert_ne!(key.tag(1), key.tag(2));
        assert_ne!(key.tag(1), MandateKey::from_slice(&[8; 32]).unwrap().tag(1));
        let by_hand = crate::crypto::hmac_sha256(&[7; 32], b"tag\0\0\0\0\0\0\0\x02");
        assert_eq!(key.tag(2).to_hex(), to_hex(&by_hand[..16]));
    }

    #[test]
    fn an_identifier_is_a_uuid_of_version_7() {
        let now = Instant::from_micros(0x0192_f3c4_7d2e * 1_000);
        let id = new_event_id(now, &SeededEntropy::new(3)).unwrap();
        assert!(id.as_str().starts_with("0192f3c47d2e7"), "{id}");
        assert!(matches!(id.as_str().as_bytes()[16], b'8' | b'9' | b'a' | b'b'), "{id}");
        assert_ne!(id, new_event_id(now, &SeededEntropy::new(4)).unwrap());
    }

    proptest! {
        #[test]
        fn what_reads_as_an_entry_writes_the_same_bytes(at in 0usize..308, byte: u8) {
            let mut bytes = drafted().bytes;
            bytes[at] = byte;
            if let Ok(entry) = Entry::parse(&bytes) {
                prop_assert_eq!(entry.to_bytes(), bytes);
            }
        }

        #[test]
        fn every_entry_reads_back(micros in 0..i64::MAX, seed: u64) {
            let entropy = SeededEntropy::new(seed);
            let at = Instant::from_micros(micros);
            let id = new_event_id(at, &entropy).unwrap();
            let draft = Draft::new(id, at, Tag::random(&entropy).unwrap()).unwrap();
            let drafted = draft.finish(&entropy).unwrap();
            prop_assert_eq!(Entry::parse(&drafted.bytes).unwrap(), drafted.entry);
        }
    }
}
