//! A browser without a screen: cookies, redirections, forms and links by their ids, nothing more.

use super::TourError;
use reqwest::header::{LOCATION, REFRESH};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use scraper::{ElementRef, Html, Selector};
use std::time::Duration;
use url::Url;

/// The longest way a browser follows.
const MOST_HOPS: usize = 20;

/// A form as it stands on the page.
struct Form {
    method: Method,
    url: Url,
    fields: Vec<(String, String)>,
}

/// One person's browser.
pub(super) struct Browser {
    client: Client,
    /// Where it is.
    pub(super) url: Url,
    /// The last status.
    pub(super) status: StatusCode,
    /// The last page's source.
    pub(super) html: String,
}

impl Browser {
    pub(super) fn new(home: &str) -> Result<Self, TourError> {
        let client = Client::builder()
            .cookie_store(true)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| TourError::Http(error.to_string()))?;
        let url = Url::parse(home).map_err(|error| TourError::Http(error.to_string()))?;
        Ok(Self { client, url, status: StatusCode::OK, html: String::new() })
    }

    /// Another tab of the same browser, on the same page.
    pub(super) fn tab(&self) -> Self {
        let (client, url, html) = (self.client.clone(), self.url.clone(), self.html.clone());
        Self { client, url, status: self.status, html }
    }

    fn join(&self, address: &str) -> Result<Url, TourError> {
        self.url.join(address).map_err(|error| TourError::Http(format!("{address}: {error}")))
    }

    /// Goes to an address, absolute or relative, and follows where it leads.
    pub(super) async fn go(&mut self, address: &str) -> Result<(), TourError> {
        let url = self.join(address)?;
        let request = self.client.get(url.clone());
        self.follow(url, request).await
    }

    /// One request without following: for looking at a redirection itself.
    pub(super) async fn peek(&self, address: &str) -> Result<Response, TourError> {
        send(self.client.get(self.join(address)?)).await
    }

    async fn follow(&mut self, mut url: Url, mut request: RequestBuilder) -> Result<(), TourError> {
        for _ in 0..MOST_HOPS {
            let response = send(request).await?;
            self.status = response.status();
            self.url = url;
            let header = |name| response.headers().get(name).and_then(|line| line.to_str().ok());
            let onward = if self.status.is_redirection() {
                header(LOCATION)
            } else {
                header(REFRESH).and_then(|line| line.strip_prefix("0; url="))
            };
            let Some(to) = onward.map(str::to_owned) else {
                self.html = response.text().await.map_err(|error| TourError::Http(error.to_string()))?;
                return Ok(());
            };
            url = self.join(&to)?;
            request = self.client.get(url.clone());
        }
        Err(TourError::Http("redirected for ever".to_owned()))
    }

    /// Follows a link by its id.
    pub(super) async fn click(&mut self, id: &str) -> Result<(), TourError> {
        let href = self.attribute(id, "href")?;
        self.go(&href).await
    }

    /// Sends a form by its id, with its hidden fields and these.
    pub(super) async fn submit(&mut self, form: &str, fields: &[(&str, &str)]) -> Result<(), TourError> {
        let Form { method, url, fields: mut sent } = self.form(form)?;
        sent.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if method == Method::GET {
            let mut url = url;
            url.query_pairs_mut().clear().extend_pairs(&sent);
            let request = self.client.get(url.clone());
            return self.follow(url, request).await;
        }
        let request = self.client.post(url.clone()).form(&sent);
        // What a browser says of a form of the page it shows.
        let request = request.header("origin", self.url.origin().ascii_serialization());
        self.follow(url, request).await
    }

    fn form(&self, id: &str) -> Result<Form, TourError> {
        let page = Html::parse_document(&self.html);
        let form = element(&page, id).ok_or_else(|| self.missing(id))?;
        let hidden =
            Selector::parse("input[type=hidden]").map_err(|error| TourError::Http(error.to_string()))?;
        let fields = form.select(&hidden).filter_map(|input| {
            let name = input.value().attr("name")?;
            Some((name.to_owned(), input.value().attr("value").unwrap_or_default().to_owned()))
        });
        let post = form.value().attr("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
        let url = self.join(form.value().attr("action").unwrap_or_default())?;
        Ok(Form { method: if post { Method::POST } else { Method::GET }, url, fields: fields.collect() })
    }

    /// Whether an element of that id stands on the page.
    pub(super) fn has(&self, id: &str) -> bool {
        element(&Html::parse_document(&self.html), id).is_some()
    }

    /// The text of an element, white space folded.
    pub(super) fn text(&self, id: &str) -> Result<String, TourError> {
        let page = Html::parse_document(&self.html);
        let found = element(&page, id).ok_or_else(|| self.missing(id))?;
        Ok(found.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn attribute(&self, id: &str, name: &str) -> Result<String, TourError> {
        let page = Html::parse_document(&self.html);
        let found = element(&page, id).and_then(|found| found.value().attr(name).map(str::to_owned));
        found.ok_or_else(|| self.missing(id))
    }

    /// The value of a field by its id.
    pub(super) fn value_of(&self, id: &str) -> Result<String, TourError> {
        self.attribute(id, "value")
    }

    /// The ids on the page that begin so, in page order, without that beginning.
    pub(super) fn ids_after(&self, beginning: &str) -> Vec<String> {
        let page = Html::parse_document(&self.html);
        let ids = page
            .root_element()
            .descendants()
            .filter_map(ElementRef::wrap)
            .filter_map(|found| Some(found.value().id()?.strip_prefix(beginning)?.to_owned()));
        ids.collect()
    }

    fn missing(&self, id: &str) -> TourError {
        let title = Html::parse_document(&self.html);
        let title =
            element(&title, "title").map(|title| title.text().collect::<String>()).unwrap_or_default();
        TourError::Missing {
            id: id.to_owned(),
            path: self.url.path().to_owned(),
            status: self.status.as_u16(),
            title: title.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}

fn element<'a>(page: &'a Html, id: &str) -> Option<ElementRef<'a>> {
    page.root_element()
        .descendants()
        .filter_map(ElementRef::wrap)
        .find(|found| found.value().id() == Some(id))
}

async fn send(request: RequestBuilder) -> Result<Response, TourError> {
    request.send().await.map_err(|error| TourError::Http(error.without_url().to_string()))
}
