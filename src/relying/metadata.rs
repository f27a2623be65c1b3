//! What a provider says of itself: metadata and keys, loaded when first needed and kept for a while, so that the
//! service starts when a provider is down and survives its short absences.

use super::{HttpClient, HttpError, RelyingError};
use crate::mandate::Instant;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, EndSessionUrl, IssuerUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError, RwLock};
use time::Duration;

/// Age from which a copy is renewed in passing.
const RENEW_AFTER: Duration = Duration::hours(1);
/// Age from which a copy is not used any more: a withdrawn key must die even while the provider is away.
const USABLE_FOR: Duration = Duration::hours(24);
/// The least time between two attempts: a provider that is down, or a forger who invents key identifiers, must not
/// make us call without end.
const ATTEMPT_EVERY: Duration = Duration::seconds(10);

/// Metadata beyond OpenID Connect Discovery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Extra {
    /// RP-initiated logout.
    #[serde(default)]
    pub(super) end_session_endpoint: Option<EndSessionUrl>,
    /// RFC 9207: every authorisation response names the issuer.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

pub(super) type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

#[derive(Clone)]
struct Kept {
    metadata: Arc<Metadata>,
    fetched: Instant,
}

/// The last attempt to call the provider, and how it ended.
struct Attempt {
    at: Instant,
    failed: Option<RelyingError>,
}

/// The kept copy of one provider's metadata and keys.
pub(super) struct MetadataCache {
    issuer: IssuerUrl,
    http: HttpClient,
    kept: RwLock<Option<Kept>>,
    /// Held while calling the provider, so that one caller at a time does.
    attempt: tokio::sync::Mutex<Option<Attempt>>,
}

impl MetadataCache {
    pub(super) fn new(issuer: IssuerUrl, http: HttpClient) -> Self {
        Self { issuer, http, kept: RwLock::new(None), attempt: tokio::sync::Mutex::new(None) }
    }

    /// The metadata, from the copy where it is recent enough.
    pub(super) async fn get(&self, now: Instant) -> Result<Arc<Metadata>, RelyingError> {
        match self.usable(now) {
            Some(copy) if now.since(copy.fetched) < RENEW_AFTER => Ok(copy.metadata),
            Some(copy) => {
                // Renewing is one caller's work; the others, and that one when it fails, use what there is.
                if let Ok(mut last) = self.attempt.try_lock()
                    && may_attempt(last.as_ref(), now)
                {
                    return Ok(self.fetch(&mut last, now).await.unwrap_or(copy.metadata));
                }
                Ok(copy.metadata)
            }
            None => {
                let mut last = self.attempt.lock().await;
                if let Some(copy) = self.usable(now) {
                    return Ok(copy.metadata);
                }
                match last.as_ref() {
                    Some(Attempt { failed: Some(error), .. }) if !may_attempt(last.as_ref(), now) => {
                        Err(error.clone())
                    }
                    _ => self.fetch(&mut last, now).await,
                }
            }
        }
    }

    /// The metadata with keys newer than `seen`, for a token whose key is not among those. Gives nothing when the
    /// provider was asked a moment ago.
    pub(super) async fn newer_than(
        &self,
        seen: &Arc<Metadata>,
        now: Instant,
    ) -> Result<Option<Arc<Metadata>>, RelyingError> {
        let mut last = self.attempt.lock().await;
        if let Some(copy) = self.usable(now).filter(|copy| !Arc::ptr_eq(&copy.metadata, seen)) {
            return Ok(Some(copy.metadata));
        }
        if !may_attempt(last.as_ref(), now) {
            return Ok(None);
        }
        self.fetch(&mut last, now).await.map(Some)
    }

    fn usable(&self, now: Instant) -> Option<Kept> {
        let copy = self.kept.read().unwrap_or_else(PoisonError::into_inner).clone();
        copy.filter(|copy| now.since(copy.fetched) < USABLE_FOR)
    }

    async fn fetch(&self, last: &mut Option<Attempt>, now: Instant) -> Result<Arc<Metadata>, RelyingError> {
        let fetched = self.call().await;
        *last = Some(Attempt { at: now, failed: fetched.as_ref().err().cloned() });
        let metadata = Arc::new(fetched?);
        let copy = Kept { metadata: Arc::clone(&metadata), fetched: now };
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        Ok(metadata)
    }

    async fn call(&self) -> Result<Metadata, RelyingError> {
        let metadata =
            Metadata::discover_async(self.issuer.clone(), &self.http).await.map_err(|e| refused(&e))?;
        // The browser is sent there: an address that we would not call ourselves is not one to send a person to.
        self.http.check_url(metadata.authorization_endpoint().url())?;
        if metadata.token_endpoint().is_none() {
            return Err(RelyingError::Discovery);
        }
        Ok(metadata)
    }
}

fn may_attempt(last: Option<&Attempt>, now: Instant) -> bool {
    last.is_none_or(|attempt| now.since(attempt.at).abs() >= ATTEMPT_EVERY)
}

fn refused(error: &DiscoveryError<HttpError>) -> RelyingError {
    match error {
        DiscoveryError::Request(error) => (*error).into(),
        _ => RelyingError::Discovery,
    }
}
