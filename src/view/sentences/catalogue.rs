//! The catalogue of everything that is journaled, as a page of the documentation (`docs/events.md`).

use super::event;
use crate::mandate::{EventKind, Language, Named, Retention};
use std::fmt::Write as _;

const HEAD: &str = "\
# What is journaled

<!-- Written by `porteplume journal events`; a test fails when this page is not what the program says. -->

Every act, refusal, view and administrative step is an entry of one of these kinds. A kind without its class, its slots or
its sentences in both languages does not compile (`src/mandate/event.rs`, `src/view/sentences/event.rs`). The names are
part of the journal: they never change meaning.

An entry commits to what it tells in four slots. `act` (what happened: kind, outcome, the code of a refusal, mandate, procedure,
details) and `ctx` (organisation, service, address, session, version of the software) are filled in every entry. The table
says whether `sub` names the usager and `aid` the aidant or auditor: always, when somebody is known by then, or never. A
slot that names nobody holds chance. A refusal is an entry of the same kind with the outcome `refused` and its stable code.

Openings of the class *evidence* are kept until six years after the mandate's end, those of the class *technical* for one
year; the entry itself stays for ever.

";

const fn named(named: Named) -> &'static str {
    match named {
        Named::Always => "always",
        Named::WhenKnown => "when known",
        Named::Never => "never",
    }
}

const fn class(retention: Retention) -> &'static str {
    match retention {
        Retention::Evidence => "evidence",
        Retention::Technical => "technical",
    }
}

/// The page, as Markdown.
#[must_use]
pub fn catalogue() -> String {
    let mut page = HEAD.to_owned();
    page.push_str(
        "| kind | what it tells | en français | `sub` | `aid` | class |\n|---|---|---|---|---|---|\n",
    );
    for kind in EventKind::ALL {
        // Writing into a string does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} |",
            kind.as_str(),
            event(*kind, Language::En),
            event(*kind, Language::Fr),
            named(kind.names_usager()),
            named(kind.names_professional()),
            class(kind.retention()),
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_events_is_what_the_program_says() {
        let page = include_str!("../../../docs/events.md");
        assert!(
            page == catalogue(),
            "docs/events.md is stale; renew it: porteplume journal events > docs/events.md"
        );
    }

    #[test]
    fn each_kind_has_its_row() {
        let page = catalogue();
        for kind in EventKind::ALL {
            assert_eq!(page.matches(&format!("| `{}` |", kind.as_str())).count(), 1);
        }
    }
}
