//! Granting: an aidant proposes, hands the screen over, the usager agrees, the aidant accepts.

use super::world::{Phone, World};
use crate::support::browser::Browser;

/// What the mandate of every journey covers, over two themes.
pub(super) const PROCEDURES: [(&str, &str); 2] =
    [("social", "rsa-declaration-trimestrielle"), ("papiers", "acte-etat-civil")];

/// From today's page to a sealed proposal for a month.
pub(super) fn propose(browser: &Browser) {
    browser.is_at("page-aidant-home");
    browser.look();
    browser.press("link-new");
    browser.is_at("page-new-mandate");
    for (theme, procedure) in PROCEDURES {
        browser.choose(&format!("#theme-{theme} > summary"));
        browser.tick(&format!("procedure-{procedure}"));
    }
    browser.look();
    browser.press("procedures-submit");
    browser.is_at("page-new-mandate-term");
    browser.tick("term-month");
    browser.look();
    browser.press("term-submit");
    browser.is_at("page-proposal");
    browser.look();
}

/// Hands the screen over; the person identifies.
pub(super) fn hand_over(browser: &Browser, usager: &str) {
    browser.press("hand-over-submit");
    browser.is_at("page-consent");
    browser.look();
    browser.press("identify-submit");
    browser.is_at("page-people");
    browser.look();
    browser.press(&format!("person-{usager}"));
    browser.is_at("page-consent-identity");
    browser.look();
}

/// The person confirms who they are, declares, and agrees.
pub(super) fn consent(browser: &Browser) {
    browser.press("identity-yes");
    browser.is_at("page-consent-decision");
    browser.look();
    browser.tick("protected-no");
    browser.press("consent-submit");
    browser.is_at("page-consent-done");
    browser.look();
}

/// The aidant takes the screen back and accepts for the organisation.
pub(super) fn accept(browser: &Browser, phone: &Phone) {
    browser.press("link-unlock");
    browser.is_at("page-locked");
    browser.look();
    browser.fill("code", &phone.code());
    browser.press("unlock-submit");
    browser.is_at("page-accept");
    browser.look();
    browser.press("accept-submit");
    browser.is_at("page-mandate");
}

/// The whole of it, from the aidant's first sign-in to the paper.
pub(super) fn all(world: &World, browser: &Browser, aidant: &str, usager: &str) -> Phone {
    let phone = world.enrol(browser, aidant);
    propose(browser);
    hand_over(browser, usager);
    consent(browser);
    accept(browser, &phone);
    browser.look();
    browser.press("link-print");
    browser.is_at("page-printed");
    browser.look();
    browser.look_printed();
    phone
}
