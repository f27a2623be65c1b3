//! The auditor's desk.

use super::*;
use crate::mandate::{
    AnomalyId, Answers, Bilingual, Closing, EventKind, Finding, GlassId, Outcome, Rule, SampleId, SearchId,
    Verdict,
};
use crate::view::anomalies::{Anomalies, Anomaly, CloseAnomaly, Comment, Looker, OneAnomaly, Standing};
use crate::view::auditor::Choice as Listed;
use crate::view::auditor::Sample;
use crate::view::auditor::*;
use crate::view::{Chart, Problem};
use std::collections::BTreeMap;

fn entry_line(digit: u8, kind: EventKind) -> EntryLine {
    let refused = kind == EventKind::RepresentationRefused;
    EntryLine {
        id: EventId::from_bytes([digit; 16]),
        index: (digit != 9).then_some(20_400 + u64::from(digit)),
        at: minute(-i64::from(digit)),
        kind,
        outcome: if refused { Outcome::Refused } else { Outcome::Done },
        code: refused.then(|| Refusal::Revoked.code().into()),
        procedure: refused.then(|| granted().remove(0).name),
        subjects: vec![
            ("organisation", "Médiathèque de Saint-Aubin".into()),
            ("aidant", "1b".repeat(8)),
            ("mandate", "2c".repeat(8)),
        ],
    }
}

fn search(cast: &Cast, results: Option<Vec<EntryLine>>, problems: Vec<Problem>) -> Search {
    let filters = Filters {
        from: "2026-11-01".into(),
        kind: Some(EventKind::MandateEnded),
        outcome: Some(Outcome::Done),
        mandate: "\"><script>&".into(),
        ..Filters::default()
    };
    let next = results.as_ref().map(|_| "20402&x".into());
    let listed = |value: &str, name: &str| Listed {
        value: value.into(),
        name: Bilingual { fr: name.into(), en: name.into() },
    };
    Search {
        problems,
        purpose: "Contrôle annuel, réf. 2026-17".into(),
        organisations: vec![listed(&"0a".repeat(16), &cast.organisation)],
        services: vec![listed("caisse", &cast.service)],
        procedures: granted()
            .into_iter()
            .map(|one| Listed { value: one.id.to_string(), name: one.name })
            .collect(),
        kept: vec![Kept {
            id: SearchId::from_bytes([4; 16]),
            name: cast.service.clone(),
            query: "kind=mandate.ended".into(),
        }],
        filters,
        results,
        next,
    }
}

fn anomaly(cast: &Cast, rule: Rule, digit: u8) -> Anomaly {
    let of_mandate = matches!(rule, Rule::NeverUsed | Rule::HastyConsent | Rule::UsedBeforeRevocation);
    let (about, entries) = (rule != Rule::SharedDevice, vec![EventId::from_bytes([digit; 16])]);
    Anomaly {
        id: AnomalyId::from_bytes([digit; 16]),
        finding: Finding { rule, measured: 18, threshold: 15, span: 10, entries },
        at: minute(-i64::from(digit)),
        organisation: about.then(|| cast.organisation.clone()),
        aidant: about.then(|| "1b".repeat(8)),
        mandate: of_mandate.then(|| MandateId::from_bytes([digit; 16])),
        pseudonym: of_mandate.then(|| "2c".repeat(8)),
        standing: Standing::Open,
    }
}

pub(super) fn one_anomaly(
    cast: &Cast,
    looker: Looker,
    anomaly: Anomaly,
    problems: Vec<Problem>,
) -> OneAnomaly {
    let comment =
        |auditor, text: &str| Comment { by: cast.aidant.clone(), auditor, at: minute(-1), text: text.into() };
    OneAnomaly {
        problems,
        looker,
        anomaly,
        comments: vec![comment(true, "Pourquoi si tard ?"), comment(false, &cast.service)],
        text: String::new(),
        idempotency: "idempotency-key".into(),
    }
}

pub(super) fn for_referent(cast: &Cast, rule: Rule, digit: u8) -> Anomaly {
    Anomaly { aidant: Some(cast.aidant.clone()), ..anomaly(cast, rule, digit) }
}

fn followed(then: Option<Then>) -> Followed {
    let kinds = [EventKind::MandateEnded, EventKind::RepresentationRefused, EventKind::TokensIssued];
    Followed {
        pseudonym: "2c".repeat(8),
        lines: [3, 5, 7].into_iter().zip(kinds).map(|(digit, kind)| entry_line(digit, kind)).collect(),
        then,
        next: Some("/auditor/follow?mandate=2c2c&after=1-2".into()),
        ask: Some("/auditor/content/ask?mandate=2c2c".into()),
    }
}

fn follow(problems: Vec<Problem>, followed: Option<Followed>) -> Follow {
    Follow {
        problems,
        mandate: "2c".repeat(8),
        aidant: String::new(),
        at: "2026-11-22T09:00".into(),
        followed,
    }
}

fn then(status: Option<Status>, agrees: bool) -> Then {
    Then { at: minute(-60), procedures: if status.is_some() { granted() } else { vec![] }, status, agrees }
}

fn charts(cast: &Cast, days: i64) -> Charts {
    let hours: BTreeMap<Instant, u64> =
        (0..days * 8).map(|n| (minute(-n * 180), u64::try_from(n * n % 13).unwrap_or(0))).collect();
    let name = |text: &str| Bilingual { fr: text.into(), en: text.into() };
    let refusals =
        Refusal::ALL.iter().zip(1..).take(6).map(|(refusal, count)| (name(refusal.code()), count * 7));
    Charts {
        problems: vec![],
        from: "2026-10-24".into(),
        to: "2026-11-23".into(),
        organisations: vec![Listed { value: "0a".repeat(16), name: name(&cast.organisation) }],
        organisation: String::new(),
        charts: vec![
            Chart::days("days", &hours, (minute(-days * 1440), now())),
            Chart::hours("hours", &hours),
            Chart::weekdays("weekdays", &hours),
            Chart::named(
                "procedures",
                granted().into_iter().zip([31, 12]).map(|(one, count)| (one.name, count)),
            ),
            Chart::named("codes", refusals),
            Chart::named(
                "waits",
                [("dans l’heure", 3), ("jamais", 9)].map(|(text, count)| (name(text), count)),
            ),
            Chart::named("channels", []),
        ],
    }
}

fn request(cast: &Cast, digit: u8, state: Asked, own: bool) -> ContentRequest {
    ContentRequest {
        id: GlassId::from_bytes([digit; 16]),
        by: cast.aidant.clone(),
        at: minute(-20),
        reason: format!("{} : la plainte ne dit pas qui était là.", cast.service),
        mandate: Some("2c".repeat(8)),
        entry: (digit == 2).then(|| EventId::from_bytes([digit; 16])),
        state,
        own,
    }
}

fn sample_facts(cast: &Cast) -> SampleFacts {
    SampleFacts {
        id: SampleId::from_bytes([1; 16]),
        at: minute(-30),
        parameters: "count=20;from=1761264000000;until=1763935200000;kind=mandate.consented".into(),
        population: 20_451,
        seed: "9f2c4a".repeat(10) + "0bd1",
        reading: "5a".repeat(16),
        purpose: cast.service.clone(),
        checkpoint: "porteplume.example/journal\n20452\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
            .into(),
        follows: true,
    }
}

fn sampled(cast: &Cast) -> Vec<SampledEntry> {
    let answers = Answers([Verdict::Yes, Verdict::Yes, Verdict::No, Verdict::Unclear]);
    let one = |digit: u8, answers: Option<Answers>| SampledEntry {
        event: EventId::from_bytes([digit; 16]),
        line: (digit != 9).then(|| entry_line(digit, EventKind::RepresentationRefused)),
        note: answers.map_or_else(String::new, |_| cast.aidant.clone()),
        answers,
    };
    vec![one(3, Some(answers)), one(5, None), one(9, None)]
}

pub(super) const SAMPLES: &[super::Sample] = &[
    ("auditor-purpose", |cast, l| {
        let page = Purpose {
            problems: vec![Problem::PurposeMissing],
            purpose: String::new(),
            idempotency: "idempotency-key".into(),
        };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-search", |cast, l| {
        let kinds = [EventKind::MandateEnded, EventKind::RepresentationRefused, EventKind::TokensIssued];
        let results = [3, 5, 9].into_iter().zip(kinds).map(|(digit, kind)| entry_line(digit, kind)).collect();
        search(cast, Some(results), vec![]).render(&cast.as_auditor(l))
    }),
    ("auditor-search-none", |cast, l| search(cast, Some(vec![]), vec![]).render(&cast.as_auditor(l))),
    ("auditor-search-problem", |cast, l| {
        let problems = vec![Problem::PeriodInvalid, Problem::FilterInvalid { field: "mandate" }];
        search(cast, None, problems).render(&cast.as_auditor(l))
    }),
    ("auditor-entry", |cast, l| {
        let proof = Proof {
            index: 20_403,
            tree_size: 20_452,
            root: receipt().root,
            leaf_hash: receipt().leaf_hash,
            hashes: vec![receipt().root, receipt().leaf_hash],
            checkpoint: "porteplume.example/journal\n20452\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
                .into(),
        };
        let page = Entry {
            entry: entry_line(3, EventKind::RepresentationRefused),
            canonical: "{\"kind\":\"representation.refused\",\"at\":1795424400000}".into(),
            openings: vec![("usager".into(), cast.usager()), ("service".into(), cast.service.clone())],
            persons: vec![],
            ask: Some("/auditor/content/ask?entry=0303".into()),
            proof: Some(proof),
        };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-entry-waiting", |cast, l| {
        let entry = entry_line(9, EventKind::AidantSignedIn);
        Entry { entry, canonical: "{}".into(), openings: vec![], persons: vec![], ask: None, proof: None }
            .render(&cast.as_auditor(l))
    }),
    ("auditor-entry-opened", |cast, l| {
        let page = Entry {
            entry: entry_line(3, EventKind::RepresentationOpened),
            canonical: "{}".into(),
            openings: vec![],
            persons: vec![("usager", cast.usager()), ("aidant", cast.aidant.clone())],
            ask: None,
            proof: None,
        };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-search-kept", |cast, l| {
        search(cast, None, vec![Problem::PeriodInvalid]).render(&cast.as_auditor(l))
    }),
    ("auditor-follow", |cast, l| {
        follow(vec![], Some(followed(Some(then(Some(in_force()), true))))).render(&cast.as_auditor(l))
    }),
    ("auditor-follow-before", |cast, l| {
        follow(vec![], Some(followed(Some(then(None, false))))).render(&cast.as_auditor(l))
    }),
    ("auditor-follow-problem", |cast, l| {
        follow(vec![Problem::FilterInvalid { field: "mandate" }], None).render(&cast.as_auditor(l))
    }),
    ("auditor-charts", |cast, l| charts(cast, 30).render(&cast.as_auditor(l))),
    ("auditor-charts-year", |cast, l| {
        let page = Charts { problems: vec![Problem::PeriodTooLong], ..charts(cast, 300) };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-samples", |cast, l| {
        let sample = |digit: u8| SampleLine {
            id: SampleId::from_bytes([digit; 16]),
            at: minute(-i64::from(digit)),
            drawn: 20,
            population: 20_451,
        };
        let page = Samples {
            problems: vec![Problem::CountInvalid],
            from: "2026-10-24".into(),
            to: String::new(),
            organisations: vec![Listed {
                value: "0a".repeat(16),
                name: Bilingual { fr: cast.organisation.clone(), en: cast.organisation.clone() },
            }],
            organisation: String::new(),
            kind: Some(EventKind::MandateConsented),
            count: "0".into(),
            idempotency: "idempotency-key".into(),
            samples: vec![sample(1), sample(2)],
        };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-sample", |cast, l| {
        Sample { facts: sample_facts(cast), entries: sampled(cast) }.render(&cast.as_auditor(l))
    }),
    ("auditor-checklist", |cast, l| {
        let page = Checklist {
            problems: vec![],
            sample: SampleId::from_bytes([1; 16]),
            entry: sampled(cast).remove(0),
        };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-checklist-problem", |cast, l| {
        let page = Checklist {
            problems: vec![Problem::AnswerMissing],
            sample: SampleId::from_bytes([1; 16]),
            entry: sampled(cast).remove(1),
        };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-report", |cast, l| {
        SampleReport { facts: sample_facts(cast), entries: sampled(cast) }.render(&cast.as_auditor(l))
    }),
    ("auditor-anomalies", |cast, l| {
        let all = Rule::ALL.iter().zip(1..).map(|(rule, digit)| anomaly(cast, *rule, digit)).collect();
        let next = Some("1-2".into());
        Anomalies { looker: Looker::Auditor, open: true, anomalies: all, next }.render(&cast.as_auditor(l))
    }),
    ("auditor-anomalies-none", |cast, l| {
        let page = Anomalies { looker: Looker::Auditor, open: false, anomalies: vec![], next: None };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-anomaly", |cast, l| {
        let anomaly = anomaly(cast, Rule::UsedBeforeRevocation, 1);
        one_anomaly(cast, Looker::Auditor, anomaly, vec![]).render(&cast.as_auditor(l))
    }),
    ("auditor-anomaly-closed", |cast, l| {
        let by = cast.aidant.clone();
        let standing = Standing::Closed { by, at: minute(-2), reason: Closing::Explained };
        let anomaly = Anomaly { standing, ..anomaly(cast, Rule::SharedDevice, 1) };
        one_anomaly(cast, Looker::Auditor, anomaly, vec![]).render(&cast.as_auditor(l))
    }),
    ("auditor-anomaly-close", |cast, l| {
        let page = CloseAnomaly {
            problems: vec![Problem::ClosingMissing],
            anomaly: anomaly(cast, Rule::Burst, 1),
            text: cast.service.clone(),
            idempotency: "idempotency-key".into(),
        };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-content", |cast, l| {
        let by = || cast.aidant.clone();
        let page = Content {
            requests: vec![
                request(cast, 1, Asked::Waiting { until: minute(40) }, false),
                request(cast, 2, Asked::Open { by: by(), until: minute(40) }, true),
                request(cast, 3, Asked::Over { by: by(), at: minute(-5) }, true),
                request(cast, 4, Asked::Refused { by: by(), at: minute(-5) }, false),
                request(cast, 5, Asked::Lapsed { at: minute(-5) }, true),
            ],
        };
        page.render(&cast.as_auditor(l))
    }),
    ("auditor-content-none", |cast, l| Content { requests: vec![] }.render(&cast.as_auditor(l))),
    ("auditor-ask", |cast, l| {
        let page = AskContent {
            problems: vec![Problem::ReasonMissing],
            mandate: "2c".repeat(8),
            entry: String::new(),
            reason: String::new(),
            idempotency: "idempotency-key".into(),
        };
        page.render(&cast.as_auditor(l))
    }),
];
