//! What tokens say, as JSON Schemas (draft 2020-12) that services can hold them against. A schema never changes: another
//! shape of the same thing gets the next number.

/// Path and text of each published schema.
pub const SCHEMAS: [(&str, &str); 3] = [
    ("/schemas/mandate-1.json", include_str!("../../docs/schemas/mandate-1.json")),
    ("/schemas/act-1.json", include_str!("../../docs/schemas/act-1.json")),
    ("/schemas/authority-1.json", include_str!("../../docs/schemas/authority-1.json")),
];
