//! Reads settings one by one, from the environment first, and knows where each came from when it is wrong.

use super::{ConfigError, Secret};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use toml::{Table, Value};

const PREFIX: &str = "PORTEPLUME__";

/// A way to read the file of a secret.
type ReadFile<'a> = &'a dyn Fn(&Path) -> std::io::Result<String>;

/// All sections, still to be read.
pub(super) struct Reader<'a> {
    file: Table,
    environment: BTreeMap<String, BTreeMap<String, String>>,
    known: Vec<&'static str>,
    read_file: ReadFile<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
        read_file: ReadFile<'a>,
    ) -> Result<Self, ConfigError> {
        let file = text.parse::<Table>().map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            ConfigError::Syntax {
                line: before.matches('\n').count() + 1,
                problem: error.message().to_owned(),
            }
        })?;
        let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (name, value) in environment {
            if let Some(name) = name.strip_prefix(PREFIX) {
                let (section, key) = name.split_once("__").unwrap_or((name, ""));
                sections.entry(section.to_lowercase()).or_default().insert(key.to_lowercase(), value);
            }
        }
        Ok(Self { file, environment: sections, known: Vec::new(), read_file })
    }

    /// Reads one section whole: what `read` leaves over is refused.
    pub(super) fn section<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        self.known.push(name);
        let file = match self.file.remove(name) {
            Some(Value::Table(table)) => table,
            Some(other) => {
                let cure = format!("write a section: [{name}]");
                return Err(ConfigError::Invalid { key: name.to_owned(), value: other.to_string(), cure });
            }
            None => Table::new(),
        };
        let environment = self.environment.remove(name).unwrap_or_default();
        let name = name.to_owned();
        let mut section = Section { name, file, environment, known: Vec::new(), read_file: self.read_file };
        let value = read(&mut section)?;
        section.finish()?;
        Ok(value)
    }

    /// Reads sections of one kind, `[name.ONE]`, `[name.OTHER]`: each whole. In the environment a setting of one is
    /// `PORTEPLUME__NAME__ONE__KEY`.
    pub(super) fn each<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str, &mut Section<'_>) -> Result<T, ConfigError>,
    ) -> Result<Vec<T>, ConfigError> {
        self.known.push(name);
        let mut all: BTreeMap<String, (Table, BTreeMap<String, String>)> = BTreeMap::new();
        match self.file.remove(name) {
            None => {}
            Some(Value::Table(tables)) => {
                for (id, value) in tables {
                    let Value::Table(table) = value else { return Err(not_sections(name, &value)) };
                    all.insert(id, (table, BTreeMap::new()));
                }
            }
            Some(other) => return Err(not_sections(name, &other)),
        }
        for (key, value) in self.environment.remove(name).unwrap_or_default() {
            let (id, key) = key.split_once("__").unwrap_or((&key, ""));
            all.entry(id.to_owned()).or_default().1.insert(key.to_owned(), value);
        }
        let sections = all.into_iter().map(|(id, (file, environment))| {
            let full = format!("{name}.{id}");
            let mut section =
                Section { name: full, file, environment, known: Vec::new(), read_file: self.read_file };
            let value = read(&id, &mut section)?;
            section.finish()?;
            Ok(value)
        });
        sections.collect()
    }

    /// Refuses sections that nothing has read.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        match self.file.keys().chain(self.environment.keys()).next() {
            Some(section) => {
                Err(ConfigError::UnknownSection { section: section.clone(), known: self.known.join(", ") })
            }
            None => Ok(()),
        }
    }
}

fn not_sections(name: &str, value: &Value) -> ConfigError {
    let cure = format!("write a section for each: [{name}.NAME]");
    ConfigError::Invalid { key: name.to_owned(), value: value.to_string(), cure }
}

/// One section, its settings taken out one by one.
pub(super) struct Section<'a> {
    name: String,
    file: Table,
    environment: BTreeMap<String, String>,
    known: Vec<&'static str>,
    read_file: ReadFile<'a>,
}

/// A value and where it came from.
enum Raw {
    File(Value),
    Environment(String),
}

impl Section<'_> {
    fn take(&mut self, key: &'static str) -> Option<Raw> {
        self.known.push(key);
        let in_file = self.file.remove(key).map(Raw::File);
        self.environment.remove(key).map(Raw::Environment).or(in_file)
    }

    fn label(&self, key: &str, raw: &Raw) -> String {
        match raw {
            Raw::File(_) => format!("{}.{key}", self.name),
            Raw::Environment(_) => {
                format!("{PREFIX}{}__{}", self.name.to_uppercase().replace('.', "__"), key.to_uppercase())
            }
        }
    }

    fn invalid(&self, key: &str, raw: &Raw, cure: &str) -> ConfigError {
        let value = match raw {
            Raw::File(value) => value.to_string(),
            Raw::Environment(text) => format!("{text:?}"),
        };
        ConfigError::Invalid { key: self.label(key, raw), value, cure: cure.to_owned() }
    }

    /// The error of a setting that must be there.
    pub(super) fn missing(&self, key: &str, cure: &str) -> ConfigError {
        ConfigError::Missing { key: format!("{}.{key}", self.name), cure: cure.to_owned() }
    }

    /// A text, read by a function that knows its form.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        cure: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(raw) = self.take(key) else { return Ok(None) };
        let value = match &raw {
            Raw::File(Value::String(text)) | Raw::Environment(text) => read(text),
            Raw::File(_) => None,
        };
        value.map(Some).ok_or_else(|| self.invalid(key, &raw, cure))
    }

    /// The same, for a text that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        cure: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        self.optional(key, cure, read)?.ok_or_else(|| self.missing(key, cure))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, ConfigError> {
        let quoted: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        let cure = format!("write {}", quoted.join(" or "));
        self.optional(key, &cure, |text| one_of(words, text))
    }

    /// A list of texts; empty when not given.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        cure: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ConfigError> {
        Ok(self.given_list(key, cure, read)?.unwrap_or_default())
    }

    /// The same, where an empty list says something else than none.
    pub(super) fn given_list<T>(
        &mut self,
        key: &'static str,
        cure: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, ConfigError> {
        let Some(raw) = self.take(key) else { return Ok(None) };
        let items: Option<Vec<T>> = match &raw {
            Raw::File(Value::Array(items)) => items.iter().map(|i| i.as_str().and_then(&read)).collect(),
            Raw::File(_) => None,
            Raw::Environment(text) => {
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(&read).collect()
            }
        };
        items.map(Some).ok_or_else(|| self.invalid(key, &raw, cure))
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> Result<u32, ConfigError> {
        let Some(raw) = self.take(key) else { return Ok(default) };
        let number = match &raw {
            Raw::File(value) => value.as_integer().and_then(|n| u32::try_from(n).ok()),
            Raw::Environment(text) => text.parse().ok(),
        };
        number.filter(|n| range.contains(n)).ok_or_else(|| {
            let cure = format!("write a whole number from {} to {}", range.start(), range.end());
            self.invalid(key, &raw, &cure)
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> Result<bool, ConfigError> {
        let Some(raw) = self.take(key) else { return Ok(default) };
        let flag = match &raw {
            Raw::File(value) => value.as_bool(),
            Raw::Environment(text) => text.parse().ok(),
        };
        flag.ok_or_else(|| self.invalid(key, &raw, "write true or false"))
    }

    /// A secret, as `key` or in the file that `key_file` names; the environment's goes before the file's, whichever
    /// of the two forms either uses.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        cure: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Option<Secret>, ConfigError> {
        let file_key = format!("{key}_file");
        self.known.push(key);
        let in_file = (self.file.remove(key), self.file.remove(&file_key));
        let in_environment = (self.environment.remove(key), self.environment.remove(&file_key));
        let (value, path) = match in_environment {
            (None, None) => (in_file.0.map(Raw::File), in_file.1.map(Raw::File)),
            (value, path) => (value.map(Raw::Environment), path.map(Raw::Environment)),
        };
        let (label, text) =
            match (value, path) {
                (None, None) => return Ok(None),
                (Some(raw), Some(_)) => return Err(ConfigError::SecretTwice { key: self.label(key, &raw) }),
                (Some(raw), None) => (self.label(key, &raw), text_of(raw)),
                (None, Some(raw)) => {
                    let label = self.label(&file_key, &raw);
                    let path = text_of(raw).unwrap_or_default();
                    let text = (self.read_file)(Path::new(&path))
                        .map_err(|cause| ConfigError::SecretFile { key: label.clone(), path, cause })?;
                    (label, Some(text.trim_end_matches(['\r', '\n']).to_owned()))
                }
            };
        match text.filter(|text| !text.is_empty() && fits(text)) {
            Some(text) => Ok(Some(Secret::new(text))),
            None => Err(ConfigError::Invalid { key: label, value: "(hidden)".into(), cure: cure.to_owned() }),
        }
    }

    fn finish(self) -> Result<(), ConfigError> {
        match self.file.keys().chain(self.environment.keys()).next() {
            Some(key) => Err(ConfigError::UnknownKey {
                key: format!("{}.{key}", self.name),
                known: self.known.join(", "),
            }),
            None => Ok(()),
        }
    }
}

fn text_of(raw: Raw) -> Option<String> {
    match raw {
        Raw::File(Value::String(text)) | Raw::Environment(text) => Some(text),
        Raw::File(_) => None,
    }
}

/// The meaning of a word.
pub(super) fn one_of<T: Copy>(words: &[(&'static str, T)], text: &str) -> Option<T> {
    words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning)
}
