//! Names of shards (contract journal.md, 4.5): one origin per year, made from the first one's.

/// Whether a text is four digits.
fn is_year(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What stands before the year in the names of a journal's shards: the first one's name, without a year at its end.
fn stem(first: &str) -> &str {
    first.rsplit_once('/').filter(|(_, last)| is_year(last)).map_or(first, |(stem, _)| stem)
}

/// The name of the shard of a year, of a journal whose first shard has that name: the year in place of the one at its end, or
/// behind it. From the second shard of a year on, its number stands behind the year.
#[must_use]
pub fn shard_name(first: &str, year: i32, number: u32) -> String {
    let stem = stem(first);
    if number < 2 { format!("{stem}/{year:04}") } else { format!("{stem}/{year:04}-{number}") }
}

/// Whether a name is one that a shard of that journal can have.
#[must_use]
pub fn is_shard_of(first: &str, name: &str) -> bool {
    let later = name.strip_prefix(stem(first)).and_then(|rest| rest.strip_prefix('/'));
    let of_year = |last: &str| {
        let (year, number) = last.split_once('-').map_or((last, None), |(year, number)| (year, Some(number)));
        is_year(year)
            && number.is_none_or(|number| {
                number.parse().is_ok_and(|told: u32| told >= 2 && told.to_string() == number)
            })
    };
    name == first || later.is_some_and(of_year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_named_after_the_first_one_and_its_year() {
        for (first, number, name) in [
            ("mandats.example.fr/journal", 1, "mandats.example.fr/journal/2027"),
            ("mandats.example.fr/journal/2026", 1, "mandats.example.fr/journal/2027"),
            ("mandats.example.fr/journal/2026", 2, "mandats.example.fr/journal/2027-2"),
            ("mandats.example.fr", 3, "mandats.example.fr/2027-3"),
        ] {
            assert_eq!(shard_name(first, 2027, number), name);
            assert!(is_shard_of(first, name) && is_shard_of(first, first), "{name}");
        }
    }

    #[test]
    fn other_names_are_no_shards() {
        let first = "mandats.example.fr/journal/2026";
        for name in [
            "mandats.example.fr/journal",
            "mandats.example.fr/2027",
            "elsewhere.fr/journal/2027",
            "mandats.example.fr/journal/27",
            "mandats.example.fr/journal/2027-",
            "mandats.example.fr/journal/2027-1",
            "mandats.example.fr/journal/2027-02",
            "mandats.example.fr/journal/2027/2",
            "",
        ] {
            assert!(!is_shard_of(first, name), "{name}");
        }
    }
}
