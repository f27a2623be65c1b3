//! ID tokens given back as hints. First line `signed`: the second is the header, the rest the payload, and we sign them.
//! Anything else is a whole token.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porteplume::provider::Hint;
use porteplume_fuzz::{ISSUER, JWKS, line, object, signed, text};

const HEADER: &[u8] = br#"{"alg":"ES256","typ":"JWT","kid":"k"}"#;
const SOUND: &[u8] = br#"{"iss":"https://porteplume.example","sub":"s","aud":"caisse","sid":"sid-1"}"#;

fuzz_target!(
    init: assert!(Hint::read(&signed(HEADER, SOUND), &ISSUER, &JWKS).is_some()),
    |data: &[u8]| {
        let (kind, rest) = line(data);
        if kind != b"signed" {
            let foreign = String::from_utf8_lossy(data);
            assert_eq!(Hint::read(&foreign, &ISSUER, &JWKS), None, "nobody but us signs hints");
            return;
        }
        let (header, payload) = line(rest);
        let Some(hint) = Hint::read(&signed(header, payload), &ISSUER, &JWKS) else { return };

        let header = object(header);
        assert_eq!((text(&header, "alg"), text(&header, "typ")), ("ES256", "JWT"));
        assert!(header.get("crit").is_none_or(serde_json::Value::is_null));
        let claims = object(payload);
        assert_eq!(text(&claims, "iss"), ISSUER.as_str());
        assert_eq!(text(&claims, "aud"), hint.client.as_str());
        assert_eq!(text(&claims, "sub"), hint.subject);
        assert_eq!(text(&claims, "sid"), hint.sid);
    }
);
