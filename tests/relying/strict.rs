//! Requests bent one parameter at a time, for doubles that are as strict as the providers they stand for.

use crate::sandbox::{Said, Sandbox};
use porteplume::relying::BeginOptions;
use url::Url;

/// The parameters of a request, in order.
pub(super) type Pairs = Vec<(String, String)>;

/// What a double must make of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Must {
    /// Ask who is there.
    Take,
    /// Refuse on a page, with this code.
    Page(&'static str),
    /// Send back this error with our own state.
    Tell(&'static str),
    /// Send back this error, with this in place of our state.
    TellWith(&'static str, &'static str),
}

/// A change to a request, and what it must lead to.
pub(super) type Row = (&'static str, fn(&mut Pairs), Must);

pub(super) fn set(pairs: &mut Pairs, name: &str, value: &str) {
    drop_all(pairs, name);
    pairs.push((name.to_owned(), value.to_owned()));
}

pub(super) fn drop_all(pairs: &mut Pairs, name: &str) {
    pairs.retain(|(key, _)| key != name);
}

/// Our own request, changed.
pub(super) async fn bent(sandbox: &Sandbox, change: impl FnOnce(&mut Pairs)) -> Url {
    let mut url = sandbox.begin(&BeginOptions::default()).await.url;
    let mut pairs: Pairs = url.query_pairs().into_owned().collect();
    change(&mut pairs);
    url.query_pairs_mut().clear().extend_pairs(&pairs);
    url
}

pub(super) async fn check(sandbox: &Sandbox, (name, change, must): Row) {
    let url = bent(sandbox, change).await;
    let state =
        url.query_pairs().find(|(key, _)| key == "state").map_or(String::new(), |(_, v)| v.into_owned());
    let expected = match must {
        Must::Take => Said::People,
        Must::Page(code) => Said::Page(code.to_owned()),
        Must::Tell(error) => Said::Back(error.to_owned(), state),
        Must::TellWith(error, state) => Said::Back(error.to_owned(), state.to_owned()),
    };
    assert_eq!(sandbox.says(url.as_str()).await, expected, "{name}");
}
