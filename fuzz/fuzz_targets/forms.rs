//! Forms and queries of our own pages, as they came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porteplume::web::Fields;
use url::form_urlencoded;

fuzz_target!(|text: &[u8]| {
    let Ok(fields) = Fields::parse(text) else { return };
    let pairs = fields.pairs();
    assert!(pairs.len() <= 500);
    assert!(pairs.iter().all(|(name, value)| !name.contains('\0') && !value.contains('\0')));

    // What we take, everybody reads as we do.
    let others: Vec<(String, String)> = form_urlencoded::parse(text).into_owned().collect();
    assert_eq!(pairs, others);
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let again = Fields::parse(written.as_bytes()).ok().expect("what is written can be read");
    assert_eq!(pairs, again.pairs());

    for (name, _) in pairs {
        let values: Vec<&str> = fields.all(name).collect();
        assert!(fields.ticked(name));
        assert_eq!(fields.optional(name).ok(), (values.len() == 1).then(|| values.first().copied()));
        assert_eq!(fields.required(name).ok(), (values.len() == 1).then(|| values[0]));
    }
});
