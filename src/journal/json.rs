//! JSON in its one canonical form (RFC 8785), for values without fractions.

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

/// A value that has no canonical form here: a fraction, or a number beyond 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a value without canonical JSON form")]
pub struct NotCanonical;

/// Largest integer every JSON reader keeps exact (RFC 8785, 3.2.2.3).
const LARGEST: u64 = (1 << 53) - 1;

/// The canonical bytes: members sorted by UTF-16 code units, no white space, shortest escapes.
///
/// # Errors
/// [`NotCanonical`].
pub fn canonical_json(value: &impl Serialize) -> Result<Vec<u8>, NotCanonical> {
    let mut out = Vec::new();
    write(&serde_json::to_value(value).map_err(|_| NotCanonical)?, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    match value {
        Value::Array(items) => list(b'[', b']', items, out, write),
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            list(b'{', b'}', &sorted, out, |(name, value), out| {
                text(name, out)?;
                out.push(b':');
                write(value, out)
            })
        }
        Value::Number(number) => {
            let small = number.as_i64().is_some_and(|number| number.unsigned_abs() <= LARGEST);
            if !small {
                return Err(NotCanonical);
            }
            out.extend_from_slice(number.to_string().as_bytes());
            Ok(())
        }
        Value::String(string) => text(string, out),
        Value::Bool(_) | Value::Null => {
            out.extend_from_slice(value.to_string().as_bytes());
            Ok(())
        }
    }
}

/// serde_json escapes exactly what RFC 8785 has escaped, and in the same way.
fn text(string: &str, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    serde_json::to_writer(out, string).map_err(|_| NotCanonical)
}

fn list<T>(
    open: u8,
    close: u8,
    items: &[T],
    out: &mut Vec<u8>,
    write: impl Fn(&T, &mut Vec<u8>) -> Result<(), NotCanonical>,
) -> Result<(), NotCanonical> {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(close);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn canonical(value: &Value) -> String {
        String::from_utf8(canonical_json(value).unwrap()).unwrap()
    }

    #[test]
    fn members_are_sorted_as_in_rfc_8785() {
        // RFC 8785, 3.2.3: by UTF-16 code units, not by UTF-8 bytes.
        let names = ["\u{20ac}", "\r", "\u{fb33}", "1", "\u{1f600}", "\u{80}", "\u{f6}"];
        let value: Value = names.iter().map(|name| ((*name).to_owned(), json!(1))).collect();
        let sorted =
            "{\"\\r\":1,\"1\":1,\"\u{80}\":1,\"\u{f6}\":1,\"\u{20ac}\":1,\"\u{1f600}\":1,\"\u{fb33}\":1}";
        assert_eq!(canonical(&value), sorted);
    }

    #[test]
    fn strings_are_escaped_as_little_as_possible() {
        let value = json!({"b": ["\u{20ac}$\u{f}\nA'B\"\\\\\"/", null, true, -3], "a": {}});
        let text = "{\"a\":{},\"b\":[\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",null,true,-3]}";
        assert_eq!(canonical(&value), text);
    }

    #[test]
    fn numbers_others_would_read_differently_are_refused() {
        assert_eq!(canonical_json(&json!(9_007_199_254_740_991_u64)).unwrap(), b"9007199254740991");
        for bad in
            [json!(9_007_199_254_740_992_u64), json!(-9_007_199_254_740_992_i64), json!(0.5), json!(1e30)]
        {
            assert_eq!(canonical_json(&bad), Err(NotCanonical), "{bad}");
        }
    }
}
