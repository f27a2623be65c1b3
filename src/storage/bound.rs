//! A statement with its values, before it meets an engine.

use sqlx::any::{Any, AnyArguments};
use sqlx::query::Query;

/// A value to bind. Absent ones keep their kind, which PostgreSQL asks for.
pub(super) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

/// A statement and its values, in the order of their placeholders.
pub(super) struct Bound {
    pub(super) text: &'static str,
    pub(super) values: Vec<Value>,
}

/// A statement of this room, ready for its values.
pub(super) const fn sql(text: &'static str) -> Bound {
    Bound { text, values: Vec::new() }
}

impl Bound {
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// As sqlx takes it.
    pub(super) fn query(self) -> Query<'static, Any, AnyArguments> {
        self.values.into_iter().fold(sqlx::query(self.text), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
            Value::Bytes(bytes) => query.bind(bytes),
        })
    }
}

macro_rules! values {
    ($($from:ty => $kind:ident, $to_owned:expr;)*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$kind(Some($to_owned(value)))
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$kind(value.map($to_owned))
            }
        }
    )*};
}

values! {
    &str => Text, str::to_owned;
    String => Text, std::convert::identity;
    i64 => Number, std::convert::identity;
    &[u8] => Bytes, <[u8]>::to_vec;
    Vec<u8> => Bytes, std::convert::identity;
}
