//! Acting: at a public service, in somebody's name.

use super::world::World;
use crate::support::browser::Browser;

/// The procedure the public service receives and the mandate covers.
pub(super) const PROCEDURE: &str = "rsa-declaration-trimestrielle";

/// Signs in at the public service with a mandate of the person, up to the question whether to begin.
pub(super) fn choose(world: &World, browser: &Browser) {
    world.visit_caisse(browser);
    browser.press("sign-in-with-mandate");
    browser.is_at("page-authorize-usager");
    browser.look();
    browser.choose("[name=usager]");
    browser.press("usager-submit");
    browser.is_at("page-authorize-mandate");
    browser.choose(&format!("[name=choice][value$=\":{PROCEDURE}\"]"));
    browser.look();
    browser.press("choice-submit");
    browser.is_at("page-authorize-confirm");
    browser.look();
}

/// Begins: the person's file opens.
pub(super) fn begin(browser: &Browser) {
    browser.press("confirm-submit");
    browser.is_at("page-file");
    browser.look();
}

/// Opens no file: none is open, then the question is given up.
pub(super) fn give_up(world: &World, browser: &Browser) {
    browser.goto(&world.caisse("/file"));
    browser.is_at("page-trouble");
    browser.look();
    browser.press("sign-in-with-mandate");
    browser.is_at("page-authorize-usager");
    browser.press("cancel-submit");
    browser.is_at("page-trouble");
    browser.look();
}

/// Writes what is no amount: the page says where, and nothing is sent.
pub(super) fn misdeclare(browser: &Browser) {
    for month in 1..=3 {
        browser.fill(&format!("income-{month}"), "beaucoup");
    }
    browser.tick("declared");
    browser.press("declaration-submit");
    browser.is_at("page-file");
    assert!(browser.has("#problems [href=\"#income-1\"]"), "{}", browser.text());
    browser.look();
    // The box stays ticked; whoever declares ticks it.
    browser.tick("declared");
}

/// Fills the declaration in and sends it.
pub(super) fn declare(browser: &Browser) {
    for month in 1..=3 {
        browser.fill(&format!("income-{month}"), "640");
    }
    browser.tick("declared");
    browser.press("declaration-submit");
}

/// Closes the file, and the representation with it.
pub(super) fn sign_out(browser: &Browser) {
    browser.press("sign-out");
    if browser.page() == "page-end-session" {
        browser.look();
        browser.press("end-session-submit");
    }
    browser.is_at("page-signed-out");
    browser.look();
}
