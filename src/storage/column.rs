//! Reading columns. What cannot be read is an inconsistency that names table, column and row.

use super::StoreError;
use crate::journal::Hash;
use crate::mandate::{Instant, ProcedureId};
use sqlx::Row as _;
use sqlx::any::{Any, AnyRow};
use std::collections::BTreeSet;

/// One row of a table, whose first column is its key.
pub(crate) struct Columns<'r> {
    row: &'r AnyRow,
    table: &'static str,
}

impl<'r> Columns<'r> {
    pub(crate) const fn of(table: &'static str, row: &'r AnyRow) -> Self {
        Self { row, table }
    }

    /// The error for a column that makes no sense here.
    pub(crate) fn inconsistent(&self, column: &'static str) -> StoreError {
        let id = self.row.try_get::<String, _>(0).unwrap_or_default();
        StoreError::Inconsistent { table: self.table, column, id }
    }

    fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: sqlx::Decode<'r, Any> + sqlx::Type<Any>,
    {
        self.row.try_get(column).map_err(|_| self.inconsistent(column))
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(crate) fn text_or_none(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    pub(crate) fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(crate) fn number_or_none(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.get(column)
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
        self.get(column)
    }

    pub(crate) fn bytes_or_none(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(column)
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
