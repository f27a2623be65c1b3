//! Values of cells, how they are written in SQL, and ways to change them.

use porteplume::crypto::to_hex;
use porteplume::storage::Engine;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Bytes,
}

impl Kind {
    /// Of a column declared so.
    pub(super) fn declared(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "bigint" | "integer" | "int" => Self::Number,
            "bytea" | "blob" | "" => Self::Bytes,
            "text" => Self::Text,
            other => panic!("a column of the type {other}"),
        }
    }
}

impl Value {
    /// As a literal.
    pub(super) fn sql(&self, engine: Engine) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Bytes(bytes) => {
                let hex = to_hex(bytes);
                match engine {
                    Engine::Sqlite => format!("X'{hex}'"),
                    Engine::Postgres => format!("'\\x{hex}'::bytea"),
                }
            }
        }
    }

    /// The text, or the number as text.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Null | Self::Bytes(_) => String::new(),
        }
    }

    pub(super) fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            other => panic!("{other:?} is no number"),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            other => panic!("{other:?} is not bytes"),
        }
    }
}

/// A way to change one cell by itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// One bit or character is another, at this place (taken modulo the length).
    Flip(usize),
    Empty,
    Truncate,
    Extend,
    Null,
}

impl Way {
    /// The value after it; the same where there is nothing to change.
    pub(super) fn change(self, value: &Value, kind: Kind) -> Value {
        match (self, value) {
            (Self::Empty, _) => match kind {
                Kind::Number => Value::Number(0),
                Kind::Text => Value::Text(String::new()),
                Kind::Bytes => Value::Bytes(Vec::new()),
            },
            (Self::Extend, Value::Null) => match kind {
                Kind::Number => Value::Number(7),
                Kind::Text => Value::Text("x".to_owned()),
                Kind::Bytes => Value::Bytes(vec![7]),
            },
            (Self::Null, _) | (_, Value::Null) => Value::Null,
            (Self::Flip(at), Value::Number(number)) => Value::Number(number ^ (1 << (at % 40))),
            (Self::Flip(at), Value::Text(text)) => Value::Text(flipped(text, at)),
            (Self::Flip(at), Value::Bytes(bytes)) => {
                let mut bytes = bytes.clone();
                let bits = bytes.len() * 8;
                if let Some(byte) = at.checked_rem(bits).and_then(|bit| bytes.get_mut(bit / 8)) {
                    *byte ^= 1 << (at % 8);
                }
                Value::Bytes(bytes)
            }
            (Self::Truncate, Value::Number(number)) => Value::Number(number / 10),
            (Self::Truncate, Value::Text(text)) => {
                Value::Text(text.chars().take(text.chars().count().saturating_sub(1)).collect())
            }
            (Self::Truncate, Value::Bytes(bytes)) => {
                Value::Bytes(bytes.iter().copied().take(bytes.len().saturating_sub(1)).collect())
            }
            (Self::Extend, Value::Number(number)) => {
                Value::Number(number.saturating_mul(10).saturating_add(1))
            }
            (Self::Extend, Value::Text(text)) => Value::Text(format!("{text}x")),
            (Self::Extend, Value::Bytes(bytes)) => Value::Bytes([bytes.as_slice(), &[0]].concat()),
        }
    }
}

fn flipped(text: &str, at: usize) -> String {
    let length = text.chars().count();
    let other = |letter: char| match letter {
        '0' => '1',
        'a' => 'b',
        '1'..='9' => '0',
        _ => 'a',
    };
    let place = at.checked_rem(length);
    text.chars().enumerate().map(|(number, c)| if Some(number) == place { other(c) } else { c }).collect()
}
