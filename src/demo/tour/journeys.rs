//! What the persons do, in order.

use super::browser::Browser;
use super::{Tour, TourError, expect};
use crate::demo::public_service::PROCEDURES;
use std::time::Duration;

/// The aidant of the tour.
const AIDANT: &str = "samir-haddad";
/// An aidant of the other organisation.
const OTHER: &str = "claire-ndiaye";
/// The usager.
const USAGER: &str = "rose-marchal";
/// The auditor.
const AUDITOR: &str = "ines-ferrand";
/// A service is told of an end within a second: looked for so often, at these intervals.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The whole job.
pub(super) async fn everything(tour: &mut Tour<'_>) -> Result<(), TourError> {
    stranger_is_refused(tour).await?;
    let mut aidant = tour.browser()?;
    sign_in_aidant(tour, &mut aidant, AIDANT).await?;
    let mandate = record_mandate(tour, &mut aidant).await?;
    carry_out(tour, &mut aidant, &mandate).await?;
    let mut other = tour.browser()?;
    sign_in_aidant(tour, &mut other, OTHER).await?;
    other_organisation_sees_nothing(tour, &mut other, &mandate).await?;
    let mut file = open_again(tour, &mut aidant, &mandate).await?;
    up_to_the_confirmation(tour, &mut aidant, &mandate).await?;
    let mut usager = tour.browser()?;
    revoke(tour, &mut usager, &mandate).await?;
    the_service_is_told(tour, &mut file).await?;
    next_attempt_is_refused(tour, &mut aidant, &mandate).await?;
    let mut auditor = tour.browser()?;
    audit(tour, &mut auditor).await
}

async fn at_provider(browser: &mut Browser, person: &str) -> Result<(), TourError> {
    browser.submit("people-form", &[("person", person)]).await
}

async fn stranger_is_refused(tour: &mut Tour<'_>) -> Result<(), TourError> {
    let mut browser = tour.browser()?;
    browser.go("/aidant/sign-in").await?;
    browser.submit("sign-in-form", &[]).await?;
    at_provider(&mut browser, "paul-sorel").await?;
    expect("stranger", &browser.html, "not_registered")?;
    browser.go("/aidant").await?;
    expect("stranger", browser.url.path(), "/aidant/sign-in")?;
    tour.done(
        "a professional nobody registered signed in at the agents' provider and was refused: not_registered",
    );
    Ok(())
}

async fn sign_in_aidant(tour: &mut Tour<'_>, browser: &mut Browser, who: &str) -> Result<(), TourError> {
    browser.go("/aidant/sign-in").await?;
    browser.submit("sign-in-form", &[]).await?;
    at_provider(browser, who).await?;
    if browser.has("enrol-form") {
        tour.phones.enrol(who, &browser.text("totp-key")?)?;
        let code = tour.phones.code(who, &tour.demo.app.clock).await?;
        browser.submit("enrol-form", &[("code", &code)]).await?;
        expect("enrolment", &browser.text("recovery-codes")?, "-")?;
        browser.click("link-continue").await?;
        tour.done(&format!("{who} signed in by invitation, enrolled a second factor with a first code, and got recovery codes"));
    } else {
        prove_factor(tour, browser, who).await?;
        tour.done(&format!("{who} signed in again with a second factor"));
    }
    expect("aidant's home", browser.url.path(), "/aidant")
}

/// Gives a code where one is asked for.
async fn prove_factor(tour: &mut Tour<'_>, browser: &mut Browser, who: &str) -> Result<(), TourError> {
    if browser.has("factor-form") {
        let code = tour.phones.code(who, &tour.demo.app.clock).await?;
        browser.submit("factor-form", &[("code", &code)]).await?;
    }
    Ok(())
}

async fn record_mandate(tour: &mut Tour<'_>, browser: &mut Browser) -> Result<String, TourError> {
    browser.go("/aidant/mandates/new").await?;
    let chosen: Vec<_> = PROCEDURES.iter().map(|procedure| ("procedure", *procedure)).collect();
    browser.submit("procedures-form", &chosen).await?;
    browser.submit("term-form", &[("term", "month")]).await?;
    expect("proposal", &browser.html, "hand-over-form")?;
    let mandate = browser.url.path().rsplit('/').next().unwrap_or_default().to_owned();
    tour.done("three procedures and a month were chosen and sealed as a proposal in plain words");

    browser.submit("hand-over-form", &[]).await?;
    expect("handed over", browser.url.path(), "/consent")?;
    let locked = browser.peek("/aidant").await?;
    let to = locked.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
    expect("the aidant's pages are locked", to, "/aidant/unlock")?;
    tour.done("the screen was handed over; the aidant's own pages are locked");

    browser.submit("identify-form", &[]).await?;
    at_provider(browser, USAGER).await?;
    expect("identity", &browser.text("identity")?, "Lhuillier")?;
    browser.submit("identity-form", &[("identity", "yes")]).await?;
    browser.submit("decision-form", &[("protected", "no"), ("decision", "consent")]).await?;
    expect("consented", browser.url.path(), "/consent/done")?;
    tour.done("the usager identified freshly at the citizens' provider, declared, and consented; the screen is locked");

    browser.click("link-unlock").await?;
    browser.submit("unlock-form", &[("code", "000000")]).await?;
    expect("a wrong code opens nothing", &browser.html, "unlock-form")?;
    let code = tour.phones.code(AIDANT, &tour.demo.app.clock).await?;
    browser.submit("unlock-form", &[("code", &code)]).await?;
    tour.done("a wrong code left the screen locked; the aidant's second factor opened it");

    browser.go(&format!("/aidant/mandates/{mandate}/accept")).await?;
    browser.submit("accept-form", &[]).await?;
    expect("active", &browser.html, "link-print")?;
    browser.click("link-print").await?;
    let verification = browser.text("verification-code")?;
    expect("printed", &browser.html, "mandate-text")?;
    tour.done(&format!(
        "the organisation accepted; the mandate is active and printed with verification code {verification}"
    ));
    Ok(mandate)
}

/// From the public service to the choice of the usager.
async fn to_the_choice(tour: &mut Tour<'_>, browser: &mut Browser) -> Result<(), TourError> {
    browser.go(&tour.demo.caisse).await?;
    browser.click("sign-in-with-mandate").await?;
    prove_factor(tour, browser, AIDANT).await
}

async fn search(browser: &mut Browser) -> Result<(), TourError> {
    let fields =
        [("family_name", "lhuillier"), ("birth_day", "14"), ("birth_month", "2"), ("birth_year", "1942")];
    browser.submit("usager-search-form", &fields).await
}

/// Looks the usager up; the page then shows their mandates.
async fn to_the_mandates(tour: &mut Tour<'_>, browser: &mut Browser) -> Result<(), TourError> {
    to_the_choice(tour, browser).await?;
    search(browser).await?;
    if browser.has("usager-form") {
        let usager = browser
            .ids_after("usager-")
            .into_iter()
            .find(|id| id.len() == 32)
            .ok_or_else(|| TourError::Http("nobody was found".to_owned()))?;
        browser.submit("usager-form", &[("usager", &usager)]).await?;
    }
    Ok(())
}

async fn up_to_the_confirmation(
    tour: &mut Tour<'_>,
    browser: &mut Browser,
    mandate: &str,
) -> Result<(), TourError> {
    to_the_mandates(tour, browser).await?;
    let [procedure, ..] = PROCEDURES;
    let choice = browser.value_of(&format!("choice-{mandate}-{procedure}"))?;
    browser.submit("choice-form", &[("choice", &choice)]).await
}

async fn carry_out(tour: &mut Tour<'_>, browser: &mut Browser, mandate: &str) -> Result<(), TourError> {
    up_to_the_confirmation(tour, browser, mandate).await?;
    browser.submit("confirm-form", &[]).await?;
    expect("the file is open", browser.url.path(), "/file")?;
    expect("in whose name", &browser.text("acting-usager")?, "Marchal")?;
    expect("by whom", &browser.text("organisation")?, "Valmarie")?;
    let entry = browser.text("journal-index")?;
    tour.done(&format!(
        "the service opened the file: signed ID token, PKCE, userinfo; journal entry {entry}"
    ));

    let fields = [("income-1", "820"), ("income-2", "815"), ("income-3", "830"), ("declared", "1")];
    browser.submit("declaration-form", &fields).await?;
    let receipt = browser.text("receipt-number")?;
    tour.done(&format!("the procedure was submitted; the service gave receipt {receipt}"));
    browser.submit("sign-out-form", &[]).await?;
    tour.done("the service signed out; the representation is closed");
    Ok(())
}

async fn other_organisation_sees_nothing(
    tour: &mut Tour<'_>,
    browser: &mut Browser,
    mandate: &str,
) -> Result<(), TourError> {
    browser.go(&format!("/aidant/mandates/{mandate}")).await?;
    expect("another organisation's mandate", browser.status.as_str(), "404")?;
    tour.done("an aidant of another organisation asked for the mandate by its number: not found");
    Ok(())
}

async fn revoke(tour: &mut Tour<'_>, browser: &mut Browser, mandate: &str) -> Result<(), TourError> {
    browser.go("/usager/sign-in").await?;
    browser.submit("sign-in-form", &[]).await?;
    at_provider(browser, USAGER).await?;
    expect("the usager's space", browser.url.path(), "/usager")?;
    expect("what was done is shown", &browser.html, "Caisse de démonstration")?;
    tour.done("the usager signed in to their own space and reads who did what, when, at which service");
    browser.go(&format!("/usager/mandates/{mandate}/end")).await?;
    browser.submit("end-form", &[]).await?;
    expect("ended", browser.url.path(), "/ended")?;
    tour.done("the usager ended the mandate in one confirmed step and got a receipt");
    Ok(())
}

/// A file that is open when the usager ends the mandate.
async fn open_again(tour: &mut Tour<'_>, aidant: &mut Browser, mandate: &str) -> Result<Browser, TourError> {
    up_to_the_confirmation(tour, aidant, mandate).await?;
    aidant.submit("confirm-form", &[]).await?;
    expect("the file is open again", aidant.url.path(), "/file")?;
    let file = aidant.tab();
    aidant.go(&tour.demo.service).await?;
    Ok(file)
}

/// The service closes the file by itself: Porteplume told it.
async fn the_service_is_told(tour: &mut Tour<'_>, file: &mut Browser) -> Result<(), TourError> {
    for _ in 0..LOOKS {
        file.go("/file").await?;
        if file.html.contains("access_ended") {
            tour.done("within a second of it the service closed the open file: it had its logout token");
            return Ok(());
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    expect("the file a second after the mandate's end", &file.html, "access_ended")
}

/// The aidant had the confirmation before them when the usager ended the mandate.
async fn next_attempt_is_refused(
    tour: &mut Tour<'_>,
    browser: &mut Browser,
    mandate: &str,
) -> Result<(), TourError> {
    browser.submit("confirm-form", &[]).await?;
    expect("the attempt's refusal", &browser.text("refusal-code")?, "mandate_revoked")?;
    to_the_mandates(tour, browser).await?;
    let offered = browser.ids_after(&format!("choice-{mandate}")).len();
    expect("what the ended mandate still offers", &offered.to_string(), "0")?;
    tour.done("the next attempt was refused, mandate_revoked, and the mandate is offered no more");
    Ok(())
}

async fn audit(tour: &mut Tour<'_>, browser: &mut Browser) -> Result<(), TourError> {
    browser.go("/auditor/sign-in").await?;
    browser.submit("sign-in-form", &[]).await?;
    at_provider(browser, AUDITOR).await?;
    if !browser.has("purpose-form") {
        browser.go("/auditor/purpose").await?;
    }
    browser.submit("purpose-form", &[("purpose", "Visite guidée, contrôle 2026-1")]).await?;
    browser.submit("search-form", &[("kind", "mandate.ended")]).await?;
    let entry = browser
        .ids_after("entry-")
        .into_iter()
        .next()
        .ok_or_else(|| TourError::Http("the end of the mandate is not in the journal".to_owned()))?;
    browser.click(&format!("entry-{entry}")).await?;
    expect("the entry has its proof", &browser.text("checkpoint")?, "porteplume.example")?;
    tour.done(
        "the auditor stated a purpose, found the end of the mandate, and opened its entry with its proof",
    );
    Ok(())
}
