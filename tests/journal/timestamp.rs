//! Time-stamps by authorities made with `openssl`: what is accepted, and everything that is refused.

use crate::support::authority::Authority;
use crate::support::database::signer;
use porteplume::clock::{Clock as _, NoEntropy, SystemClock, SystemEntropy};
use porteplume::journal::{Timestamp, TimestampAuthorities, TimestampError, TimestampRequest, leaf_hash};
use porteplume::storage::CheckpointSigner as _;
use proptest::prelude::*;
use std::sync::OnceLock;

fn note(size: u64) -> String {
    signer().sign(size, &leaf_hash(b"x")).unwrap()
}

fn request(note: &str) -> TimestampRequest {
    TimestampRequest::new(note, &SystemEntropy).unwrap()
}

fn trusted(pem: &[u8]) -> TimestampAuthorities {
    let mut trusted = TimestampAuthorities::default();
    trusted.add(pem).unwrap();
    trusted
}

#[test]
fn a_time_stamp_of_a_trusted_authority_is_taken_whatever_its_key() {
    let authority = Authority::bare();
    let ca = trusted(&authority.pem("ca"));
    for (kind, digest) in [
        ("P-256", "sha256"),
        ("P-256", "sha384"),
        ("P-384", "sha256"),
        ("P-384", "sha384"),
        ("rsa:2048", "sha256"),
        ("rsa:2048", "sha384"),
        ("rsa:2048", "sha512"),
    ] {
        authority.issue("tsa", kind, "stamp", 3650);
        let (note, asked) = (note(7), request(&note(7)));
        let answer = authority.answer_as(&asked.to_der(), "tsa", &format!("-{digest}"));
        let stamp = asked.verify(&answer, &ca).unwrap();
        let off = SystemClock.now().since(stamp.at).abs();
        assert!(off < time::Duration::minutes(1), "{kind} {digest}: {:?}", stamp.at);
        assert_eq!(Timestamp::verify(&answer, &note, Some(&ca)), Ok(stamp), "and again, later");
        assert_eq!(Timestamp::verify(&answer, &note, None), Ok(stamp), "and without knowing by whom");
        let own = trusted(&authority.pem("tsa"));
        assert_eq!(asked.verify(&answer, &own), Ok(stamp), "its own certificate may be trusted as well");
    }
}

#[test]
fn what_the_token_brings_along_leads_to_an_authority_further_up() {
    let authority = Authority::bare();
    authority.issue("between", "P-384", "ca", 3650);
    authority.issue("tsa", "P-256", "stamp", 3650);
    authority.sign("tsa", "tsa", "between", "stamp", 3650);
    let asked = request(&note(7));
    let whole = authority.answer_as(&asked.to_der(), "tsa", "-chain between.pem");
    let ca = trusted(&authority.pem("ca"));
    asked.verify(&whole, &ca).unwrap();
    let alone = authority.answer(&asked.to_der());
    assert_eq!(asked.verify(&alone, &ca), Err(TimestampError::Untrusted));
    asked.verify(&alone, &trusted(&authority.pem("between"))).unwrap();
}

#[test]
fn whatever_else_an_authority_says_is_refused() {
    let authority = Authority::new();
    let ca = trusted(&authority.pem("ca"));
    let asked = request(&note(7));
    let good = authority.answer(&asked.to_der());
    asked.verify(&good, &ca).unwrap();

    for (name, extensions, days) in [
        ("old", "stamp", -1),
        ("loose", "loose", 9),
        ("both", "both", 9),
        ("web", "web", 9),
        ("none", "none", 9),
    ] {
        authority.sign("tsa", name, "ca", extensions, days);
    }
    authority.issue("rsa", "rsa:2048", "stamp", 9);
    let other = Authority::new();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let longer = [good.as_slice(), &[0]].concat();
    let content = "-econtent_type id-smime-ct-TSTInfo";
    let by = |signer: &str| format!("{content} -cades -md sha256 -signer {signer}.pem -inkey tsa.key");
    let anew = |words: &str| authority.signed_anew(&good, words);
    assert!(asked.verify(&anew(&by("tsa")), &ca).is_ok(), "signed anew it is as good");
    let elsewhere = request(&note(8));
    let table = [
        ("of another checkpoint", authority.answer(&elsewhere.to_der()), TimestampError::Imprint),
        (
            "of the same, asked by another",
            authority.answer(&request(&note(7)).to_der()),
            TimestampError::Nonce,
        ),
        ("a signature with a bit changed", flipped, TimestampError::Signature),
        ("another authority", other.answer(&asked.to_der()), TimestampError::Untrusted),
        ("a certificate that had run out", anew(&by("old")), TimestampError::Expired),
        ("a certificate for time-stamps if one likes", anew(&by("loose")), TimestampError::Usage),
        ("a certificate for other things too", anew(&by("both")), TimestampError::Usage),
        ("a certificate for other things", anew(&by("web")), TimestampError::Usage),
        ("a certificate for nothing in particular", anew(&by("none")), TimestampError::Usage),
        ("rejected", vec![0x30, 5, 0x30, 3, 2, 1, 2], TimestampError::Rejected),
        ("put off", vec![0x30, 5, 0x30, 3, 2, 1, 3], TimestampError::Rejected),
        ("granted, and not there", vec![0x30, 5, 0x30, 3, 2, 1, 0], TimestampError::Malformed),
        ("something behind it", longer, TimestampError::Malformed),
        ("nothing", Vec::new(), TimestampError::Malformed),
        ("a page", b"<html>Welcome</html>".to_vec(), TimestampError::Malformed),
        ("the question", asked.to_der(), TimestampError::Malformed),
        (
            "two signers",
            anew(&format!("{} -signer rsa.pem -inkey rsa.key", by("tsa"))),
            TimestampError::Signers,
        ),
        ("no certificate", anew(&format!("{} -nocerts", by("tsa"))), TimestampError::Certificate),
        (
            "another certificate of the same name and number",
            anew(&format!("{} -nocerts -certfile both.pem", by("tsa"))),
            TimestampError::Certificate,
        ),
        (
            "nothing that names the certificate",
            anew(&by("tsa").replace("-cades", "")),
            TimestampError::Attributes,
        ),
        ("no attributes", anew(&by("tsa").replace("-cades", "-noattr")), TimestampError::Attributes),
        (
            "other content",
            anew(&by("tsa").replace("id-smime-ct-TSTInfo", "pkcs7-data")),
            TimestampError::Malformed,
        ),
        ("a weak hash", anew(&by("tsa").replace("sha256", "sha1")), TimestampError::Algorithm),
        (
            "another padding",
            anew(&format!(
                "{content} -cades -md sha256 -signer rsa.pem -inkey rsa.key -keyopt rsa_padding_mode:pss"
            )),
            TimestampError::Algorithm,
        ),
    ];
    for (name, answer, error) in table {
        assert_eq!(asked.verify(&answer, &ca), Err(error), "{name}");
    }
    for cut in 0..good.len() {
        assert_eq!(asked.verify(&good[..cut], &ca), Err(TimestampError::Malformed), "cut at {cut}");
    }
    assert_eq!(asked.verify(&good, &TimestampAuthorities::default()), Err(TimestampError::Untrusted));
    assert_eq!(TimestampRequest::new("x", &NoChance).err(), Some(TimestampError::NoEntropy));
}

struct NoChance;

impl porteplume::clock::Entropy for NoChance {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

#[test]
fn what_is_no_certificate_is_not_trusted() {
    let authority = Authority::new();
    let pem = String::from_utf8(authority.pem("ca")).unwrap();
    let key = std::fs::read(authority.path("ca.key")).unwrap();
    let spoiled = pem.replacen('\n', "\nAAAA", 1);
    for bad in [b"".as_slice(), b"ca.pem", &key, spoiled.as_bytes(), &pem.as_bytes()[..pem.len() / 2]] {
        let mut trusted = TimestampAuthorities::default();
        assert_eq!(trusted.add(bad), Err(TimestampError::Certificate));
        assert!(trusted.is_empty());
    }
    let mut both = trusted(pem.as_bytes());
    both.add(&[authority.pem("tsa"), pem.into_bytes()].concat()).unwrap();
    assert!(!both.is_empty());
}

/// One authority and one of its answers for all altered ones.
fn sample() -> &'static (TimestampRequest, Vec<u8>, TimestampAuthorities) {
    static SAMPLE: OnceLock<(TimestampRequest, Vec<u8>, TimestampAuthorities)> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let authority = Authority::new();
        let asked = request(&note(7));
        let answer = authority.answer(&asked.to_der());
        (asked, answer, trusted(&authority.pem("ca")))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_altered_time_stamp_tells_another_instant(at in 0..10_000_usize, change in 1..=255_u8, cut in any::<bool>()) {
        let (asked, good, ca) = sample();
        let mut answer = good.clone();
        let at = at % answer.len();
        answer[at] ^= change;
        if cut {
            answer.remove(at);
        }
        if let Ok(stamp) = asked.verify(&answer, ca) {
            prop_assert_eq!(Ok(stamp), asked.verify(good, ca));
        }
    }

    #[test]
    fn bytes_of_any_kind_are_no_time_stamp(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (asked, _, ca) = sample();
        prop_assert!(asked.verify(&bytes, ca).is_err());
        prop_assert!(TimestampAuthorities::default().add(&bytes).is_err());
    }
}
