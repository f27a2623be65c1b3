//! A browser without JavaScript: cookies, no redirection followed unseen.

use reqwest::{Client, StatusCode};
use scraper::{Html, Selector};
use url::Url;

pub(crate) struct Browser(Client);

/// What came back.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    location: Option<Url>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        // The provider of TLS is chosen where the outgoing client is made.
        let _ = super::http();
        let client = Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none());
        Self(client.build().unwrap())
    }

    pub(crate) async fn get(&self, url: &str) -> Page {
        Page::of(self.0.get(url).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, url: &str, form: &[(&str, &str)]) -> Page {
        Page::of(self.0.post(url).form(form).send().await.unwrap()).await
    }
}

impl Page {
    async fn of(answer: reqwest::Response) -> Self {
        let location =
            answer.headers().get("location").map(|to| answer.url().join(to.to_str().unwrap()).unwrap());
        Self { status: answer.status(), location, body: answer.text().await.unwrap() }
    }

    /// Where it leads.
    pub(crate) fn location(&self) -> Url {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.location.clone().unwrap()
    }

    fn one<T>(&self, selector: &str, read: impl Fn(scraper::ElementRef<'_>) -> T) -> Option<T> {
        Html::parse_document(&self.body).select(&Selector::parse(selector).unwrap()).next().map(read)
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        self.one(&format!("input[name={name}]"), |field| field.value().attr("value").unwrap().to_owned())
            .unwrap()
    }

    /// The text of the element; empty where there is none.
    pub(crate) fn text(&self, selector: &str) -> String {
        self.one(selector, |element| element.text().collect::<String>().trim().to_owned()).unwrap_or_default()
    }
}
