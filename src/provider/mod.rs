//! Porteplume as OpenID Provider: metadata, requests, client authentication, tokens, claims, logout.
//!
//! Bytes in, bytes out: no web framework, no database, no clock. Each request is read in two steps, since the
//! registration is looked up in between: first whom it names, then whether it holds. What may be remembered (codes,
//! tokens, used assertions) is the caller's; the facts come in as arguments and the refusals go out as typed values
//! with stable codes.
//!
//! How an aidant acting for a usager maps onto OpenID: the End-User who signs in here is the *aidant* (`auth_time`,
//! `prompt`, `max_age`); the subject of the tokens is the *usager* (`sub`, pairwise; `acr`); `act` (RFC 8693) names the aidant
//! and `authorization_details` (RFC 9396) the mandate.

mod assertion;
mod authorize;
mod claim;
mod client_auth;
mod client_keys;
mod details;
mod dpop;
mod id_token;
mod introspection;
mod issuer;
mod logout;
mod metadata;
mod notice;
mod oauth_error;
mod options;
mod params;
mod pkce;
mod profile;
mod pushed;
mod refresh;
mod registration;
mod rep_scope;
mod request_object;
mod resource;
mod response;
mod said;
mod schemas;
#[cfg(test)]
mod testing;
mod token;
mod userinfo;

pub use assertion::{AssertionUse, CLOCK_SKEW, MAX_LIFE};
pub use authorize::{AuthorizationRequest, AuthorizeError, PageError, Prompt, ReturnAddress, client_of};
pub use claim::{Claim, NoOpenId, Scope};
pub use client_auth::{ASSERTION_TYPE, AuthenticatedClient, Credentials};
pub use client_keys::{ClientKeys, UnusableKeys};
pub use details::{AskedMandate, InvalidDetails, MANDATE_TYPE};
pub use dpop::{Nonces, PROOF_ALGS, PROOF_WINDOW, Proof, ProofRefusal, ProvenRequest, Thumbprint, proof};
pub use id_token::{
    Actor, ActorOrganisation, Hint, ID_TOKEN_LIFE, IdToken, JournalReference, MandateDetails,
    OrganisationName,
};
pub use introspection::{
    INTROSPECT, Introspected, REVOKE, SIGNED_INTROSPECTION, asked_token, introspection, signed_introspection,
};
pub use issuer::{AUTHORIZE, DISCOVERY, END_SESSION, InvalidIssuer, Issuer, JWKS, PAR, TOKEN, USERINFO};
pub use logout::{LogoutDecision, LogoutRequest, LogoutSession};
pub use metadata::{ACR_VALUES, discovery};
pub use notice::{Initiator, LOGOUT_EVENT, Notice, SECURITY_EVENT_TYPE, SESSION_REVOKED};
pub use oauth_error::{BearerError, ClientRefusal, ErrorReply, GrantRefusal, OAuthError};
pub use options::{ClientAuthMethod, IdTokenAlg, Pkce, Refresh, RequestObjects, Subject, UserinfoFormat};
pub use params::{Params, ParamsError};
pub use pkce::{CodeChallenge, CodeVerifier, InvalidPkce};
pub use profile::{AssertionAudience, PkceRule, Profile, Rules, ScopeGroup};
pub use pushed::{REQUEST_URI_LIFE, pushed_answer, pushed_reference};
pub use refresh::{IssuedRefresh, RefreshRequest};
pub use registration::{ClientCredential, ClientDraft, ClientRegistration, RedirectUri, RegistrationError};
pub use request_object::{RequestObjectError, effective};
pub use resource::{REPRESENTATION, Standing, read_report};
pub use response::{Answerer, AuthorizeCode, ErrorAnswer, ResponseMode};
pub use said::{Authority, FRANCECONNECT_ACR, Said};
pub use schemas::SCHEMAS;
pub use token::{ACCESS_TOKEN_LIFE, CODE_LIFE, Grant, IssuedCode, TokenAnswer, TokenRequest};
pub use userinfo::{Scheme, ShownToken, bearer, signed_userinfo, userinfo};
