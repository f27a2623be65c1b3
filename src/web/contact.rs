//! How a usager is told what is done in their name.

use super::pages::Visit;
use super::{CheckedForm, Held, Page, Reply, Web};
use crate::mandate::{Channel, Contact, EmailAddress, Language, Telephone};
use crate::service::contacts;
use crate::view::usager::UsagerContact;
use crate::view::{Flash, Problem, paths};
use axum::Router;
use axum::extract::State;
use axum::routing::get;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new().route(paths::USAGER_CONTACT, get(ask).post(choose))
}

async fn ask(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    let choice = contacts::choice(&web.app, &session, &visit.caller(&session)).await?;
    let frame = visit.guarded(&web, &session).await?;
    let chosen = choice.chosen.as_ref();
    let own = chosen.and_then(|contact| contact.email.as_ref());
    let email = own.or(choice.known_email.as_ref()).map_or("", EmailAddress::as_str);
    let page = UsagerContact {
        problems: Vec::new(),
        channel: chosen.map(|contact| contact.channel),
        email: email.to_owned(),
        email_is_given: chosen.is_none() && choice.known_email.is_some(),
        telephone: chosen
            .and_then(|contact| contact.telephone.as_ref())
            .map_or("", Telephone::as_str)
            .to_owned(),
        language: chosen.map_or(frame.language, |contact| contact.language),
        offered: choice.offered,
    };
    Ok(Reply::page(page.render(&frame)))
}

async fn choose(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let text = |field| form.fields.text(field).map(str::to_owned);
    let mut page = UsagerContact {
        problems: Vec::new(),
        offered: web.app.couriers.offered(),
        channel: Channel::parse(form.fields.text("channel")?),
        email: text("email")?,
        email_is_given: false,
        telephone: text("telephone")?,
        language: Language::parse(form.fields.text("language")?).unwrap_or(Language::Fr),
    };
    match read(&page) {
        Ok(contact) => {
            contacts::choose(&web.app, &form.session, &visit.caller(&form.session), contact).await?;
            Ok(Reply::go_saying(&web, paths::USAGER, Flash::ContactSaved))
        }
        Err(problems) => {
            page.problems = problems;
            let html = page.render(&visit.guarded(&web, &form.session).await?);
            Ok(Reply::form(html, true))
        }
    }
}

/// What was sent, or what of it is to be corrected. An address may be left out unless the way chosen needs it.
fn read(page: &UsagerContact) -> Result<Contact, Vec<Problem>> {
    let given = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
    let mut problems = Vec::new();
    let channel = page.channel.filter(|channel| page.offered.contains(channel));
    if channel.is_none() {
        problems.push(Problem::ChannelMissing);
    }
    let email = given(&page.email).map(|text| EmailAddress::parse(&text));
    if email.as_ref().is_some_and(Result::is_err) || (email.is_none() && channel == Some(Channel::Email)) {
        problems.push(Problem::AddressInvalid);
    }
    let telephone = given(&page.telephone).map(|text| Telephone::parse(&text));
    let called = matches!(channel, Some(Channel::Sms | Channel::Voice));
    if telephone.as_ref().is_some_and(Result::is_err) || (telephone.is_none() && called) {
        problems.push(Problem::TelephoneInvalid);
    }
    match channel {
        Some(channel) if problems.is_empty() => Ok(Contact {
            email: email.and_then(Result::ok),
            telephone: telephone.and_then(Result::ok),
            channel,
            language: page.language,
        }),
        _ => Err(problems),
    }
}
