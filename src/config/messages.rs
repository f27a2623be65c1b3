//! `[messages]`: who carries what usagers are told.

use super::reader::Section;
use super::{ConfigError, Secret, values};
use crate::mandate::EmailAddress;

/// `[messages]`: who carries what usagers are told. Without it everybody is told on paper.
#[derive(Debug, Clone, Default)]
pub struct Messages {
    /// By e-mail.
    pub email: Option<EmailWay>,
    /// By text message.
    pub sms: Option<Hook>,
    /// By a call.
    pub voice: Option<Hook>,
    /// Whether replies to text messages are posted to us, under the secret of `sms`.
    pub sms_replies: bool,
}

/// Who carries e-mail.
#[derive(Debug, Clone)]
pub enum EmailWay {
    /// A mail server.
    Smtp(MailServer),
    /// Somebody's webhook.
    Hook(Hook),
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Its name: the one its certificate must be of.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is kept from others.
    pub tls: MailTls,
    /// User and password.
    pub credentials: Option<(String, Secret)>,
    /// From whom our mail is.
    pub from: String,
}

/// How the way to a mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// TLS begins on the open connection, and nothing is sent without it.
    Starttls,
    /// TLS from the first byte.
    Implicit,
    /// None: on this machine only.
    None,
}

/// A webhook.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Its address.
    pub url: String,
    /// The secret both sides know.
    pub secret: Secret,
}

impl Messages {
    /// Its secrets, for a keyed hash and nothing else.
    pub(super) fn secrets(&self) -> String {
        let email = match &self.email {
            Some(EmailWay::Smtp(server)) => server.credentials.as_ref().map(|(_, password)| password),
            Some(EmailWay::Hook(hook)) => Some(&hook.secret),
            None => None,
        };
        let hooks = [&self.sms, &self.voice].map(|hook| hook.as_ref().map(|hook| &hook.secret));
        let all = std::iter::once(email).chain(hooks);
        all.map(|secret| secret.map_or("", Secret::expose)).collect::<Vec<_>>().join("\n")
    }
}

const HOST: &str = "write the name of your mail server, such as \"smtp.example.fr\"";
const USER: &str = "write the name by which we sign in to the mail server";
const PASSWORD: &str = "give the password of messages.smtp_user, or its file in messages.smtp_password_file";
const FROM: &str = "write the address our mail is from, such as \"ne-pas-repondre@mandats.example.fr\"";
const URL: &str =
    "write the address of the webhook, such as \"https://sms.example.fr/porteplume\" (http only on loopback)";
const SECRET: &str = "give the secret both sides know, 32 characters or more, or its file";
/// The least length of a webhook's secret, in characters.
const LEAST_SECRET: usize = 32;

/// Reads the section.
pub(super) fn read(section: &mut Section<'_>) -> Result<Messages, ConfigError> {
    let server = server(section)?;
    let by_hook = hook(section, "email_url", "email_secret")?;
    let email = match (server, by_hook) {
        (Some(_), Some(_)) => {
            return Err(section.missing("smtp_host", "keep one of messages.smtp_host and messages.email_url"));
        }
        (Some(server), None) => Some(EmailWay::Smtp(server)),
        (None, by_hook) => by_hook.map(EmailWay::Hook),
    };
    let sms = hook(section, "sms_url", "sms_secret")?;
    let voice = hook(section, "voice_url", "voice_secret")?;
    let sms_replies = section.flag("sms_replies", false)?;
    if sms_replies && sms.is_none() {
        return Err(section.missing("sms_url", URL));
    }
    Ok(Messages { email, sms, voice, sms_replies })
}

fn server(section: &mut Section<'_>) -> Result<Option<MailServer>, ConfigError> {
    let ways = [("starttls", MailTls::Starttls), ("implicit", MailTls::Implicit), ("none", MailTls::None)];
    let host = section.optional("smtp_host", HOST, values::host)?;
    let tls = section.choice("smtp_tls", &ways)?.unwrap_or(MailTls::Starttls);
    let port = section.number("smtp_port", 1..=65_535, if tls == MailTls::Implicit { 465 } else { 587 })?;
    let user = section.optional("smtp_user", USER, values::nonempty)?;
    let password = section.secret("smtp_password", PASSWORD, |_| true)?;
    let from =
        section.optional("smtp_from", FROM, |text| EmailAddress::parse(text).ok().map(String::from))?;
    let Some(host) = host else {
        return if user.is_some() || password.is_some() || from.is_some() {
            Err(section.missing("smtp_host", HOST))
        } else {
            Ok(None)
        };
    };
    let here =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if tls == MailTls::None && !here {
        let cure = "a mail server elsewhere is reached by TLS only: write \"starttls\" or \"implicit\" in messages.smtp_tls";
        return Err(section.missing("smtp_tls", cure));
    }
    let credentials = match (user, password) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user, password)),
        (None, Some(_)) => return Err(section.missing("smtp_user", USER)),
        (Some(_), None) => return Err(section.missing("smtp_password", PASSWORD)),
    };
    let from = from.ok_or_else(|| section.missing("smtp_from", FROM))?;
    Ok(Some(MailServer { host, port: u16::try_from(port).unwrap_or(587), tls, credentials, from }))
}

fn hook(
    section: &mut Section<'_>,
    url: &'static str,
    secret: &'static str,
) -> Result<Option<Hook>, ConfigError> {
    let found = section.optional(url, URL, values::authority)?;
    let held = section.secret(secret, SECRET, |text| text.chars().count() >= LEAST_SECRET)?;
    match (found, held) {
        (None, None) => Ok(None),
        (Some(url), Some(secret)) => Ok(Some(Hook { url, secret })),
        (None, Some(_)) => Err(section.missing(url, URL)),
        (Some(_), None) => Err(section.missing(secret, SECRET)),
    }
}
