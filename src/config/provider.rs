//! `[citizens]` and `[agents]`: how we are registered at the two OpenID Providers people sign in with.

use super::reader::{Section, one_of};
use super::{ConfigError, Secret, values};

/// How we prove ourselves at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    /// Identifier and secret in the form's body: what FranceConnect and ProConnect accept.
    ClientSecretPost,
    /// Identifier and secret in the `Authorization` header.
    ClientSecretBasic,
}

/// What the userinfo endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserinfoFormat {
    /// `application/json`.
    Json,
    /// `application/jwt`, signed (FranceConnect).
    Jwt,
    /// It is not asked: all claims stand in the ID token.
    None,
}

/// A signature algorithm of ID tokens and signed userinfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256.
    Es256,
    /// RSA PKCS#1 v1.5.
    Rs256,
    /// RSA-PSS.
    Ps256,
    /// HMAC with the client secret.
    Hs256,
}

/// Our registration at one provider (contract `franceconnect.md`).
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its issuer, byte for byte as the provider writes it: https, or http on loopback.
    pub issuer: String,
    /// Its name as people know it, on the sign-in pages. Default: the host of its issuer.
    pub label: String,
    /// Our client identifier there.
    pub client_id: String,
    /// Our client secret there.
    pub client_secret: Secret,
    /// How we prove ourselves at its token endpoint. Default `client_secret_post`.
    pub auth_method: AuthMethod,
    /// Scopes asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Levels of identity asked for. Default: none.
    pub acr_values: Vec<String>,
    /// Levels accepted in the answer. Default: those asked for; with neither, any.
    pub accepted_acr: Vec<String>,
    /// Whether to send PKCE. Default yes; FranceConnect refuses parameters it does not know, PKCE included.
    pub pkce: bool,
    /// Whether to send the languages of its pages (`ui_locales`). Default yes; a provider that refuses parameters it does not
    /// know may not know this one.
    pub ui_locales: bool,
    /// Whether to say whom the person says they are (`login_hint`), where they were asked. Default no: FranceConnect refuses
    /// it, `ProConnect` takes an e-mail address.
    pub login_hint: bool,
    /// The `claims` request parameter, a JSON object. Default: none.
    pub claims: Option<serde_json::Value>,
    /// What its userinfo endpoint answers. Default `json`.
    pub userinfo: UserinfoFormat,
    /// Signature algorithms accepted. Default ES256 and RS256.
    pub algorithms: Vec<Algorithm>,
    /// `acr` values that prove a second factor by themselves. Default: none, so ours is asked for.
    pub second_factor_acr: Vec<String>,
    /// `amr` values that prove one, unless `mail` stands beside them. Default: none.
    pub second_factor_amr: Vec<String>,
}

const WORDS: &str = "write a list of words, such as [\"profile\", \"email\"]";

fn issuer(text: &str) -> Option<String> {
    values::public_url(text).map(|_| text.to_owned())
}

fn host(issuer: &str) -> String {
    url::Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn json_object(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text).ok().filter(serde_json::Value::is_object)
}

pub(super) fn read(section: &mut Section<'_>) -> Result<Provider, ConfigError> {
    const SECRET: &str = "give the secret the provider issued, or its file in client_secret_file";
    let algorithms = [
        ("ES256", Algorithm::Es256),
        ("RS256", Algorithm::Rs256),
        ("PS256", Algorithm::Ps256),
        ("HS256", Algorithm::Hs256),
    ];
    let issuer = section.required(
        "issuer",
        "write the provider's issuer, such as \"https://oidc.franceconnect.gouv.fr/api/v2\"",
        issuer,
    )?;
    let label = section.optional("label", "write its name, such as \"FranceConnect\"", values::nonempty)?;
    let client_id =
        section.required("client_id", "write the identifier the provider issued", values::nonempty)?;
    let client_secret = section.secret("client_secret", SECRET, |_| true)?;
    let acr_values = section.list("acr_values", WORDS, values::nonempty)?;
    let mut provider = Provider {
        label: label.unwrap_or_else(|| host(&issuer)),
        issuer,
        client_id,
        client_secret: client_secret.ok_or_else(|| section.missing("client_secret", SECRET))?,
        auth_method: section
            .choice(
                "auth_method",
                &[
                    ("client_secret_post", AuthMethod::ClientSecretPost),
                    ("client_secret_basic", AuthMethod::ClientSecretBasic),
                ],
            )?
            .unwrap_or(AuthMethod::ClientSecretPost),
        scopes: section.list("scopes", WORDS, values::nonempty)?,
        accepted_acr: section.list("accepted_acr", WORDS, values::nonempty)?,
        acr_values,
        pkce: section.flag("pkce", true)?,
        ui_locales: section.flag("ui_locales", true)?,
        login_hint: section.flag("login_hint", false)?,
        claims: section.optional("claims", "write a JSON object in quotes", json_object)?,
        userinfo: section
            .choice(
                "userinfo",
                &[
                    ("json", UserinfoFormat::Json),
                    ("jwt", UserinfoFormat::Jwt),
                    ("none", UserinfoFormat::None),
                ],
            )?
            .unwrap_or(UserinfoFormat::Json),
        algorithms: section.list(
            "algorithms",
            "write some of [\"ES256\", \"RS256\", \"PS256\", \"HS256\"]",
            |text| one_of(&algorithms, text),
        )?,
        second_factor_acr: section.list("second_factor_acr", WORDS, values::nonempty)?,
        second_factor_amr: section.list("second_factor_amr", WORDS, values::nonempty)?,
    };
    if provider.accepted_acr.is_empty() {
        provider.accepted_acr.clone_from(&provider.acr_values);
    }
    if provider.algorithms.is_empty() {
        provider.algorithms = vec![Algorithm::Es256, Algorithm::Rs256];
    }
    Ok(provider)
}

/// `[other_agents.ID]`: a provider of professionals whose addresses are of certain domains.
#[derive(Debug, Clone)]
pub struct OtherAgents {
    /// Its identifier, in addresses and in the journal: a word.
    pub id: String,
    /// The domains of e-mail addresses it speaks for, in lower case (ASCII form).
    pub domains: Vec<String>,
    /// Our registration there; its callback is `ISSUER/callback/agents/ID`.
    pub provider: Provider,
}

pub(super) fn read_other(id: &str, section: &mut Section<'_>) -> Result<OtherAgents, ConfigError> {
    const DOMAINS: &str = "write the domains of its e-mail addresses, such as [\"ville-exemple.fr\"]";
    let word =
        !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !word {
        let cure = "write a word of a-z, 0-9 and -, such as [other_agents.ville]".to_owned();
        return Err(ConfigError::Invalid { key: "other_agents".to_owned(), value: id.to_owned(), cure });
    }
    let domains = section.list("domains", DOMAINS, values::domain)?;
    if domains.is_empty() {
        return Err(section.missing("domains", DOMAINS));
    }
    Ok(OtherAgents { id: id.to_owned(), domains, provider: read(section)? })
}

/// Refuses two providers that would speak for one domain.
pub(super) fn apart(others: Vec<OtherAgents>) -> Result<Vec<OtherAgents>, ConfigError> {
    let mut seen = std::collections::BTreeSet::new();
    for other in &others {
        for domain in &other.domains {
            if !seen.insert(domain.as_str()) {
                return Err(ConfigError::Invalid {
                    key: format!("other_agents.{}.domains", other.id),
                    value: format!("{domain:?}"),
                    cure: "name each domain once, at the one provider that speaks for it".to_owned(),
                });
            }
        }
    }
    Ok(others)
}
