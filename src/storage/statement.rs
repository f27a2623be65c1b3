//! The register of every statement, so that a test (and `doctor`) can prepare each on each engine.

/// One statement of the storage room.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// Where it stands: module and constant.
    pub name: &'static str,
    /// Its text, the same on both engines.
    pub text: &'static str,
}

/// Declares statements as constants and registers them under their module.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* const $name: &str = $text;)*
        pub(super) const STATEMENTS: &[$crate::storage::Statement] = &[$($crate::storage::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            text: $name,
        },)*];
    };
}
pub(super) use statements;

/// Every statement that runs on both engines.
#[must_use]
pub fn all_statements() -> Vec<Statement> {
    [
        super::aidants::STATEMENTS,
        super::anomalies::STATEMENTS,
        super::append::STATEMENTS,
        super::assertions::STATEMENTS,
        super::audit::STATEMENTS,
        super::audit_grants::STATEMENTS,
        super::auditors::STATEMENTS,
        super::authorizations::STATEMENTS,
        super::break_glass::STATEMENTS,
        super::askings::STATEMENTS,
        super::cards::STATEMENTS,
        super::clients::STATEMENTS,
        super::contacts::STATEMENTS,
        super::cosignatures::STATEMENTS,
        super::cosigned::STATEMENTS,
        super::data_keys::STATEMENTS,
        super::extent::STATEMENTS,
        super::factors::STATEMENTS,
        super::held::STATEMENTS,
        super::idempotency::STATEMENTS,
        super::journal::STATEMENTS,
        super::login_flows::STATEMENTS,
        super::mandates::STATEMENTS,
        super::notices::STATEMENTS,
        super::organisations::STATEMENTS,
        super::outbox::STATEMENTS,
        super::papers::STATEMENTS,
        super::refusals::STATEMENTS,
        super::reminders::STATEMENTS,
        super::representations::STATEMENTS,
        super::samples::STATEMENTS,
        super::saved_searches::STATEMENTS,
        super::population::STATEMENTS,
        super::search::STATEMENTS,
        super::seen::STATEMENTS,
        super::sequence::STATEMENTS,
        super::sessions::STATEMENTS,
        super::shards::STATEMENTS,
        super::tally::STATEMENTS,
        super::time_stamps::STATEMENTS,
        super::tokens::STATEMENTS,
        super::usagers::STATEMENTS,
        super::watch::STATEMENTS,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQLite looks into a bare placeholder after LIMIT to plan, so binding it throws the plan away: every run would
    /// be parsed and planned again.
    #[test]
    fn no_statement_is_planned_again_at_each_run() {
        let all = all_statements();
        assert!(all.iter().any(|statement| statement.text.contains("LIMIT CAST($")));
        for statement in all {
            assert!(!statement.text.contains("LIMIT $"), "{}", statement.name);
        }
    }
}
