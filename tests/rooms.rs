//! The walls between the rooms of `src/`: each file may name only what the table in `src/lib.rs` grants its room.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// In lines, without the tests at the foot.
const LONGEST_FILE: usize = 400;
/// Libraries that stand in more than one row, and why that is no leak.
const SHARED: &[&str] = &[
    "openidconnect", // its types are the words of both the relying party and the Provider
    "tokio",         // the runtime
];

/// What the table in `src/lib.rs` says.
struct Walls {
    /// By module: the outside libraries it may name; `None` for all.
    outside: BTreeMap<String, Option<BTreeSet<String>>>,
    /// By module: the other modules it may name; `None` for all.
    modules: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Libraries any module may name.
    tools: BTreeSet<String>,
    /// Every library in `Cargo.toml`.
    libraries: BTreeSet<String>,
}

fn in_backticks(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn granted(cell: &str) -> Option<BTreeSet<String>> {
    (cell.trim() != "all").then(|| in_backticks(cell))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn walls() -> Walls {
    let page = read(&root().join("src/lib.rs"));
    let page: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("//!")).collect();
    let mut walls = Walls {
        outside: BTreeMap::new(),
        modules: BTreeMap::new(),
        tools: BTreeSet::new(),
        libraries: BTreeSet::new(),
    };
    for line in page.iter().filter(|line| line.starts_with(" | [`")) {
        let cells: Vec<&str> = line.split('|').collect();
        assert_eq!(cells.len(), 6, "a row of the table in src/lib.rs has four columns: {line}");
        let module = in_backticks(cells[1]).pop_first().expect("a module's name");
        walls.outside.insert(module.clone(), granted(cells[3]));
        walls.modules.insert(module, granted(cells[4]));
    }
    let page = page.join("");
    let tools = page.split("the plain tools").nth(1).and_then(|rest| rest.split('.').next());
    walls.tools = in_backticks(tools.expect("src/lib.rs names the plain tools"));
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().expect("Cargo.toml");
    let dependencies = manifest["dependencies"].as_table().expect("[dependencies]");
    walls.libraries = dependencies.keys().map(|name| name.replace('-', "_")).collect();
    walls
}

/// Every Rust file below a folder, as its path from there and its text.
fn files_of(folder: &Path) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(folder, &mut paths);
    paths.sort();
    paths.iter().map(|p| (p.strip_prefix(folder).unwrap().display().to_string(), read(p))).collect()
}

/// What a file says, told apart from what its comments and tests say.
#[derive(Default)]
struct Said {
    /// Roots of paths: `axum` of `axum::Router`.
    roots: BTreeSet<String>,
    /// Modules of this crate: `storage` of `crate::storage::Store`.
    modules: BTreeSet<String>,
    /// Whether the system's clock is read.
    reads_the_clock: bool,
    /// Every string.
    strings: Vec<String>,
    /// The first string of every formatting macro.
    formats: Vec<String>,
}

/// The module path of a file: `web/form.rs` is `[web, form]`.
fn module_path(file: &str) -> Vec<String> {
    let mut path: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    path.retain(|part| part != "mod" && part != "lib" && part != "main");
    path
}

fn ident(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        _ => None,
    }
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == wanted)
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

/// First names of a use tree: `{mandate::Instant, clock::{A, B}}` names `mandate` and `clock`.
fn heads(token: Option<&TokenTree>) -> Vec<String> {
    match token {
        Some(TokenTree::Ident(name)) => vec![name.to_string()],
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            inner.split(|t| is_punct(Some(t), ',')).filter_map(|tree| ident(tree.first())).collect()
        }
        _ => Vec::new(),
    }
}

fn text_of(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    let text = literal.to_string();
    let body = text.trim_start_matches(['b', 'c', 'r', '#']);
    body.starts_with('"').then(|| body.trim_matches(['"', '#']).to_owned())
}

/// Where the item ends that a `#[cfg(test)]` stands before.
fn after_item(tokens: &[TokenTree], from: usize) -> usize {
    let ends = |t: &TokenTree| match t {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        other => is_punct(Some(other), ';'),
    };
    tokens.iter().skip(from).position(ends).map_or(tokens.len(), |n| from + n + 1)
}

fn listen(stream: TokenStream, path: &[String], said: &mut Said) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is_punct(Some(token), '#')
            && let Some(TokenTree::Group(attribute)) =
                tokens.get(at + 1).filter(|t| !is_punct(Some(t), '!')).or(tokens.get(at + 2))
        {
            let text = attribute.stream().to_string();
            if text.starts_with("doc =") {
                at += if is_punct(tokens.get(at + 1), '!') { 3 } else { 2 };
                continue;
            }
            if text.replace(' ', "") == "cfg(test)" {
                at = after_item(&tokens, at + 2);
                continue;
            }
        }
        match token {
            TokenTree::Ident(name) => hear_name(&name.to_string(), &tokens, at, path, said),
            TokenTree::Group(group) => listen(group.stream(), path, said),
            TokenTree::Literal(_) => said.strings.extend(text_of(token)),
            TokenTree::Punct(_) => {}
        }
        at += 1;
    }
}

fn hear_name(name: &str, tokens: &[TokenTree], at: usize, path: &[String], said: &mut Said) {
    let before = at.checked_sub(1).and_then(|n| tokens.get(n));
    let follows_path =
        at >= 3 && is_punct(before, ':') && ident(tokens.get(at - 3)).is_some_and(|n| n != "use");
    let starts_path = is_path_separator(tokens, at + 1) || ident(before).is_some_and(|b| b == "use");
    if starts_path && !follows_path {
        said.roots.insert(name.to_owned());
    }
    match name {
        "now_utc" => said.reads_the_clock = true,
        "now" if at >= 3 && ident(tokens.get(at - 3)).is_some_and(|n| n == "SystemTime") => {
            said.reads_the_clock = true;
        }
        "crate" if is_path_separator(tokens, at + 1) => said.modules.extend(heads(tokens.get(at + 3))),
        "super" if !follows_path => {
            let (mut up, mut next) = (0, at);
            while ident(tokens.get(next)).is_some_and(|n| n == "super") && is_path_separator(tokens, next + 1)
            {
                (up, next) = (up + 1, next + 3);
            }
            if up == path.len() {
                said.modules.extend(heads(tokens.get(next)));
            }
        }
        "format" | "write" | "writeln" | "format_args" if is_punct(tokens.get(at + 1), '!') => {
            if let Some(TokenTree::Group(group)) = tokens.get(at + 2) {
                said.formats.extend(group.stream().into_iter().find_map(|t| text_of(&t)));
            }
        }
        _ => {}
    }
}

fn is_sql(text: &str) -> bool {
    let text = text.trim_start();
    ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE ", "ALTER ", "DROP ", "TRUNCATE ", "WITH "]
        .iter()
        .any(|verb| text.starts_with(verb))
}

fn is_html(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("</") || lower.contains("<!doctype") || lower.contains("<br")
}

/// Everything a file does that its room forbids.
fn faults(walls: &Walls, file: &str, source: &str) -> Vec<String> {
    let path = module_path(file);
    let mut said = Said::default();
    listen(source.parse().unwrap_or_else(|e| panic!("src/{file}: {e}")), &path, &mut said);
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(format!("src/{file}: {what}"));

    if source.lines().take_while(|line| line.trim() != "#[cfg(test)]").count() > LONGEST_FILE {
        fault(format!("is longer than {LONGEST_FILE} lines"));
    }
    if file != "clock.rs" && said.reads_the_clock {
        fault("takes the time itself: take the Clock port".into());
    }
    let room = path.first().map_or("main", String::as_str);
    if room != "storage" && said.strings.iter().any(|s| is_sql(s)) {
        fault("holds SQL: statements live in storage".into());
    }
    if said.formats.iter().any(|s| is_sql(s)) {
        fault("builds SQL by formatting: bind a parameter".into());
    }
    if !["view", "demo", "web"].contains(&room) && said.strings.iter().any(|s| is_html(s)) {
        fault("holds HTML: pages live in view".into());
    }
    if ["main", "app"].contains(&room) {
        return faults;
    }
    let (Some(outside), Some(modules)) = (walls.outside.get(room), walls.modules.get(room)) else {
        fault(format!("{room} has no row in the table of src/lib.rs"));
        return faults;
    };
    if let Some(outside) = outside {
        for library in said.roots.intersection(&walls.libraries) {
            if !outside.contains(library) && !walls.tools.contains(library) {
                fault(format!("names the library {library}"));
            }
        }
    }
    if let Some(modules) = modules {
        for module in said.modules.iter().filter(|m| walls.modules.contains_key(*m) && *m != room) {
            if !modules.contains(module) {
                fault(format!("names the module {module}"));
            }
        }
    }
    faults
}

#[test]
fn no_room_names_what_its_row_does_not_grant() {
    let walls = walls();
    let faults: Vec<String> =
        files_of(&root().join("src")).iter().flat_map(|(f, text)| faults(&walls, f, text)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn one_outside_library_lives_in_one_room() {
    let walls = walls();
    for library in walls.libraries.difference(&walls.tools) {
        let rooms: Vec<_> =
            walls.outside.iter().filter(|(_, l)| l.as_ref().is_some_and(|l| l.contains(library))).collect();
        let rooms: Vec<_> = rooms.iter().map(|(room, _)| room.as_str()).collect();
        assert!(rooms.len() <= 1 || SHARED.contains(&library.as_str()), "{library} lives in {rooms:?}");
    }
}

#[test]
fn nothing_in_production_depends_on_the_demo() {
    for (module, named) in walls().modules {
        assert!(named.is_none_or(|named| !named.contains("demo")), "{module} names demo");
    }
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |engine: &str| -> BTreeSet<String> {
        let folder = root().join("migrations").join(engine);
        std::fs::read_dir(folder)
            .map(|files| files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn the_guard_finds_each_kind_of_fault() {
    let walls = walls();
    let long = "const X: u8 = 0;\n".repeat(LONGEST_FILE + 1);
    for (file, source, expected) in [
        ("mandate/a.rs", "use axum::Router;", "names the library axum"),
        ("mandate/a.rs", "fn f() { tokio::spawn(g()); }", "names the library tokio"),
        ("view/a.rs", "#[derive(Debug, sqlx::FromRow)] struct A;", "names the library sqlx"),
        ("web/a.rs", "use ::ring::hmac;", "names the library ring"),
        ("web/a.rs", "use crate::storage::Store;", "names the module storage"),
        ("web/a.rs", "use crate::{clock::Clock, storage};", "names the module storage"),
        ("web/mod.rs", "use super::storage;", "names the module storage"),
        ("web/a/b.rs", "use super::super::super::{service, storage::X};", "names the module storage"),
        ("service/a.rs", "use crate::demo;", "names the module demo"),
        ("mandate/a.rs", "fn f() { crate::clock::SystemClock; }", "names the module clock"),
        ("service/a.rs", "const Q: &str = \"SELECT 1\";", "holds SQL: statements live in storage"),
        (
            "storage/a.rs",
            "fn f(t: &str) { format!(\"DELETE FROM {t}\"); }",
            "builds SQL by formatting: bind a parameter",
        ),
        ("service/a.rs", "const P: &str = r#\"<p>no</p>\"#;", "holds HTML: pages live in view"),
        (
            "jobs/a.rs",
            "fn f() { time::OffsetDateTime::now_utc(); }",
            "takes the time itself: take the Clock port",
        ),
        (
            "jobs/a.rs",
            "fn f() { std::time::SystemTime::now(); }",
            "takes the time itself: take the Clock port",
        ),
        ("jobs/a.rs", &long, "is longer than 400 lines"),
        ("cellar/a.rs", "", "cellar has no row in the table of src/lib.rs"),
    ] {
        assert_eq!(faults(&walls, file, source), [format!("src/{file}: {expected}")], "{source:.80}");
    }
}

#[test]
fn the_guard_lets_lawful_files_pass() {
    let walls = walls();
    for (file, source) in [
        ("web/a.rs", "//! Not `sqlx::Row`, no SELECT.\nuse axum::Router; use crate::service;"),
        ("storage/journal.rs", "const Q: &str = \"SELECT 1\"; use sqlx::Row; use super::{journal, view};"),
        ("mandate/a.rs", "use serde::Serialize; #[cfg(test)] mod tests { use tokio::time; }"),
        ("relying/a.rs", "fn f() -> std::time::SystemTime { std::time::SystemTime::UNIX_EPOCH }"),
        ("clock.rs", "fn f() { time::OffsetDateTime::now_utc(); }"),
    ] {
        assert_eq!(faults(&walls, file, source), Vec::<String>::new(), "{source}");
    }
}

/// Everything written in the sources and the tests.
fn all_code() -> String {
    let files = ["src", "tests"].into_iter().flat_map(|folder| files_of(&root().join(folder)));
    files.map(|(_, text)| text).collect()
}

#[test]
fn every_row_of_the_security_tables_names_a_test_that_exists_or_a_reason() {
    let code = all_code();
    let page = read(&root().join("SECURITY.md"));
    let (_, tables) = page.split_once("## RFC 9700").expect("the table of RFC 9700");
    let (rfc9700, asvs) = tables.split_once("## OWASP ASVS").expect("the table of ASVS");
    for (table, least) in [(rfc9700, 27), (asvs, 36)] {
        let rows: Vec<&str> = table
            .lines()
            .filter(|line| line.starts_with("| ") && !line.ends_with(" or reason |"))
            .map(|line| line.rsplit('|').nth(1).unwrap_or_default())
            .collect();
        assert!(rows.len() >= least, "{} rows", rows.len());
        for row in rows {
            // Tests have long names; `code`, `oidc` and their like are words of the protocol.
            let tests: Vec<_> = in_backticks(row)
                .into_iter()
                .filter(|name| name.contains('_') && name != "authorization_details")
                .collect();
            assert!(!tests.is_empty() || row.contains("reason: "), "{row}");
            for test in tests {
                assert!(code.contains(&format!(" {test}(")), "SECURITY.md names {test}");
            }
        }
    }
}

#[test]
fn the_lists_of_invariants_and_of_bad_input_name_tests_that_exist() {
    let code = all_code();
    let page = read(&root().join("tests/README.md"));
    let (_, lists) = page.split_once("## The twelve invariants").expect("the list of invariants");
    let (invariants, bad_input) = lists.split_once("## Bad input").expect("the list of bad input");
    for (list, least) in [(invariants, 12), (bad_input, 25)] {
        // The last column names the tests.
        let rows = list.lines().filter(|line| line.starts_with("| ") && !line.ends_with(" tests |"));
        let rows: Vec<BTreeSet<String>> =
            rows.map(|row| row.rsplit('|').nth(1).map(in_backticks).unwrap_or_default()).collect();
        assert!(rows.len() >= least, "{} rows", rows.len());
        assert!(rows.iter().all(|named| !named.is_empty()), "a row names no test");
        // Either a function of that name, or a line of `on_both!`.
        let missing: Vec<&String> =
            rows.iter().flatten().filter(|test| !code.contains(&format!(" {test}("))).collect();
        assert!(missing.is_empty(), "tests/README.md names {missing:?}");
    }
}
