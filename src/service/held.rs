//! A token that a service shows at a resource: whether it may be used now, by whoever shows it.

use super::grounds::Use;
use super::{App, Caller, Error};
use crate::mandate::{Allowed, EventKind, Instant};
use crate::provider::{BearerError, Proof, ProofRefusal, ProvenRequest, Scheme, ShownToken, proof};
use crate::storage::tokens::{self, TokenRow};
use crate::storage::{Tx, assertions, representations};

/// A token that lives, for someone who must not learn it.
pub(super) const DEAD: &str = "token_not_live";

/// What a resource takes, and how its refusals are journaled.
#[derive(Clone, Copy)]
pub(super) struct Resource {
    /// Its path.
    pub(super) path: &'static str,
    /// Whether only tokens that are bound to a key are taken there.
    pub(super) bound_only: bool,
    /// The kind of entry of what is refused there.
    pub(super) refused: EventKind,
}

/// A token as it is shown at a resource, with the proof beside it.
pub(super) struct Shown {
    token: ShownToken,
    proof: Result<Option<Proof>, ProofRefusal>,
    resource: Resource,
}

/// A token that may be used, and what it is for.
pub(super) struct Held {
    pub(super) token: TokenRow,
    pub(super) of: Use,
    pub(super) allowed: Allowed,
}

impl Shown {
    /// The token of a request of that method, with the proofs that came with it.
    pub(super) fn at(
        app: &App,
        resource: Resource,
        token: ShownToken,
        (method, proofs): (&str, &[&[u8]]),
        now: Instant,
    ) -> Self {
        let nonces = app.nonces(now);
        let at = ProvenRequest { method, path: resource.path, token: Some(&token.hash), nonces: &nonces };
        Self { proof: proof(proofs.iter().copied(), at, &app.issuer, now), token, resource }
    }

    /// The token and its representation, read and decided on in this transaction. The inner error is a refusal whose entry is to
    /// be committed.
    pub(super) async fn held(
        &self,
        app: &App,
        tx: &mut Tx,
        (caller, now): (&Caller, Instant),
    ) -> Result<Result<Held, Error>, Error> {
        let kind = self.resource.refused;
        let token = tokens::load_token(tx, &self.token.hash.to_hex()).await?;
        let Some(token) = token.filter(TokenRow::is_access) else {
            // Anyone may send any text: it concerns nobody and writes nothing.
            return Ok(Err(BearerError::InvalidToken.into()));
        };
        let of = representations::load(tx, &token.representation).await?.ok_or(Error::Unreadable)?;
        let mut of = Use::read(tx, of).await?;
        if let Err(refusal) = self.is_held_by_its_key(tx, &token).await? {
            of.refusal(kind, refusal.code()).keep(app, tx, (caller, now)).await?;
            return Ok(Err(BearerError::from(refusal).into()));
        }
        match lives(app, &token, &of, now) {
            Ok(allowed) => Ok(Ok(Held { token, of, allowed })),
            Err(code) => {
                of.refusal(kind, code).keep(app, tx, (caller, now)).await?;
                of.service_knows(app, tx, (caller, now)).await?;
                Ok(Err(BearerError::InvalidToken.into()))
            }
        }
    }

    /// Whether a token bound to a key comes with a fresh proof of it, and one that is not comes as what it is (RFC 9449,
    /// section 7). Nothing about the token is told before.
    async fn is_held_by_its_key(
        &self,
        tx: &mut Tx,
        token: &TokenRow,
    ) -> Result<Result<(), ProofRefusal>, Error> {
        let Some(key) = &token.dpop_jkt else {
            let plain = self.token.scheme == Scheme::Bearer && !self.resource.bound_only;
            return Ok(if plain { Ok(()) } else { Err(ProofRefusal::OtherKey) });
        };
        let proof = match (&self.proof, self.token.scheme) {
            (_, Scheme::Bearer) | (Ok(None), _) => return Ok(Err(ProofRefusal::Absent)),
            (Err(refusal), Scheme::Dpop) => return Ok(Err(*refusal)),
            (Ok(Some(proof)), Scheme::Dpop) => proof,
        };
        if proof.key.as_str() != key {
            return Ok(Err(ProofRefusal::OtherKey));
        }
        let first = assertions::take(tx, &token.client, &proof.once(), proof.until).await?;
        Ok(if first { Ok(()) } else { Err(ProofRefusal::Replayed) })
    }
}

/// The decision comes first, so that the journal tells why a token died.
pub(super) fn lives(app: &App, token: &TokenRow, of: &Use, now: Instant) -> Result<Allowed, &'static str> {
    let allowed = of.allowed(app, now)?;
    if token.is_live(now) { Ok(allowed) } else { Err(DEAD) }
}
