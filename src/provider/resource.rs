//! The resource by which a service follows the representation it holds a token for: `GET` says how it stands, `POST`
//! says what became of the procedure.

use super::id_token::MandateDetails;
use super::oauth_error::{BearerError, OAuthError};
use crate::crypto::json_object;
use crate::mandate::{Instant, ProcedureOutcome, ReceiptNumber, RepresentationId, ServiceReport};
use serde::{Deserialize, Serialize};

/// Path of the resource.
pub const REPRESENTATION: &str = "/api/v1/representation";

/// The longest report that is read, in bytes.
const MAX_REPORT: usize = 4096;

/// How a representation stands. A token for one that is over is refused, so it always is open.
pub struct Standing<'a> {
    /// The representation, which ID and logout tokens name as `sid`.
    pub id: &'a RepresentationId,
    /// When it ends by itself.
    pub ends: Instant,
    /// What the service has reported.
    pub outcome: Option<ProcedureOutcome>,
    /// The mandate, as tokens tell it.
    pub mandate: &'a MandateDetails,
}

impl Standing<'_> {
    /// The JSON to send; times in seconds since 1970.
    ///
    /// # Errors
    /// [`OAuthError::ServerError`] when it does not serialise.
    pub fn to_json(&self) -> Result<Vec<u8>, OAuthError> {
        #[derive(Serialize)]
        struct Body<'a> {
            sid: &'a RepresentationId,
            state: &'static str,
            ends: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            outcome: Option<ProcedureOutcome>,
            authorization_details: [&'a MandateDetails; 1],
        }
        let body = Body {
            sid: self.id,
            state: "open",
            ends: self.ends.seconds(),
            outcome: self.outcome,
            authorization_details: [self.mandate],
        };
        serde_json::to_vec(&body).map_err(|_| OAuthError::ServerError)
    }
}

/// Reads a report: `outcome`, and `receipt` where the service has given a number.
///
/// # Errors
/// [`BearerError::InvalidReport`].
pub fn read_report(body: &[u8]) -> Result<ServiceReport, BearerError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wire {
        outcome: ProcedureOutcome,
        receipt: Option<String>,
    }
    if body.len() > MAX_REPORT {
        return Err(BearerError::InvalidReport);
    }
    let wire: Wire = json_object(body).ok_or(BearerError::InvalidReport)?;
    let receipt = wire.receipt.map(|text| ReceiptNumber::parse(&text).ok_or(BearerError::InvalidReport));
    ServiceReport::new(wire.outcome, receipt.transpose()?).map_err(|_| BearerError::InvalidReport)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_report_says_what_became_of_the_procedure() {
        let report = read_report(br#"{"outcome":"submitted","receipt":"2026-0001"}"#).unwrap();
        assert_eq!(report.outcome(), ProcedureOutcome::Submitted);
        assert_eq!(report.receipt().unwrap().as_str(), "2026-0001");
        assert_eq!(read_report(br#"{"outcome":"abandoned"}"#).unwrap().receipt(), None);
    }

    #[test]
    fn reports_of_another_form_are_refused() {
        let long = format!(r#"{{"outcome":"saved","receipt":"{}"}}"#, "9".repeat(MAX_REPORT));
        for bad in [
            "",
            "null",
            "{}",
            "[]",
            r#"["submitted","2026-0001"]"#,
            r#"{"outcome":"done"}"#,
            r#"{"outcome":"Submitted"}"#,
            r#"{"outcome":"saved","outcome":"submitted"}"#,
            r#"{"outcome":"saved","surprise":1}"#,
            r#"{"outcome":"saved","receipt":""}"#,
            r#"{"outcome":"saved","receipt":"a\u0000b"}"#,
            r#"{"outcome":"abandoned","receipt":"1"}"#,
            &long,
        ] {
            assert_eq!(read_report(bad.as_bytes()), Err(BearerError::InvalidReport), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_a_report_never_panics(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_report(&body);
        }
    }
}
