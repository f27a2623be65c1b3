//! `mandate verify`: what a mandate grants and where it stands, from its history and a policy alone.

use super::{Refused, check, policies, say};
use crate::journal::told;
use crate::mandate::{Acceptance, Act, Consent, ConsentChannel, Instant, Mandate, ProcedureId, State};
use crate::paper;
use clap::Subcommand;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(super) enum MandateAct {
    /// Verify a mandate by its PDF or its history, offline, and say what it grants. Example: porteplume mandate verify mandat.pdf --policy policy.txt
    Verify {
        /// A mandate's PDF, of which the attached history is verified; or that history itself, as its usager can download it.
        file: PathBuf,
        /// Whom you trust: the journal's policy, from where you know it to be right. Once for each shard.
        #[arg(long, value_name = "FILE", required = true)]
        policy: Vec<PathBuf>,
    },
}

pub(super) async fn run(act: MandateAct) -> Result<(), Refused> {
    let MandateAct::Verify { file, policy } = act;
    verify(&file, &policy).await
}

async fn verify(file: &Path, paths: &[PathBuf]) -> Result<(), Refused> {
    let text = history_of(file).await?;
    let policy = policies::trusted(paths)?.ok_or_else(check::no_policy)?;
    let (history, proved) = check::proved(&text, &policy)?;
    let mandate = told(&history, &proved).map_err(|error| {
        Refused::other(format!("the history tells of no mandate ({}): {error}", error.code()))
    })?;
    for line in lines(&mandate) {
        say(&line);
    }
    check::complete(&history, &proved);
    Ok(())
}

/// The history in a file: the file itself, or what is attached to a PDF. The pages of a PDF prove nothing and are not read.
async fn history_of(file: &Path) -> Result<String, Refused> {
    let bytes = check::read_bytes(file).await?;
    if paper::is_pdf(&bytes) {
        let attached = paper::attachment(bytes);
        return attached
            .map_err(|error| Refused::other(format!("not a mandate's PDF ({}): {error}", error.code())));
    }
    String::from_utf8(bytes).map_err(|_| Refused::other(format!("{} is no text and no PDF", file.display())))
}

fn lines(mandate: &Mandate) -> Vec<String> {
    let mut lines = vec![
        format!("mandate {} of organisation {}", mandate.id, mandate.organisation),
        format!("proposed {}", mandate.proposed_at.to_utc()),
    ];
    lines.extend(match &mandate.state {
        State::Proposed => vec!["not agreed to so far".to_owned()],
        State::Refused { at } => vec![format!("refused by the person {}", at.to_utc())],
        State::Lapsed { consent, at } => {
            let mut lines: Vec<String> = consent.iter().flat_map(agreed).collect();
            lines.push(format!("lapsed: not agreed by both in time, found {}", at.to_utc()));
            lines
        }
        State::Consented(consent) => {
            [agreed(consent), vec!["not accepted by the organisation so far".to_owned()]].concat()
        }
        State::Active { consent, acceptance, withdrawn } => [
            agreed(consent),
            vec![accepted(acceptance)],
            granted(mandate, withdrawn),
            vec!["standing after these entries, until its end at the latest".to_owned()],
        ]
        .concat(),
        State::Ended { consent, acceptance, withdrawn, at, reason } => {
            let mut lines = agreed(consent);
            lines.extend(acceptance.as_ref().map(accepted));
            lines.extend(granted(mandate, withdrawn));
            lines.push(format!("ENDED {} ({})", at.to_utc(), reason.as_str()));
            lines
        }
    });
    lines
}

fn agreed(consent: &Consent) -> Vec<String> {
    vec![
        format!(
            "agreed to by the person {} ({}, identified as {}, read in {})",
            consent.at.to_utc(),
            channel(consent.channel),
            consent.identity_level,
            consent.language
        ),
        format!("SHA-256 of the binding text: {}", consent.text_hash),
    ]
}

const fn channel(of: ConsentChannel) -> &'static str {
    match of {
        ConsentChannel::InPresence => "in presence",
        ConsentChannel::OwnDevice => "on a device of their own",
        ConsentChannel::Telephone => "by telephone",
        ConsentChannel::Paper => "on signed paper",
        ConsentChannel::PostedCode => "by a posted code",
        ConsentChannel::SeenDocument => "in presence, by an identity document",
    }
}

fn accepted(acceptance: &Acceptance) -> String {
    let (from, until) = (acceptance.at.to_utc(), acceptance.ends_at.to_utc());
    format!("accepted by the organisation {from}, until {until}")
}

/// Every procedure with what may be done, or when it was taken out.
fn granted(mandate: &Mandate, withdrawn: &BTreeMap<ProcedureId, Instant>) -> Vec<String> {
    let line = |(id, acts): (&ProcedureId, &BTreeSet<Act>)| {
        if let Some(at) = withdrawn.get(id) {
            return format!("  {id}: taken out {}", at.to_utc());
        }
        let acts: Vec<&str> = acts.iter().map(|act| act.as_str()).collect();
        format!("  {id}: {}", acts.join(", "))
    };
    mandate.terms.procedures.iter().map(line).collect()
}
