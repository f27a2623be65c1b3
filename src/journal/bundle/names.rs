//! Names of the files in a bundle.

/// What every bundle holds once, in this order.
pub(super) const FIXED: [&str; 3] = ["policy", "checkpoint", "report.html"];

/// The name of a file in the shard of that number.
pub(super) fn shard_name(shard: usize, name: &str) -> String {
    if shard == 0 { name.to_owned() } else { format!("{name}-{shard}") }
}

fn entry_name(shard: usize, index: u64, kind: &str) -> String {
    let shard = if shard == 0 { String::new() } else { format!("{shard}-") };
    format!("entries/{shard}{index:012}.{kind}")
}

pub(super) fn proof_name(shard: usize, index: u64) -> String {
    entry_name(shard, index, "tlog-proof")
}

pub(super) fn openings_name(shard: usize, index: u64) -> String {
    entry_name(shard, index, "json")
}

/// Whether a bundle can hold a file of that name.
pub(super) fn is_lawful(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let entry = |rest: &str| {
        let number = rest.strip_suffix(".tlog-proof").or_else(|| rest.strip_suffix(".json"));
        let (shard, number) = number.map(|number| number.split_once('-').unwrap_or(("0", number))).unzip();
        shard.is_some_and(digits) && number.is_some_and(|number| number.len() >= 12 && digits(number))
    };
    let of_shard = ["policy-", "checkpoint-"].iter().any(|kind| name.strip_prefix(kind).is_some_and(digits));
    name == "manifest.json"
        || FIXED.contains(&name)
        || of_shard
        || name.strip_prefix("entries/").is_some_and(entry)
}
