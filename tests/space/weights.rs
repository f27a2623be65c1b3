//! What pages weigh on the wire, and what is sent as it is.

use super::world::{at_home, promote, usager_of};
use crate::mandates::world::World;
use crate::support::database::on_both;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use flate2::read::GzDecoder;
use porteplume::view::assets;
use porteplume::web::router;
use std::io::Read as _;
use tower::ServiceExt as _;

/// First page of a person on a slow line, with the stylesheet and the mark; any page after it.
const HEAVIEST: (usize, usize) = (50_000, 15_000);
/// What `src/view/tests.rs` takes for the headers of any page.
const HEADERS: usize = 1_500;

struct Sent {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    /// Bytes of the headers as HTTP/1.1 writes them.
    fn heading(&self) -> usize {
        "HTTP/1.1 200 OK\r\n\r\n".len()
            + self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
    }

    fn encoding(&self) -> &str {
        self.headers.get("content-encoding").map_or("", |value| value.to_str().unwrap())
    }

    fn read(&self) -> String {
        let mut text = String::new();
        match self.encoding() {
            "gzip" => GzDecoder::new(&*self.body).read_to_string(&mut text).map(drop).unwrap(),
            _ => text.push_str(std::str::from_utf8(&self.body).unwrap()),
        }
        text
    }
}

async fn ask(service: &Router, path: &str, headers: &[(&str, &str)]) -> Sent {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status().as_u16(), 200, "{path}");
    let headers = response.headers().clone();
    Sent { headers, body: to_bytes(response.into_body(), 2_000_000).await.unwrap().to_vec() }
}

const ACCEPTS: (&str, &str) = ("accept-encoding", "gzip, deflate, br");

on_both! {
    pages_are_light_from_the_first_one_on(database) {
        let world = World::over(database).await;
        let service = router(world.test.web.clone());
        let mut desk = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut desk).await;
        let waiting = world.proposed(&desk).await;
        let usager = at_home(&world, &usager_of(&world, &mandate).await).await;
        let colleague = world.colleague().await;
        promote(&world, &colleague).await;
        let referent = world.signed_in(&colleague).await;
        let mut once = 0;
        for path in [assets::stylesheet_address(), "/assets/porteplume.svg".to_owned()] {
            let sent = ask(&service, &path, &[ACCEPTS]).await;
            assert!(sent.headers["cache-control"].to_str().unwrap().starts_with("public, max-age="), "{path}");
            once += sent.heading() + sent.body.len();
        }
        let of = |mandate, rest: &str| format!("/aidant/mandates/{mandate}{rest}");
        let pages = [
            (None, vec!["/".to_owned(), "/help".to_owned(), "/aidant/sign-in".to_owned(), "/usager/sign-in".to_owned()]),
            (Some(&desk), vec![
                "/aidant".to_owned(), "/aidant/mandates".to_owned(), "/aidant/mandates/new".to_owned(), of(&waiting, ""),
                of(&mandate, ""), of(&mandate, "/print"), of(&mandate, "/history"), of(&mandate, "/renounce"),
            ]),
            (Some(&usager), vec![
                "/usager".to_owned(), format!("/usager/mandates/{mandate}"), format!("/usager/mandates/{mandate}/history"),
                format!("/usager/mandates/{mandate}/end"),
            ]),
            (Some(&referent), vec![
                "/referent".to_owned(), "/referent/procedures".to_owned(), "/referent/mandates".to_owned(),
                "/referent/aidants/invite".to_owned(),
            ]),
        ];
        for (browser, paths) in pages {
            let cookie = browser.map(|browser| format!("__Host-porteplume={}", browser.cookie)).unwrap_or_default();
            for path in paths {
                let light = ask(&service, &path, &[ACCEPTS, ("cookie", &cookie)]).await;
                let plain = ask(&service, &path, &[("cookie", &cookie)]).await;
                assert_eq!((light.encoding(), plain.encoding()), ("gzip", ""), "{path}");
                assert_eq!(light.headers["vary"], "accept-encoding", "{path}");
                let id = |sent: &Sent| sent.read().split_once("<body id=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
                assert!(light.read().contains("</html>") && id(&light) == id(&plain), "{path}");
                assert!(light.heading() < HEADERS, "{path}: {} bytes of headers", light.heading());
                let weight = light.heading() + light.body.len();
                assert!(weight < HEAVIEST.1 && weight + once < HEAVIEST.0, "{path}: {weight} and {once} bytes");
            }
        }
    }

    what_may_repeat_a_stranger_s_words_is_not_compressed_and_the_journal_is_sent_as_it_is(database) {
        let world = World::over(database).await;
        let service = router(world.test.web.clone());
        let mut desk = world.signed_in(&world.aidant).await;
        world.active(&mut desk).await;
        let cookie = format!("__Host-porteplume={}", desk.cookie);
        for (path, site, encoding) in [
            ("/aidant", Some("cross-site"), "gzip"), ("/aidant?a=b", Some("cross-site"), ""),
            ("/aidant?a=b", Some("same-site"), ""), ("/aidant?a=b", None, ""), ("/aidant?a=b", Some(""), ""),
            ("/aidant?a=b", Some("same-origin"), "gzip"), ("/aidant?a=b", Some("none"), "gzip"),
        ] {
            let mut headers = vec![ACCEPTS, ("cookie", cookie.as_str())];
            headers.extend(site.map(|site| ("sec-fetch-site", site)));
            let sent = ask(&service, path, &headers).await;
            assert_eq!(sent.encoding(), encoding, "{path} {site:?}");
            assert!(sent.read().contains("id=\"page-aidant-home\""), "{path} {site:?}");
        }
        for path in ["/journal/checkpoint", "/journal/tile/0/000.p/1", "/journal/policy", "/jwks", "/.well-known/openid-configuration"] {
            let response = service.clone()
                .oneshot(Request::get(path).header(ACCEPTS.0, ACCEPTS.1).body(Body::empty()).unwrap())
                .await
                .unwrap();
            assert!(response.headers().get("content-encoding").is_none(), "{path}");
        }
    }
}
