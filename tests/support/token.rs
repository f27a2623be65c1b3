//! A throw-away token of Debian's SoftHSM 2. Where its module finds its tokens is said by its process's environment: what
//! uses it here is the command, or this test binary run again.

use super::app::KEYS;
use super::database::TestDatabase;
use super::settings::configuration;
use porteplume::crypto::{JwsAlg, ModuleAccess, SecretString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

/// Where Debian puts the module.
pub(crate) const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// The PIN of every token.
pub(crate) const PIN: &str = "hush-4711";
const LABEL: &str = "porteplume";
/// Tells a process of this test binary which token holds the keys it was lent.
const TOKEN: &str = "PORTEPLUME_TEST_TOKEN";
const CONF: &str = "SOFTHSM2_CONF";

/// How the token is reached that holds the keys lent to this process.
#[expect(clippy::disallowed_methods, reason = "said by the process that started this one")]
pub(crate) fn lent() -> Option<Arc<ModuleAccess>> {
    let token = std::env::var(TOKEN).ok()?;
    let (path, pin) = (MODULE.into(), SecretString::new(PIN.to_owned()));
    Some(Arc::new(ModuleAccess { path, token, pin, algs: JwsAlg::ALL.to_vec() }))
}

/// Where the objects of the lent token are.
#[expect(clippy::disallowed_methods, reason = "said by the process that started this one")]
pub(crate) fn lent_objects() -> Vec<PathBuf> {
    objects(Path::new(&std::env::var(CONF).unwrap()).parent().unwrap())
}

fn objects(folder: &Path) -> Vec<PathBuf> {
    let tokens = std::fs::read_dir(folder.join("tokens")).unwrap().map(|entry| entry.unwrap().path());
    let files = tokens.flat_map(|token| std::fs::read_dir(token).unwrap().map(|entry| entry.unwrap().path()));
    let is_key = |path: &PathBuf| {
        path.extension().is_some_and(|end| end == "object") && !path.ends_with("token.object")
    };
    files.filter(is_key).collect()
}

/// A token, and an instance whose keys it may hold.
pub(crate) struct Token {
    pub(crate) database: TestDatabase,
    folder: PathBuf,
}

impl Token {
    /// An empty one, beside the database; `more` goes into SoftHSM's own configuration.
    pub(crate) fn fresh(database: TestDatabase, more: &str) -> Self {
        let folder = database.folder().join("softhsm");
        std::fs::create_dir_all(folder.join("tokens")).unwrap();
        let conf = format!("directories.tokendir = {}\n{more}\n", folder.join("tokens").display());
        std::fs::write(folder.join("softhsm2.conf"), conf).unwrap();
        let token = Self { database, folder };
        token.add(LABEL);
        token
    }

    /// One more token, of that label.
    pub(crate) fn add(&self, label: &str) {
        let mut util = Command::new("softhsm2-util");
        util.args(["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "1234"]);
        let made = util.env(CONF, self.conf()).output().expect("softhsm2-util runs");
        assert!(made.status.success(), "{}", said(&made));
    }

    fn conf(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    /// The files of its keys: one for each half.
    pub(crate) fn objects(&self) -> Vec<PathBuf> {
        objects(&self.folder)
    }

    /// The folder of the instance's keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.database.folder().join("keys")
    }

    /// The settings that name the token.
    pub(crate) fn settings() -> String {
        format!("pkcs11_module = \"{MODULE}\"\npkcs11_token = \"{LABEL}\"\npkcs11_pin = \"{PIN}\"\n")
    }

    /// Runs the command on the instance, with those settings of its keys.
    pub(crate) fn run(&self, args: &[&str], settings: &str) -> (Option<i32>, String) {
        let output = self.command(args, settings, 0).output().unwrap();
        (output.status.code(), said(&output))
    }

    /// The same command, to be run. It listens at that port.
    pub(crate) fn command(&self, args: &[&str], settings: &str, port: u16) -> Command {
        let url = &self.database.options().url;
        let (listen, issuer) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}"));
        let issuer = if port == 0 { "http://127.0.0.1:1".to_owned() } else { issuer };
        let text = configuration(&listen, &issuer, url, &self.keys(), "");
        let text = text.replace("[keys]", &format!("[keys]\n{settings}"));
        let config = self.database.folder().join("porteplume.toml");
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
        command.args(args).arg("--config").arg(config).env(CONF, self.conf());
        command
    }

    /// Runs tests of this binary again, in a process that signs by the keys of this instance, in this token.
    pub(crate) fn runs(&self, tests: &[&str]) {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(tests).args(["--exact", "--nocapture"]);
        again.env(CONF, self.conf()).env(KEYS, self.keys()).env(TOKEN, LABEL);
        let done = again.output().unwrap();
        let said = said(&done);
        assert!(done.status.success() && said.contains(&format!(" {} passed", tests.len())), "{said}");
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
