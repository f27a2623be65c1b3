//! Reading columns. What cannot be read is an inconsistency that names table, column and row.

use super::StoreError;
use crate::journal::Hash;
use crate::mandate::{Instant, ProcedureId};
use rusqlite::types::Value;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One row, as its engine gave it.
pub(super) enum Row {
    Sqlite { columns: Arc<[String]>, values: Vec<Value> },
    Postgres(AnyRow),
}

impl Row {
    /// The value of a column on SQLite: nothing there is another engine's or no such column.
    fn value(&self, column: &str) -> Option<&Value> {
        let Self::Sqlite { columns, values } = self else { return None };
        values.get(columns.iter().position(|name| name == column)?)
    }

    /// The first column, for messages.
    fn key(&self) -> String {
        match self {
            Self::Postgres(row) => row.try_get(0).unwrap_or_default(),
            Self::Sqlite { values, .. } => match values.first() {
                Some(Value::Text(text)) => text.clone(),
                _ => String::new(),
            },
        }
    }
}

/// One row of a table, whose first column is its key.
pub(crate) struct Columns<'r> {
    row: &'r Row,
    table: &'static str,
}

impl<'r> Columns<'r> {
    pub(super) const fn of(table: &'static str, row: &'r Row) -> Self {
        Self { row, table }
    }

    /// The error for a column that makes no sense here.
    pub(crate) fn inconsistent(&self, column: &'static str) -> StoreError {
        StoreError::Inconsistent { table: self.table, column, id: self.row.key() }
    }

    /// What stands in a column: `sqlite` takes the value it knows, PostgreSQL's is decoded by its type.
    fn get<T>(
        &self,
        column: &'static str,
        sqlite: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, StoreError>
    where
        Option<T>: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
    {
        let found = match self.row {
            Row::Postgres(row) => row.try_get(column).ok(),
            Row::Sqlite { .. } => self.row.value(column).and_then(|value| match value {
                Value::Null => Some(None),
                other => sqlite(other).map(Some),
            }),
        };
        found.ok_or_else(|| self.inconsistent(column))
    }

    fn there<T>(&self, column: &'static str, found: Option<T>) -> Result<T, StoreError> {
        found.ok_or_else(|| self.inconsistent(column))
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.there(column, self.text_or_none(column)?)
    }

    pub(crate) fn text_or_none(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.get(column, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    pub(crate) fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.there(column, self.number_or_none(column)?)
    }

    pub(crate) fn number_or_none(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.get(column, |value| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        })
    }

    /// A number that is never negative.
    pub(crate) fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        u64::try_from(self.number(column)?).map_err(|_| self.inconsistent(column))
    }

    pub(crate) fn instant(&self, column: &'static str) -> Result<Instant, StoreError> {
        self.number(column).map(Instant::from_micros)
    }

    pub(crate) fn instant_or_none(&self, column: &'static str) -> Result<Option<Instant>, StoreError> {
        Ok(self.number_or_none(column)?.map(Instant::from_micros))
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.there(column, self.bytes_or_none(column)?)
    }

    pub(crate) fn bytes_or_none(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(column, |value| match value {
            Value::Blob(bytes) => Some(bytes.clone()),
            _ => None,
        })
    }

    pub(crate) fn array<const N: usize>(&self, column: &'static str) -> Result<[u8; N], StoreError> {
        <[u8; N]>::try_from(self.bytes(column)?).map_err(|_| self.inconsistent(column))
    }

    pub(crate) fn hash(&self, column: &'static str) -> Result<Hash, StoreError> {
        self.array(column).map(Hash::from_bytes)
    }

    pub(crate) fn id<T: TryFrom<String>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.text(column)?).map_err(|_| self.inconsistent(column))
    }

    pub(crate) fn id_or_none<T: TryFrom<String>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.text_or_none(column)?
            .map(|text| T::try_from(text).map_err(|_| self.inconsistent(column)))
            .transpose()
    }

    /// A stable name, read by the enum's own `parse`.
    pub(crate) fn named<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        parse(&self.text(column)?).ok_or_else(|| self.inconsistent(column))
    }

    pub(crate) fn named_or_none<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.text_or_none(column)?
            .map(|text| parse(&text).ok_or_else(|| self.inconsistent(column)))
            .transpose()
    }

    /// Newline-joined text.
    pub(crate) fn lines(&self, column: &'static str) -> Result<Vec<String>, StoreError> {
        Ok(self.text(column)?.lines().map(str::to_owned).collect())
    }

    pub(crate) fn procedures(&self, column: &'static str) -> Result<BTreeSet<ProcedureId>, StoreError> {
        self.text(column)?
            .lines()
            .map(|line| ProcedureId::parse(line).map_err(|_| self.inconsistent(column)))
            .collect()
    }
}

/// Joins values by newline, as lists are stored.
pub(crate) fn lines<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    values.into_iter().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_joined_by_newline() {
        assert_eq!(lines(["openid", "profile"]), "openid\nprofile");
        assert_eq!(lines([]), "");
    }
}
