//! Configuration: one TOML file, every key overridable by the environment.
//!
//! `[section]` `key` is overridden by `PORTEPLUME__SECTION__KEY`; a list is written there with commas. Unknown keys
//! are refused. A secret is given as `key` or, better, as `key_file` naming a file that holds it; never both. Secrets have a
//! `Debug` that hides them, and no error shows one. A commented sample stands in `docs/porteplume.example.toml`.

mod email;
mod error;
mod keys;
mod messages;
mod outgoing;
mod provider;
mod reader;
mod values;
mod watch;

pub use email::email_domain;
pub use error::ConfigError;
pub use keys::{Keys, Pkcs11, TokenAlgorithm};
pub use messages::{EmailWay, Hook, MailServer, MailTls, Messages};
pub use outgoing::Outgoing;
pub use provider::{Algorithm, AuthMethod, OtherAgents, Provider, UserinfoFormat};
pub use values::{Issuer, Networks, Secret};

use crate::mandate::{ThemeId, Thresholds};
use reader::{Reader, Section};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Everything an instance needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens and how the world reaches it.
    pub server: Server,
    /// The one database.
    pub database: Database,
    /// The key store.
    pub keys: Keys,
    /// The journal's public face.
    pub journal: Journal,
    /// The provider that identifies usagers (FranceConnect).
    pub citizens: Provider,
    /// The provider that identifies aidants and auditors (ProConnect).
    pub agents: Provider,
    /// Providers that identify professionals whose e-mail addresses are of certain domains, instead.
    pub other_agents: Vec<OtherAgents>,
    /// What calls to others may reach.
    pub outgoing: Outgoing,
    /// Who carries what usagers are told.
    pub messages: Messages,
    /// What FranceConnect calls the themes of the catalogue, where not as the catalogue has it.
    pub themes: Vec<(ThemeId, String)>,
    /// The folder with further languages of the mandate's text, a file each. Default: none.
    pub texts: Option<PathBuf>,
    /// How much of anything one caller may ask for.
    pub limits: Limits,
    /// From how many on the rules of the watch speak.
    pub watch: Thresholds,
    /// Logs.
    pub telemetry: Telemetry,
}

/// `[server]`: where it listens and how the world reaches it.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address and port of the service itself.
    pub listen: SocketAddr,
    /// The public address, which is also the issuer in every token: https, or http on loopback.
    pub issuer: Issuer,
    /// Networks of the reverse proxies whose `X-Forwarded-For` is believed. Default: none.
    pub trusted_proxies: Networks,
    /// Who runs this instance, on its legal page. Default: the public address.
    pub operator: String,
    /// Where people write to the operator, an e-mail address or a page. Default: the public address.
    pub contact: String,
    /// Address and port of `/metrics`; nothing is served without it.
    pub metrics_listen: Option<SocketAddr>,
}

/// `[database]`: the one database.
#[derive(Debug, Clone)]
pub struct Database {
    /// `sqlite:FILE` or `postgres://…`.
    pub url: Secret,
    /// On PostgreSQL, the tables' owner, for `migrate` only: the service's own role may not change the journal.
    pub owner_url: Option<Secret>,
    /// Connections this process holds at most. Default 8.
    pub connections: u32,
    /// Seconds a request waits for a connection before it is refused. Default 5.
    pub wait_seconds: u32,
}

/// `[journal]`: the journal's public face.
#[derive(Debug, Clone)]
pub struct Journal {
    /// The log's name in every checkpoint (contract `journal.md`): a host and path without scheme. It never changes; where the
    /// journal goes on in shards, it is the first one's, and the others are named after it.
    pub origin: String,
    /// Whether it goes on in a new shard each year. Default: it does.
    pub yearly: bool,
    /// Where the newest signed checkpoint is also written, outside the database, so that a journal cut short shows.
    pub checkpoint_file: Option<PathBuf>,
    /// The witnesses its checkpoints are submitted to (C2SP tlog-witness). Default: none.
    pub witnesses: Vec<Witness>,
    /// How many of them must have seen a checkpoint before it is served. Default 0.
    pub quorum: u32,
    /// Where the day's checkpoint is time-stamped (RFC 3161). Default: nowhere.
    pub timestamp_url: Option<String>,
    /// The certificates (PEM) by which time-stamps are trusted: of the authority, or of who vouches for it; those of
    /// before as well, for what they stamped.
    pub timestamp_certificates: Vec<PathBuf>,
}

/// A witness: somebody else who remembers our newest checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What our policy calls it.
    pub name: String,
    /// The key it cosigns under, as its operator publishes it.
    pub vkey: String,
    /// Where checkpoints are submitted: the address before `/add-checkpoint`.
    pub url: String,
}

/// `[limits]`: how much of anything one caller may ask for. Rates are per minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body, in bytes. Default 65536.
    pub body_bytes: u32,
    /// Seconds a request may take. Default 30.
    pub request_seconds: u32,
    /// Sign-ins begun or answered. Defaults 60 per address, 10 per account.
    pub sign_in: Rate,
    /// Second-factor codes tried. Defaults 60 and 10.
    pub factor: Rate,
    /// Authorisation requests. Defaults 300 and 60.
    pub authorize: Rate,
    /// Token requests; the account is the client. Defaults 6000 and 6000.
    pub token: Rate,
    /// Keying in a card that ends a mandate, or the code of a paper.
    pub card: Rate,
    /// Callers remembered at most; bounds memory. Default 100000.
    pub callers: u32,
}

/// How often per minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// From one network address.
    pub per_address: u32,
    /// By one account.
    pub per_account: u32,
}

/// `[telemetry]`: logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// How a line is written. Default `text`.
    pub format: LogFormat,
    /// Which lines are written, in `tracing-subscriber`'s filter syntax. Default `info`.
    pub filter: String,
}

impl Telemetry {
    /// What somebody reads who watches a command at a terminal: warnings, as text.
    #[must_use]
    pub fn at_a_terminal() -> Self {
        Self { format: LogFormat::Text, filter: "warn".to_owned() }
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For reading.
    Text,
}

impl Config {
    /// Reads the file and the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`], whose text is one line that names the key, the value (unless secret) and the cure.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::Unreadable { path: path.display().to_string(), cause })?;
        // A variable that is not UTF-8 cannot be one of ours and a fault in one of ours will show as missing.
        let environment =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self::parse(&text, environment, &|path| std::fs::read_to_string(path))
    }

    /// Reads a configuration from its text, the environment and a way to read the files that hold secrets.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
        read_file: &dyn Fn(&Path) -> std::io::Result<String>,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(text, environment, read_file)?;
        let config = Self {
            server: reader.section("server", server)?,
            database: reader.section("database", database)?,
            keys: reader.section("keys", keys::read)?,
            journal: reader.section("journal", journal)?,
            citizens: reader.section("citizens", provider::read)?,
            agents: reader.section("agents", provider::read)?,
            other_agents: provider::apart(reader.each("other_agents", provider::read_other)?)?,
            outgoing: reader.section("outgoing", outgoing::read)?,
            messages: reader.section("messages", messages::read)?,
            themes: reader.section("franceconnect", themes)?,
            texts: reader.section("mandate", mandate)?,
            limits: reader.section("limits", limits)?,
            watch: reader.section("watch", watch::read)?,
            telemetry: reader.section("telemetry", telemetry)?,
        };
        reader.finish()?;
        Ok(config)
    }
}

impl Config {
    /// Each section's name and settings as text, secrets included, for a keyed hash of it and nothing else.
    #[must_use]
    pub fn sections(&self) -> Vec<(&'static str, String)> {
        let provider = |provider: &Provider| format!("{provider:?} {}", provider.client_secret.expose());
        let other =
            |other: &OtherAgents| format!("{} {:?} {}\n", other.id, other.domains, provider(&other.provider));
        let owner = self.database.owner_url.as_ref().map_or("", Secret::expose);
        vec![
            ("server", format!("{:?}", self.server)),
            ("database", format!("{:?} {} {owner}", self.database, self.database.url.expose())),
            (
                "keys",
                format!("{:?} {}", self.keys, self.keys.pkcs11.as_ref().map_or("", |one| one.pin.expose())),
            ),
            ("journal", format!("{:?}", self.journal)),
            ("citizens", provider(&self.citizens)),
            ("agents", provider(&self.agents)),
            ("other_agents", self.other_agents.iter().map(other).collect()),
            ("outgoing", format!("{:?}", self.outgoing)),
            ("messages", format!("{:?} {}", self.messages, self.messages.secrets())),
            ("franceconnect", format!("{:?}", self.themes)),
            ("mandate", format!("{:?}", self.texts)),
            ("limits", format!("{:?}", self.limits)),
            ("watch", format!("{:?}", self.watch)),
            ("telemetry", format!("{:?}", self.telemetry)),
        ]
    }
}

const SOCKET: &str = "write an address and a port, such as \"127.0.0.1:8080\"";

fn server(section: &mut Section<'_>) -> Result<Server, ConfigError> {
    let issuer = section.required("issuer", Issuer::CURE, Issuer::parse)?;
    let operator =
        section.optional("operator", "write the name of who runs this instance", values::nonempty)?;
    let contact = section.optional("contact", "write an e-mail address or a page", values::nonempty)?;
    Ok(Server {
        listen: section.required("listen", SOCKET, |text| text.parse().ok())?,
        operator: operator.unwrap_or_else(|| issuer.as_str().to_owned()),
        contact: contact.unwrap_or_else(|| issuer.as_str().to_owned()),
        issuer,
        trusted_proxies: Networks::new(section.list(
            "trusted_proxies",
            "write networks, such as [\"10.0.0.0/8\", \"::1\"]",
            values::network,
        )?),
        metrics_listen: section.optional("metrics_listen", SOCKET, |text| text.parse().ok())?,
    })
}

fn database(section: &mut Section<'_>) -> Result<Database, ConfigError> {
    const URL: &str = "write \"sqlite:FILE\" or \"postgres://USER:PASSWORD@HOST/DATABASE\"";
    const OWNER: &str = "give it on PostgreSQL only: \"postgres://OWNER:PASSWORD@HOST/DATABASE\"";
    let is_postgres = |url: &str| url.starts_with("postgres://") || url.starts_with("postgresql://");
    let url = section.secret("url", URL, |url| is_postgres(url) || url.starts_with("sqlite:"))?;
    let url = url.ok_or_else(|| section.missing("url", URL))?;
    let with_owner = is_postgres(url.expose());
    Ok(Database {
        url,
        owner_url: section.secret("owner_url", OWNER, |owner| with_owner && is_postgres(owner))?,
        connections: section.number("connections", 1..=1000, 8)?,
        wait_seconds: section.number("wait_seconds", 1..=60, 5)?,
    })
}

const WITNESS: &str = "write each as name, key and address, such as \"association temoin.example.org/1+1c2d3e4f+BBpc… \
    https://temoin.example.org\"";

const AUTHORITY: &str = "write the address of a time-stamping authority, such as \"https://tsa.example.fr/rfc3161\" (http only \
    on loopback)";

fn journal(section: &mut Section<'_>) -> Result<Journal, ConfigError> {
    Ok(Journal {
        origin: section.required(
            "origin",
            "write a host and path of yours without \"https://\", such as \"mandats.example.fr/journal\", for good",
            values::origin,
        )?,
        yearly: section.choice("shards", &[("yearly", true), ("never", false)])?.unwrap_or(true),
        checkpoint_file: section.optional("checkpoint_file", "write the path of a file", values::path)?,
        witnesses: section.list("witnesses", WITNESS, values::witness)?,
        quorum: section.number("quorum", 0..=64, 0)?,
        timestamp_url: section.optional("timestamp_url", AUTHORITY, values::authority)?,
        timestamp_certificates: section.list(
            "timestamp_certificates",
            "write the paths of the authority's certificates (PEM)",
            values::path,
        )?,
    })
}

fn themes(section: &mut Section<'_>) -> Result<Vec<(ThemeId, String)>, ConfigError> {
    const CURE: &str = "write each as the catalogue's theme, a space and FranceConnect's label in Unicode NFC, such as \
        [\"famille Famille-Scolarité\"]";
    section.list("themes", CURE, values::theme)
}

fn mandate(section: &mut Section<'_>) -> Result<Option<PathBuf>, ConfigError> {
    section.optional("texts", "write the path of a folder with one TOML file per language", values::path)
}

fn limits(section: &mut Section<'_>) -> Result<Limits, ConfigError> {
    const RATE: std::ops::RangeInclusive<u32> = 1..=1_000_000;
    let usual = Limits::default();
    let mut rate = |per_address, per_account, usual: Rate| {
        Ok(Rate {
            per_address: section.number(per_address, RATE, usual.per_address)?,
            per_account: section.number(per_account, RATE, usual.per_account)?,
        })
    };
    Ok(Limits {
        sign_in: rate("sign_in_per_address", "sign_in_per_account", usual.sign_in)?,
        factor: rate("factor_per_address", "factor_per_account", usual.factor)?,
        authorize: rate("authorize_per_address", "authorize_per_account", usual.authorize)?,
        token: rate("token_per_address", "token_per_account", usual.token)?,
        card: rate("card_per_address", "card_per_account", usual.card)?,
        body_bytes: section.number("body_bytes", 1024..=1_048_576, usual.body_bytes)?,
        request_seconds: section.number("request_seconds", 1..=300, usual.request_seconds)?,
        callers: section.number("callers", 1000..=10_000_000, usual.callers)?,
    })
}

impl Default for Limits {
    /// What an empty `[limits]` section means.
    fn default() -> Self {
        Self {
            body_bytes: 65_536,
            request_seconds: 30,
            sign_in: Rate { per_address: 60, per_account: 10 },
            factor: Rate { per_address: 60, per_account: 10 },
            authorize: Rate { per_address: 300, per_account: 60 },
            token: Rate { per_address: 6000, per_account: 6000 },
            card: Rate { per_address: 30, per_account: 30 },
            callers: 100_000,
        }
    }
}

fn telemetry(section: &mut Section<'_>) -> Result<Telemetry, ConfigError> {
    let formats = [("json", LogFormat::Json), ("text", LogFormat::Text)];
    Ok(Telemetry {
        format: section.choice("format", &formats)?.unwrap_or(LogFormat::Text),
        filter: section
            .optional("filter", "write a level, such as \"info\"", values::nonempty)?
            .unwrap_or_else(|| "info".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../docs/porteplume.example.toml");
    const SMALL: &str = r#"
        [server]
        listen = "127.0.0.1:0"
        issuer = "http://127.0.0.1:8080"
        [database]
        url = "sqlite:test.sqlite"
        [keys]
        dir = "keys"
        [journal]
        origin = "localhost/journal"
        [citizens]
        issuer = "http://127.0.0.1:1"
        client_id = "c"
        client_secret = "hush-citizens"
        [agents]
        issuer = "http://127.0.0.1:2"
        client_id = "a"
        client_secret = "hush-agents"
    "#;

    fn no_file(_: &Path) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::parse(text, environment, &no_file)
    }

    fn refusal(text: &str, environment: &[(&str, &str)]) -> String {
        let message = read(text, environment).expect_err("must be refused").to_string();
        assert!(!message.contains('\n') && !message.contains("hush"), "{message}");
        message
    }

    #[test]
    fn a_changed_setting_changes_its_section_and_no_other() {
        let before = read(SMALL, &[]).unwrap().sections();
        for (key, value, section) in [
            ("PORTEPLUME__LIMITS__CALLERS", "2000", "limits"),
            ("PORTEPLUME__CITIZENS__CLIENT_SECRET", "another", "citizens"),
            ("PORTEPLUME__DATABASE__URL", "sqlite:other.sqlite", "database"),
        ] {
            let after = read(SMALL, &[(key, value)]).unwrap().sections();
            let changed: Vec<_> =
                before.iter().zip(&after).filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
            assert_eq!(changed, [section]);
        }
    }

    #[test]
    fn the_sample_configuration_is_accepted() {
        let secrets = |path: &Path| {
            Ok(if path.ends_with("citizens_secret") { "one\n" } else { "postgres://me:hush@db/porteplume\n" }
                .into())
        };
        let config = Config::parse(SAMPLE, [], &secrets).unwrap();
        assert_eq!(config.citizens.client_secret.expose(), "one");
        assert_eq!(config.database.url.expose(), "postgres://me:hush@db/porteplume");
        assert_eq!(config.limits, Limits::default());
        assert!(config.server.trusted_proxies.contains([10, 1, 1, 1].into()));
    }

    #[test]
    fn every_default_the_sample_shows_is_the_default() {
        let shown: Vec<&str> = SAMPLE
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')))
            .collect();
        assert!(shown.len() > 12, "{shown:?}");
        let uncommented =
            shown.iter().fold(SAMPLE.to_owned(), |text, line| text.replace(&format!("# {line}"), line));
        let secrets = |_: &Path| Ok("postgres://me@db/porteplume".to_owned());
        let (one, other) = (Config::parse(SAMPLE, [], &secrets), Config::parse(&uncommented, [], &secrets));
        assert_eq!(format!("{:?}", one.unwrap()), format!("{:?}", other.unwrap()));
    }

    #[test]
    fn labels_of_themes_are_read_as_they_are_and_refused_in_another_form() {
        let with = |themes: &str| SAMPLE.replace("# themes = []", &format!("themes = {themes}"));
        let secrets = |_: &Path| Ok("postgres://me@db/porteplume".to_owned());
        let read = |themes: &str| Config::parse(&with(themes), [], &secrets);
        let labels = read("[\"famille Famille et Scolarité\"]").unwrap().themes;
        assert_eq!(labels, [(ThemeId::parse("famille").unwrap(), "Famille et Scolarité".to_owned())]);
        for bad in ["famille", "famille ", " Famille", "famille Scolarite\u{301}", "famille  x", "Famille x"]
        {
            let refused = read(&format!("[\"{bad}\"]")).unwrap_err().to_string();
            assert!(refused.contains("franceconnect.themes"), "{bad}: {refused}");
        }
    }

    #[test]
    fn each_other_provider_of_agents_has_a_section_and_domains_of_its_own() {
        let own = |name: &str, domains: &str| {
            format!(
                "[other_agents.{name}]\ndomains = {domains}\nissuer = \"https://{name}.example\"\nclient_id = \"p\"\n"
            )
        };
        let secret = |name: &str| format!("PORTEPLUME__OTHER_AGENTS__{name}__CLIENT_SECRET");
        let text = [
            SMALL,
            &own("ville", "[\"Ville.example\", \"étampes.example\"]"),
            &own("metropole", "[\"metro.example\"]"),
        ]
        .concat();
        let secrets = [(secret("VILLE"), "one".to_owned()), (secret("METROPOLE"), "two".to_owned())];
        let none = |_: &Path| unreachable!("no secret stands in a file");
        let read = Config::parse(&text, secrets.clone(), &none).unwrap().other_agents;
        let told: Vec<_> = read
            .iter()
            .map(|one| (one.id.as_str(), one.domains.len(), one.provider.client_secret.expose()))
            .collect();
        assert_eq!(told, [("metropole", 1, "two"), ("ville", 2, "one")]);
        assert_eq!(read[1].domains, ["ville.example", "xn--tampes-9ua.example"]);

        let own_secrets = |more: &str| {
            secrets
                .clone()
                .into_iter()
                .filter(move |(name, _)| !name.contains("METRO") || more.contains("metro"))
                .collect::<Vec<_>>()
        };
        let refused = |more: String| {
            let text = [SMALL, &more].concat();
            Config::parse(&text, own_secrets(&more), &none).unwrap_err().to_string()
        };
        let twice = [own("ville", "[\"a.example\"]"), own("metropole", "[\"A.example\"]")].concat();
        assert!(refused(twice).contains("other_agents.ville.domains"));
        for (more, told) in [
            (own("ville", "[]"), "other_agents.ville.domains"),
            (own("ville", "[\"intranet\"]"), "other_agents.ville.domains"),
            (own("Ville", "[\"a.example\"]"), "other_agents"),
            (format!("{}colour = 1\n", own("ville", "[\"a.example\"]")), "other_agents.ville.colour"),
            ("[other_agents]\nissuer = \"x\"\n".to_owned(), "[other_agents.NAME]"),
        ] {
            let said = refused(more);
            assert!(said.contains(told), "{told}: {said}");
        }
    }

    #[test]
    fn the_operators_page_tells_of_every_setting() {
        const PAGE: &str = include_str!("../docs/operator.md");
        // The two providers are set up alike, and share one table there.
        for section in [
            "server",
            "database",
            "keys",
            "journal",
            "citizens",
            "outgoing",
            "messages",
            "limits",
            "watch",
            "telemetry",
        ] {
            let variable = format!("PORTEPLUME__{}__", section.to_uppercase());
            let refused = refusal(SMALL, &[(&format!("{variable}NONE"), "x")]);
            let (_, known) = refused.split_once("its section has ").unwrap();
            for key in known.split(", ") {
                let named = format!("`{variable}{}`", key.to_uppercase());
                assert!(PAGE.contains(&named), "{named}");
            }
        }
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let config = read(
            SMALL,
            &[
                ("PORTEPLUME__SERVER__LISTEN", "[::1]:9"),
                ("PORTEPLUME__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
                ("PORTEPLUME__DATABASE__CONNECTIONS", "3"),
                ("PORTEPLUME__CITIZENS__PKCE", "false"),
                ("PORTEPLUME__AGENTS__CLIENT_SECRET", "other"),
                ("PORTEPLUME__TELEMETRY__FORMAT", "json"),
                ("HOME", "/root"),
            ],
        )
        .unwrap();
        assert_eq!(config.server.listen.port(), 9);
        assert!(config.server.trusted_proxies.contains("::1".parse().unwrap()));
        assert_eq!(config.database.connections, 3);
        assert!(!config.citizens.pkce);
        assert_eq!(config.agents.client_secret.expose(), "other");
        assert_eq!(config.telemetry.format, LogFormat::Json);
    }

    #[test]
    fn debug_hides_every_secret() {
        let text = SMALL
            .replace("sqlite:test.sqlite", "postgres://me:hush@db/p\"\nowner_url = \"postgres://o:hush@db/p");
        let shown = format!("{:?}", read(&text, &[]).unwrap());
        assert!(shown.contains("(hidden)") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn errors_name_the_key_the_value_and_the_cure() {
        let listen = SMALL.replace("127.0.0.1:0", "here");
        assert_eq!(
            refusal(&listen, &[]),
            "server.listen = \"here\" cannot be used: write an address and a port, such as \"127.0.0.1:8080\""
        );
        assert_eq!(
            refusal(SMALL, &[("PORTEPLUME__DATABASE__CONNECTIONS", "many")]),
            "PORTEPLUME__DATABASE__CONNECTIONS = \"many\" cannot be used: write a whole number from 1 to 1000"
        );
        let missing = SMALL.replace("dir = \"keys\"", "");
        assert_eq!(refusal(&missing, &[]), "keys.dir is missing: write the path of a folder");
        assert_eq!(refusal("a = \n", &[]).split(':').next(), Some("the configuration is not TOML, line 1"));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let key = SMALL.replace("[keys]", "[keys]\ndirr = \"x\"");
        assert_eq!(
            refusal(&key, &[]),
            "keys.dirr is not a setting: its section has dir, pkcs11_module, pkcs11_token, pkcs11_pin, pkcs11_algorithms"
        );
        let section = format!("{SMALL}\n[sevrer]\nlisten = \"x\"");
        assert!(refusal(&section, &[]).starts_with("[sevrer] is not a section: there are server, database"));
        assert!(refusal(SMALL, &[("PORTEPLUME__KEYS__DIRR", "x")]).starts_with("keys.dirr is not a setting"));
        assert!(refusal(SMALL, &[("PORTEPLUME__KEY", "x")]).starts_with("[key] is not a section"));
    }

    #[test]
    fn a_secret_is_given_once_and_never_shown() {
        let twice = SMALL.replace("client_id = \"a\"", "client_id = \"a\"\nclient_secret_file = \"f\"");
        assert_eq!(
            refusal(&twice, &[]),
            "agents.client_secret and agents.client_secret_file are both set: keep one of them"
        );
        let file = twice.replace("client_secret = \"hush-agents\"", "");
        assert!(refusal(&file, &[]).starts_with("agents.client_secret_file = \"f\" cannot be read"));
        let url = SMALL.replace("sqlite:test.sqlite", "mysql://me:hush@db/p");
        assert!(
            refusal(&url, &[]).starts_with("database.url = (hidden) cannot be used: write \"sqlite:FILE\"")
        );
        let number = SMALL.replace("\"hush-agents\"", "7");
        assert!(refusal(&number, &[]).starts_with("agents.client_secret = (hidden) cannot be used"));
    }

    #[test]
    fn a_module_is_named_whole_or_not_at_all_and_its_pin_is_hidden() {
        let with = |more: &str| SMALL.replace("[keys]", &format!("[keys]\n{more}"));
        let module = "pkcs11_module = \"/usr/lib/pkcs11.so\"\n";
        let whole = format!("{module}pkcs11_token = \"t\"\npkcs11_pin = \"hush\"\n");
        let with_more = |more: &str| read(&with(&format!("{whole}{more}")), &[]).unwrap();
        let config = with_more("");
        assert!(!format!("{:?}", config.keys).contains("hush"));
        let pkcs11 = config.keys.pkcs11.unwrap();
        assert_eq!((pkcs11.token.as_str(), pkcs11.pin.expose()), ("t", "hush"));
        assert_eq!(pkcs11.algorithms.len(), 4, "every key is made there");
        let algorithms = |more: &str| with_more(more).keys.pkcs11.unwrap().algorithms;
        assert_eq!(algorithms("pkcs11_algorithms = [\"EdDSA\"]\n"), [TokenAlgorithm::EdDsa]);
        assert!(algorithms("pkcs11_algorithms = []\n").is_empty());
        let told = |pin: &str| read(&with(&whole.replace("hush", pin)), &[]).unwrap().sections();
        assert!(told("one") != told("two"), "another PIN is another configuration");

        for (more, key) in [
            (module.to_owned(), "keys.pkcs11_token is missing"),
            (format!("{module}pkcs11_token = \"t\"\n"), "keys.pkcs11_pin is missing"),
            ("pkcs11_pin = \"hush\"\n".to_owned(), "keys.pkcs11_module is missing"),
            ("pkcs11_algorithms = []\n".to_owned(), "keys.pkcs11_module is missing"),
            (whole.replace("/usr/lib/", ""), "keys.pkcs11_module = \"pkcs11.so\" cannot be used"),
            (
                format!("{whole}pkcs11_algorithms = [\"HS256\"]\n"),
                "keys.pkcs11_algorithms = [\"HS256\"] cannot be used",
            ),
            (whole.replace("\"hush\"", "1234"), "keys.pkcs11_pin = (hidden) cannot be used"),
        ] {
            let refused = refusal(&with(&more), &[]);
            assert!(refused.starts_with(key) && !refused.contains("hush"), "{refused}");
        }
    }

    #[test]
    fn couriers_are_named_whole_and_their_secrets_are_hidden() {
        let with = |more: &str| format!("{SMALL}\n[messages]\n{more}");
        let server = "smtp_host = \"Smtp.Example.FR\"\nsmtp_from = \"a@example.fr\"\n";
        let hook = |of: &str| {
            format!("{of}_url = \"https://{of}.example/in\"\n{of}_secret = \"hush{}\"\n", "x".repeat(28))
        };
        let whole = format!("{server}smtp_user = \"me\"\nsmtp_password = \"hush\"\n{}", hook("sms"));
        let config = read(&with(&whole), &[]).unwrap();
        assert!(!format!("{config:?}").contains("hush"));
        let Some(EmailWay::Smtp(mail)) = &config.messages.email else { panic!("a mail server") };
        assert_eq!((mail.host.as_str(), mail.port, mail.tls), ("smtp.example.fr", 587, MailTls::Starttls));
        assert!(config.messages.sms.is_some() && config.messages.voice.is_none());
        let told = |text: &str| read(&with(text), &[]).unwrap().sections();
        assert!(told(&hook("voice")) != told(&hook("voice").replace("xx", "yy")), "another secret is told");
        for (more, key) in [
            ("smtp_from = \"a@example.fr\"\n".to_owned(), "messages.smtp_host is missing"),
            ("smtp_host = \"a.fr\"\n".to_owned(), "messages.smtp_from is missing"),
            (format!("{server}smtp_user = \"me\"\n"), "messages.smtp_password is missing"),
            (format!("{server}smtp_password = \"hush\"\n"), "messages.smtp_user is missing"),
            (
                format!("{server}smtp_tls = \"none\"\n"),
                "messages.smtp_tls is missing: a mail server elsewhere",
            ),
            (format!("{server}{}", hook("email")), "messages.smtp_host is missing: keep one of"),
            ("sms_url = \"https://a.fr/\"\n".to_owned(), "messages.sms_secret is missing"),
            ("sms_replies = true\n".to_owned(), "messages.sms_url is missing"),
            (hook("sms").replace("https", "http"), "messages.sms_url ="),
            (hook("sms").replace(&"x".repeat(28), ""), "messages.sms_secret = (hidden)"),
            (server.replace("a@", "a b@"), "messages.smtp_from ="),
        ] {
            let refused = refusal(&with(&more), &[]);
            assert!(refused.starts_with(key), "{refused}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let ours = SMALL.replace("http://127.0.0.1:8080", "http://mandats.example.fr");
        assert!(
            refusal(&ours, &[]).starts_with("server.issuer = \"http://mandats.example.fr\" cannot be used")
        );
        let theirs = SMALL.replace("http://127.0.0.1:2", "http://agents.example.fr");
        assert!(refusal(&theirs, &[]).starts_with("agents.issuer = "));
    }

    #[test]
    fn private_hosts_are_named_without_port_and_in_any_case() {
        let hosts = |text: &str| read(SMALL, &[("PORTEPLUME__OUTGOING__PRIVATE_HOSTS", text)]);
        let named = hosts("FC.Intranet.Example, 10.0.0.1, [::1]").unwrap().outgoing.private_hosts;
        assert_eq!(named, ["fc.intranet.example", "10.0.0.1", "::1"]);
        for bad in ["https://a.example", "a.example:443", "a b"] {
            assert!(hosts(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_owner_exists_on_postgresql_only() {
        let owner = SMALL.replace("[keys]", "owner_url = \"postgres://o@db/p\"\n[keys]");
        assert!(
            refusal(&owner, &[])
                .starts_with("database.owner_url = (hidden) cannot be used: give it on PostgreSQL only")
        );
    }
}
