//! The userinfo endpoint.

use super::metadata::Metadata;
use super::verify::SKEW;
use super::{RelyingError, RelyingParty, UserinfoFault};
use crate::config::UserinfoFormat;
use crate::crypto::{JwsAlg, JwsError, SecretString, verify_jws};
use crate::mandate::Instant;
use openidconnect::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use openidconnect::http::{HeaderMap, HeaderValue, Request, StatusCode};
use openidconnect::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};

const JSON: &str = "application/json";
const JWT: &str = "application/jwt";

impl RelyingParty {
    /// The claims userinfo gives for the access token, which must be about that subject. Besides ending a sign-in,
    /// it tells whether access still stands: a provider answers 401 from the moment it has withdrawn it.
    ///
    /// # Errors
    /// [`RelyingError::Userinfo`], [`RelyingError::Http`] or [`RelyingError::Discovery`].
    pub async fn userinfo(
        &self,
        access_token: &SecretString,
        subject: &str,
        now: Instant,
    ) -> Result<Map<String, Value>, RelyingError> {
        let metadata = self.metadata.get(now).await?;
        let endpoint = metadata.userinfo_endpoint().ok_or(UserinfoFault::NoEndpoint)?;
        let answer = self.http.send(self.userinfo_request(endpoint.as_str(), access_token)?).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(UserinfoFault::Unauthorized.into());
            }
            _ => return Err(UserinfoFault::Status.into()),
        }
        let claims = match self.registration.provider.userinfo {
            UserinfoFormat::Json => plain(&answer)?,
            UserinfoFormat::Jwt => {
                let claims = self.signed(&answer, &metadata)?;
                self.check_party(&claims, now)?;
                claims
            }
            UserinfoFormat::None => return Err(UserinfoFault::NoEndpoint.into()),
        };
        if claims.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(UserinfoFault::Subject.into());
        }
        Ok(claims)
    }

    fn userinfo_request(&self, url: &str, token: &SecretString) -> Result<HttpRequest, RelyingError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| RelyingError::TokenAnswer)?;
        bearer.set_sensitive(true);
        let accepted = if self.registration.provider.userinfo == UserinfoFormat::Jwt { JWT } else { JSON };
        Request::get(url)
            .header(ACCEPT, accepted)
            .header(AUTHORIZATION, bearer)
            .body(Vec::new())
            .map_err(|_| RelyingError::Discovery)
    }

    /// The claims of a signed answer. Done here, since `openidconnect` verifies signed userinfo for RS256 alone and the
    /// French providers sign it with ES256. HMAC with the client secret is not taken for userinfo.
    fn signed(
        &self,
        answer: &HttpResponse,
        metadata: &Metadata,
    ) -> Result<Map<String, Value>, UserinfoFault> {
        let compact = std::str::from_utf8(answer.body()).map_err(|_| UserinfoFault::Format)?;
        if !is_kind(answer.headers(), JWT) {
            return Err(UserinfoFault::Format);
        }
        let keys = serde_json::to_value(metadata.jwks()).map_err(|_| UserinfoFault::Signature)?;
        let algorithms: Vec<JwsAlg> = self.registration.userinfo_algorithms().collect();
        let verified = verify_jws(compact.trim(), &keys, &algorithms).map_err(|error| match error {
            JwsError::Malformed => UserinfoFault::Format,
            _ => UserinfoFault::Signature,
        })?;
        serde_json::from_slice(&verified.payload).map_err(|_| UserinfoFault::Format)
    }

    /// In a signed answer, issuer, audience and expiry may be absent but must hold where present.
    fn check_party(&self, claims: &Map<String, Value>, now: Instant) -> Result<(), UserinfoFault> {
        let is = |value: &Value, text: &str| value.as_str() == Some(text);
        let issuer = claims.get("iss").is_none_or(|issuer| is(issuer, self.registration.issuer.as_str()));
        let audience = claims.get("aud").is_none_or(|audience| match audience {
            Value::Array(several) => several.iter().any(|one| is(one, &self.registration.provider.client_id)),
            one => is(one, &self.registration.provider.client_id),
        });
        let expiry = claims
            .get("exp")
            .is_none_or(|expiry| expiry.as_i64().is_some_and(|seconds| seconds > now.plus(-SKEW).seconds()));
        if issuer && audience && expiry { Ok(()) } else { Err(UserinfoFault::Party) }
    }
}

fn plain(answer: &HttpResponse) -> Result<Map<String, Value>, UserinfoFault> {
    if !is_kind(answer.headers(), JSON) {
        return Err(UserinfoFault::Format);
    }
    serde_json::from_slice(answer.body()).map_err(|_| UserinfoFault::Format)
}

fn is_kind(headers: &HeaderMap, kind: &str) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(kind))
}
