//! The one client for outgoing calls, with limits: no redirect, a deadline, a bounded answer, no private address.

use super::resolver::{AddressRefused, Reach};
use openidconnect::http::request::Builder;
use openidconnect::url::{Host, Url};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Certificate, redirect};
use std::collections::BTreeSet;
use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// What outgoing calls may do.
#[derive(Debug, Clone)]
pub struct HttpPolicy {
    /// Time for the whole call, answer included. FranceConnect gives identity providers 6 s; so do we.
    pub timeout: Duration,
    /// The longest answer accepted, in bytes.
    pub response_limit: usize,
    /// Whether loopback may be called, without TLS too: for the demonstration and the tests.
    pub allow_loopback: bool,
    /// Host names that may resolve to private addresses (a provider on the State's own network), lower case.
    pub private_hosts: BTreeSet<String>,
    /// Authorities trusted beside the usual ones.
    pub authorities: Vec<Authority>,
}

/// An authority whose certificates are trusted.
#[derive(Debug, Clone)]
pub struct Authority(Certificate);

impl Authority {
    /// The authorities whose certificates stand in that PEM text; none when it holds none, or one that cannot be read.
    #[must_use]
    pub fn read(pem: &[u8]) -> Option<Vec<Self>> {
        let found = Certificate::from_pem_bundle(pem).ok()?;
        (!found.is_empty()).then(|| found.into_iter().map(Self).collect())
    }
}

impl Default for HttpPolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(6),
            response_limit: 1 << 20,
            allow_loopback: false,
            private_hosts: BTreeSet::new(),
            authorities: Vec::new(),
        }
    }
}

/// Why a call gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HttpError {
    /// The address is not https.
    #[error("the address must be https")]
    NotHttps,
    /// The host has no public address.
    #[error("the host has no address that may be called")]
    AddressRefused,
    /// The answer was a redirection.
    #[error("the answer was a redirection, which is not followed")]
    Redirected,
    /// The answer was longer than accepted.
    #[error("the answer is too long")]
    TooLong,
    /// No answer within the deadline.
    #[error("no answer in time")]
    Timeout,
    /// Connection, TLS or protocol failure.
    #[error("the host cannot be reached")]
    Unreachable,
    /// The client could not be built, or the request is malformed.
    #[error("the request could not be made")]
    Request,
}

impl HttpError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotHttps => "not_https",
            Self::AddressRefused => "address_refused",
            Self::Redirected => "redirected",
            Self::TooLong => "answer_too_long",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Request => "request_not_made",
        }
    }
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        let mut cause = error.source();
        while let Some(inner) = cause {
            if inner.is::<AddressRefused>() {
                return Self::AddressRefused;
            }
            cause = inner.source();
        }
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_builder() || error.is_request() && !error.is_connect() {
            Self::Request
        } else {
            Self::Unreachable
        }
    }
}

/// The outgoing client. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    reach: Reach,
    response_limit: usize,
}

impl HttpClient {
    /// A client under the policy. Proxies named by the environment are not used: the address check would not
    /// see behind them.
    ///
    /// # Errors
    /// [`HttpError::Request`] when TLS cannot be set up.
    pub fn new(policy: &HttpPolicy) -> Result<Self, HttpError> {
        // Another part of the process may have installed it already; it is the same provider everywhere.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let reach = Reach { loopback: policy.allow_loopback, hosts: Arc::new(policy.private_hosts.clone()) };
        let trusted = policy.authorities.iter().map(|Authority(certificate)| certificate.clone());
        let client = trusted
            .fold(reqwest::Client::builder(), reqwest::ClientBuilder::add_root_certificate)
            .user_agent(concat!("porteplume/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(policy.timeout)
            .dns_resolver(Arc::new(reach.clone()))
            .build()
            .map_err(|_| HttpError::Request)?;
        Ok(Self { client, reach, response_limit: policy.response_limit })
    }

    /// Checks that the address is https and does not name a private address outright; http passes for loopback
    /// alone, and only where the policy allows that.
    ///
    /// # Errors
    /// [`HttpError::NotHttps`] or [`HttpError::AddressRefused`].
    pub fn check_url(&self, url: &Url) -> Result<(), HttpError> {
        let (name, literal) = match url.host() {
            Some(Host::Ipv4(v4)) => (v4.to_string(), Some(v4.into())),
            Some(Host::Ipv6(v6)) => (v6.to_string(), Some(v6.into())),
            Some(Host::Domain(name)) => (name.to_ascii_lowercase(), None),
            None => return Err(HttpError::Request),
        };
        let loopback = literal.map_or(name == "localhost", |address: std::net::IpAddr| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if loopback && self.reach.loopback => {}
            _ => return Err(HttpError::NotHttps),
        }
        match literal {
            Some(address) if !self.reach.allows(&name, address) => Err(HttpError::AddressRefused),
            _ => Ok(()),
        }
    }

    /// The status with which an address answers a plain question.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn status(&self, address: &str) -> Result<u16, HttpError> {
        Ok(self.get(address).await?.0)
    }

    /// What an address answers to a question: status and body.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn get(&self, address: &str) -> Result<(u16, Vec<u8>), HttpError> {
        self.ask(openidconnect::http::Request::get(address), Vec::new()).await
    }

    /// What an address answers to a body of that media type: status and body.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn post(
        &self,
        address: &str,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        self.ask(openidconnect::http::Request::post(address).header("content-type", kind), body).await
    }

    /// The same, with headers of that name and value, which must be ASCII.
    ///
    /// # Errors
    /// [`HttpError`]; [`HttpError::Request`] for a header that is none.
    pub async fn post_with(
        &self,
        address: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        let request = openidconnect::http::Request::post(address);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.ask(request, body).await
    }

    async fn ask(&self, request: Builder, body: Vec<u8>) -> Result<(u16, Vec<u8>), HttpError> {
        let answer = self.send(request.body(body).map_err(|_| HttpError::Request)?).await?;
        Ok((answer.status().as_u16(), answer.into_body()))
    }

    /// Sends a request and reads the whole answer. Statuses other than redirections are the caller's to judge.
    ///
    /// # Errors
    /// [`HttpError`]; no answer is ever truncated.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|_| HttpError::Request)?;
        self.check_url(&url)?;
        let request = reqwest::Request::try_from(request)?;
        let mut response = self.client.execute(request).await?;
        if response.status().is_redirection() {
            return Err(HttpError::Redirected);
        }
        let declared = response.content_length().unwrap_or(0);
        if usize::try_from(declared).map_or(true, |length| length > self.response_limit) {
            return Err(HttpError::TooLong);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > self.response_limit {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn client(policy: &HttpPolicy) -> HttpClient {
        HttpClient::new(policy).unwrap()
    }

    fn local() -> HttpPolicy {
        HttpPolicy { allow_loopback: true, ..HttpPolicy::default() }
    }

    async fn get(client: &HttpClient, url: &str) -> Result<HttpResponse, HttpError> {
        client.send(openidconnect::http::Request::get(url).body(Vec::new()).unwrap()).await
    }

    /// A server that gives every caller the same bytes, then keeps the connection open when told.
    async fn answering(bytes: Vec<u8>, hold: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let bytes = bytes.clone();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(&bytes).await;
                    if hold {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        url
    }

    #[test]
    fn only_https_outside_loopback() {
        let strict = client(&HttpPolicy::default());
        let check = |client: &HttpClient, url: &str| client.check_url(&Url::parse(url).unwrap());
        assert_eq!(check(&strict, "https://auth.franceconnect.gouv.fr/api/v2"), Ok(()));
        assert_eq!(check(&strict, "http://auth.franceconnect.gouv.fr/"), Err(HttpError::NotHttps));
        assert_eq!(check(&strict, "http://127.0.0.1:1/"), Err(HttpError::NotHttps));
        assert_eq!(check(&strict, "file:///etc/passwd"), Err(HttpError::Request));
        for private in ["https://127.0.0.1/", "https://10.1.2.3/", "https://[::1]/", "https://0x7f.1/"] {
            assert_eq!(check(&strict, private), Err(HttpError::AddressRefused), "{private}");
        }
        let local = client(&local());
        assert_eq!(check(&local, "http://127.0.0.1:1/"), Ok(()));
        assert_eq!(check(&local, "http://localhost:1/"), Ok(()));
        assert_eq!(check(&local, "http://10.0.0.1/"), Err(HttpError::NotHttps));
        assert_eq!(check(&local, "https://10.0.0.1/"), Err(HttpError::AddressRefused));
        let listed = HttpPolicy { private_hosts: ["10.0.0.1".to_owned()].into(), ..HttpPolicy::default() };
        assert_eq!(check(&client(&listed), "https://10.0.0.1/"), Ok(()));
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_address_is_not_called() {
        let strict = client(&HttpPolicy::default());
        assert_eq!(get(&strict, "https://localhost:1/").await.err(), Some(HttpError::AddressRefused));
    }

    #[tokio::test]
    async fn a_long_answer_is_refused_whether_declared_or_not() {
        let client = client(&HttpPolicy { response_limit: 1000, ..local() });
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n";
        let declared = answering(format!("{head}content-length: 1001\r\n\r\n").into_bytes(), true).await;
        assert_eq!(get(&client, &declared).await.err(), Some(HttpError::TooLong));
        let endless = format!("{head}connection: close\r\n\r\n{}", "x".repeat(1001)).into_bytes();
        assert_eq!(get(&client, &answering(endless, false).await).await.err(), Some(HttpError::TooLong));
        let fits = format!("{head}connection: close\r\n\r\n{}", "x".repeat(1000)).into_bytes();
        assert_eq!(get(&client, &answering(fits, false).await).await.unwrap().body().len(), 1000);
    }

    #[tokio::test]
    async fn a_redirection_is_not_followed() {
        let target = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec(), false).await;
        let from = format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
        let url = answering(from.into_bytes(), false).await;
        assert_eq!(get(&client(&local()), &url).await.err(), Some(HttpError::Redirected));
    }

    #[tokio::test]
    async fn a_silent_host_is_left_in_time() {
        let client = client(&HttpPolicy { timeout: Duration::from_millis(50), ..local() });
        let url = answering(Vec::new(), true).await;
        assert_eq!(get(&client, &url).await.err(), Some(HttpError::Timeout));
        assert_eq!(get(&client, "http://127.0.0.1:1/").await.err(), Some(HttpError::Unreachable));
    }
}
