//! What clients signed and we have seen, assertions (RFC 7523, section 3) and proofs of possession (RFC 9449): each works once.

use super::bound::sql;
use super::statement::statements;
use super::{StoreError, Tx};
use crate::mandate::{ClientId, Instant};

statements! {
    USE = "INSERT INTO used_assertion (client_id, jti_hash, expires_at) VALUES ($1, $2, $3) \
        ON CONFLICT (client_id, jti_hash) DO NOTHING";
    PURGE = "DELETE FROM used_assertion WHERE expires_at <= $1";
}

/// Records that an assertion or a proof was used, under the hash of what identifies it; whether it was the first time.
pub async fn take(
    tx: &mut Tx,
    client: &ClientId,
    jti_hash: &str,
    expires_at: Instant,
) -> Result<bool, StoreError> {
    let insert = sql(USE).bind(client.as_str()).bind(jti_hash).bind(expires_at.micros());
    Ok(tx.execute(insert).await? == 1)
}

/// Forgets assertions that had expired by `before` and are refused for that; how many.
pub async fn purge(tx: &mut Tx, before: Instant) -> Result<u64, StoreError> {
    tx.execute(sql(PURGE).bind(before.micros())).await
}
