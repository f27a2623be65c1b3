//! A mail server (RFC 5321), over TLS unless it stands on this machine.

use super::{Courier, Handing, LONGEST_HANDING, Letter, NotTaken};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use std::time::{Duration, SystemTime};

/// How the way to the mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS begins on the open connection; a server that does not offer it gets nothing.
    Starttls,
    /// TLS from the first byte.
    Implicit,
    /// None: for a server on this machine only.
    None,
}

/// A mail server, as the configuration has it.
pub struct SmtpSettings<'a> {
    /// Its name: the one its certificate must be of.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// How the way to it is kept.
    pub tls: SmtpTls,
    /// User and password, if it asks for them.
    pub credentials: Option<(&'a str, &'a str)>,
    /// From whom our mail is.
    pub from: &'a str,
    /// Certificates (PEM) of authorities trusted beside the usual ones.
    pub authorities: &'a [Vec<u8>],
}

/// Sends by a mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// What stands behind the at sign of our messages' identifiers.
    domain: String,
}

impl Smtp {
    /// A mail server; nothing is asked of it yet.
    ///
    /// # Errors
    /// What of the settings cannot be used.
    pub fn new(settings: &SmtpSettings<'_>) -> Result<Self, &'static str> {
        let from: Mailbox = settings.from.parse().map_err(|_| "its sender is no address")?;
        let domain = from.email.domain().to_owned();
        let mut parameters = TlsParameters::builder(settings.host.to_owned());
        for pem in settings.authorities {
            let read = Certificate::from_pem(pem).map_err(|_| "an authority's certificate cannot be read")?;
            parameters = parameters.add_root_certificate(read);
        }
        let parameters = || parameters.clone().build_rustls().map_err(|_| "TLS cannot be set up");
        let tls = match settings.tls {
            SmtpTls::Starttls => Tls::Required(parameters()?),
            SmtpTls::Implicit => Tls::Wrapper(parameters()?),
            SmtpTls::None => Tls::None,
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host)
            .port(settings.port)
            .timeout(Some(Duration::from_secs(LONGEST_HANDING)))
            .tls(tls);
        let builder = match settings.credentials {
            Some((user, password)) => {
                builder.credentials(Credentials::new(user.to_owned(), password.to_owned()))
            }
            None => builder,
        };
        Ok(Self { transport: builder.build(), from, domain })
    }

    /// The message: the same bytes at each attempt, so that whoever receives it twice sees that it is one.
    fn message(&self, letter: &Letter) -> Option<Message> {
        let header = |name: &'static str, value: &str| {
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
        };
        let seconds = u64::try_from(letter.written_at.millis() / 1_000).ok()?;
        Message::builder()
            .from(self.from.clone())
            .to(letter.to.parse().ok()?)
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .subject(letter.text.subject.clone())
            .message_id(Some(format!("<{}@{}>", letter.id, self.domain)))
            // RFC 3834: no machine answers this one.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", letter.language.as_str()))
            .singlepart(SinglePart::plain(letter.text.body.clone()))
            .ok()
    }
}

impl Courier for Smtp {
    fn hand<'a>(&'a self, letter: &'a Letter) -> Handing<'a> {
        Box::pin(async move {
            let message = self.message(letter).ok_or(NotTaken::Refused("address_refused"))?;
            in_time(self.transport.send(message)).await.map(drop)
        })
    }

    fn answers(&self) -> Handing<'_> {
        Box::pin(async move {
            let there = in_time(self.transport.test_connection()).await?;
            if there { Ok(()) } else { Err(NotTaken::Later("smtp_unavailable")) }
        })
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, NotTaken> {
    let longest = Duration::from_secs(LONGEST_HANDING);
    match tokio::time::timeout(longest, answer).await {
        Ok(answer) => answer.map_err(|error| judged(&error)),
        Err(_) => Err(NotTaken::Later("timeout")),
    }
}

/// A refusal that stays is of the address or the text (RFC 5321, section 4.2.3); one of our sign-in or of what we said is ours
/// to mend, and the letter waits.
fn judged(error: &Error) -> NotTaken {
    let code = error.status().map(u16::from);
    match code {
        Some(550..=554 | 556) => NotTaken::Refused("smtp_refused"),
        Some(500..) => NotTaken::Later("smtp_command_refused"),
        Some(_) => NotTaken::Later("smtp_busy"),
        None if error.is_timeout() => NotTaken::Later("timeout"),
        None if error.is_tls() => NotTaken::Later("smtp_tls"),
        None => NotTaken::Later("smtp_unavailable"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mandate::{Channel, Instant, Language, NoticeId, NoticeText};

    fn smtp() -> Smtp {
        let settings = SmtpSettings {
            host: "localhost",
            port: 25,
            tls: SmtpTls::None,
            credentials: None,
            from: "mandats@mairie.example",
            authorities: &[],
        };
        Smtp::new(&settings).unwrap()
    }

    fn letter(to: &str) -> Letter {
        Letter {
            id: NoticeId::from_bytes([7; 16]),
            channel: Channel::Email,
            to: to.to_owned(),
            language: Language::Fr,
            text: NoticeText {
                subject: "Une démarche a été faite en votre nom".to_owned(),
                body: "Bonjour,\n\nPar qui : Nora Le Goff".to_owned(),
                short: String::new(),
            },
            written_at: Instant::from_micros(1_795_000_000_000_000),
            reply_reference: None,
            sent_at: Instant::from_micros(1_795_000_900_000_000),
        }
    }

    #[test]
    fn a_message_is_the_same_at_each_attempt() {
        let (smtp, first) = (smtp(), letter("marie@exemple.fr"));
        let later = Letter { sent_at: first.sent_at.plus(time::Duration::hours(9)), ..first.clone() };
        let bytes = smtp.message(&first).unwrap().formatted();
        assert_eq!(bytes, smtp.message(&later).unwrap().formatted());
        let text = String::from_utf8(bytes).unwrap();
        for line in [
            "Message-ID: <07070707070707070707070707070707@mairie.example>\r\n",
            "To: marie@exemple.fr\r\n",
            "From: mandats@mairie.example\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Language: fr\r\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn nothing_of_a_letter_adds_a_header() {
        let evil = "x\r\nBcc: evil@evil.example\r\n\r\n.\r\nRSET";
        let mut one = letter("marie@exemple.fr");
        one.text.subject = evil.to_owned();
        one.text.body = evil.to_owned();
        let text = String::from_utf8(smtp().message(&one).unwrap().formatted()).unwrap();
        let (headers, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
        for to in ["marie@exemple.fr\r\nBcc: evil@evil.example", "a@b.fr, c@d.fr", ""] {
            assert!(smtp().message(&letter(to)).is_none(), "{to:?}");
        }
    }
}
