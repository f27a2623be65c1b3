//! The whole of what a verifier must trust, as a file (C2SP tlog-policy, as of commit 13027ee).

use super::Vkey;
use std::fmt::Write as _;

/// The policy under which a checkpoint of this journal counts: signed by one of its keys, the current one first.
/// No witness cosigns yet. The address is where the checkpoint and the tiles are served.
#[must_use]
pub fn policy(keys: &[Vkey], address: Option<&str>) -> String {
    let mut text = String::new();
    for key in keys {
        let address = address.map(|address| format!(" {address}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "log {key}{address}");
    }
    text.push_str("quorum none\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_every_key_once_and_asks_no_witness() {
        let keys = [Vkey::new("j.example", &[1; 32]).unwrap(), Vkey::new("j.example", &[2; 32]).unwrap()];
        let expected = format!(
            "log {} https://j.example/journal\nlog {} https://j.example/journal\nquorum none\n",
            keys[0], keys[1]
        );
        assert_eq!(policy(&keys, Some("https://j.example/journal")), expected);
        assert_eq!(policy(&keys[..1], None), format!("log {}\nquorum none\n", keys[0]));
    }
}
