//! Private keys in a PKCS#11 module, so that hardware can hold them: made there, used there, never taken out.
//!
//! `cryptoki` is used here and nowhere else. A key bears its identifier as `CKA_ID`, in ASCII, and one that says what it is
//! for as its label. A few sessions, opened when they are needed, sign at the same time; one that fails is given up, and
//! what it was to sign is tried once more in a fresh one. A PIN that was refused is never tried again by this process:
//! tokens lock themselves after a few wrong ones.

mod error;
mod line;

pub use error::ModuleError;

use super::jws::check;
use super::store::KeyPurpose;
use super::{Jwk, JwsAlg, SecretString, TokenKey};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use line::Line;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};

/// How many signatures a token is asked for at the same time.
const LINES: usize = 4;
/// How long a signature waits for one of them.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is signed at opening, to see that private and public half belong together. No token reads like this.
const PROOF: &[u8] = b"porteplume: this key signs";

/// How a token in a PKCS#11 module is reached. Has no `Debug`, since it holds the PIN.
pub struct ModuleAccess {
    /// The module, a shared library.
    pub path: PathBuf,
    /// The token's label.
    pub token: String,
    /// The user's PIN.
    pub pin: SecretString,
    /// Whose new keys are made there; the others' are files.
    pub algs: Vec<JwsAlg>,
}

/// An open token.
pub(super) struct Module {
    library: Pkcs11,
    access: Arc<ModuleAccess>,
    lines: Mutex<Lines>,
    freed: Condvar,
}

/// The sessions of a token.
#[derive(Default)]
struct Lines {
    idle: Vec<Line>,
    lent: usize,
}

/// A place among [`LINES`], given back when dropped.
struct Place<'a>(&'a Module);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lines().lent -= 1;
        self.0.freed.notify_one();
    }
}

/// The libraries this process has loaded. They stay: PKCS#11 knows one initialisation for each process, and sessions of one
/// must not outlive the other.
static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// The tokens that have refused their PIN, by module and label. Held while one is asked, so that nobody asks twice.
static REFUSED: Mutex<BTreeMap<(PathBuf, String), ModuleError>> = Mutex::new(BTreeMap::new());

fn load(path: &Path) -> Result<Pkcs11, ModuleError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = loaded.get(path) {
        return Ok(library.clone());
    }
    let library = Pkcs11::new(path)
        .map_err(|error| ModuleError::Missing { path: path.to_owned(), reason: told(&error) })?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(failed("be initialised")(error)),
    }
    loaded.insert(path.to_owned(), library.clone());
    Ok(library)
}

fn failed(what: &'static str) -> impl FnOnce(Error) -> ModuleError {
    move |error| ModuleError::Failed { what, reason: told(&error) }
}

/// What the module said, without the paragraph that explains it.
fn told(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("{function:?}: {code:?}"),
        Error::LibraryLoading(why) => why.to_string(),
        other => other.to_string(),
    }
}

/// Runs what waits for a device where it holds up no other task of this thread.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
            tokio::task::block_in_place(work)
        }
        _ => work(),
    }
}

impl Module {
    /// Opens the token: its library is there, it bears the label, and takes the PIN.
    ///
    /// # Errors
    /// [`ModuleError`].
    pub(super) fn open(access: &Arc<ModuleAccess>) -> Result<Arc<Self>, ModuleError> {
        aside(|| {
            let module = Self {
                library: load(&access.path)?,
                access: Arc::clone(access),
                lines: Mutex::default(),
                freed: Condvar::new(),
            };
            let line = module.line(false)?;
            module.lines().idle.push(line);
            Ok(Arc::new(module))
        })
    }

    /// The token's label.
    pub(super) fn token(&self) -> &str {
        &self.access.token
    }

    /// Whether new keys of an algorithm are made here.
    pub(super) fn makes(&self, alg: JwsAlg) -> bool {
        self.access.algs.contains(&alg)
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing that holds the lock can panic half-way.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self) -> Result<Slot, ModuleError> {
        let slots = self.library.get_slots_with_initialized_token().map_err(failed("list its tokens"))?;
        let mut labels = Vec::new();
        for slot in slots {
            let told = self.library.get_token_info(slot).map_err(failed("describe a token"))?;
            labels.push((slot, told.label().trim_end().to_owned()));
        }
        let mut ours = labels.iter().filter(|(_, label)| label == self.token());
        match (ours.next(), ours.next()) {
            (Some((slot, _)), None) => Ok(*slot),
            (Some(_), Some(_)) => Err(ModuleError::Ambiguous { token: self.token().to_owned() }),
            (None, _) => {
                let found: Vec<_> = labels.iter().map(|(_, label)| format!("{label:?}")).collect();
                let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
                Err(ModuleError::NoToken { token: self.token().to_owned(), found })
            }
        }
    }

    /// A fresh session that may use private keys; when `writes`, make and remove them too.
    fn line(&self, writes: bool) -> Result<Line, ModuleError> {
        let slot = self.slot()?;
        let session =
            if writes { self.library.open_rw_session(slot) } else { self.library.open_ro_session(slot) };
        let session = session.map_err(failed("open a session"))?;
        self.sign_in(&session)?;
        Ok(Line::new(session, self.token()))
    }

    /// Signs in, unless that was refused before. All sessions of a process are signed in together.
    fn sign_in(&self, session: &Session) -> Result<(), ModuleError> {
        let mut all = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = (self.access.path.clone(), self.token().to_owned());
        if let Some(refused) = all.get(&ours) {
            return Err(refused.clone());
        }
        let token = self.token().to_owned();
        let pin = AuthPin::from(self.access.pin.expose().to_owned());
        let refused = match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => return Ok(()),
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
                ModuleError::WrongPin { token }
            }
            Err(Error::Pkcs11(RvError::PinLocked, _)) => ModuleError::LockedPin { token },
            Err(other) => return Err(failed("sign in to the token")(other)),
        };
        all.insert(ours, refused.clone());
        Err(refused)
    }

    /// Waits for a place, but not for ever: a token that hangs must not take all threads with it.
    fn place(&self) -> Result<(Place<'_>, Option<Line>), ModuleError> {
        let waited = self.freed.wait_timeout_while(self.lines(), PATIENCE, |lines| lines.lent >= LINES);
        let (mut lines, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if lines.lent >= LINES {
            return Err(ModuleError::Busy { token: self.token().to_owned() });
        }
        lines.lent += 1;
        let line = lines.idle.pop();
        drop(lines);
        Ok((Place(self), line))
    }

    /// Does something in a session; once more in a fresh one when that fails for whatever reason lies in the module.
    fn with<T>(&self, work: impl Fn(&mut Line) -> Result<T, ModuleError>) -> Result<T, ModuleError> {
        aside(|| {
            let (_place, idle) = self.place()?;
            if let Some(mut line) = idle {
                match work(&mut line) {
                    Err(ModuleError::Failed { what, reason }) => {
                        tracing::warn!(
                            what,
                            reason,
                            "a session of the PKCS#11 module failed and is opened again"
                        );
                        // The others may have died with it.
                        self.lines().idle.clear();
                    }
                    done => {
                        self.lines().idle.push(line);
                        return done;
                    }
                }
            }
            let mut line = self.line(false)?;
            let done = work(&mut line)?;
            self.lines().idle.push(line);
            Ok(done)
        })
    }

    fn no_key(&self, alg: JwsAlg, kid: &str) -> ModuleError {
        let purpose = KeyPurpose::of_tokens(alg).as_str();
        ModuleError::NoKey { token: self.token().to_owned(), purpose, kid: kid.to_owned() }
    }

    /// Signs by a key; for ES256 the signature is `r || s`.
    ///
    /// # Errors
    /// [`ModuleError`]: nothing was signed.
    pub(super) fn sign(&self, kid: &str, alg: JwsAlg, message: &[u8]) -> Result<Vec<u8>, ModuleError> {
        self.with(|line| line.sign(kid, alg, message)?.ok_or_else(|| self.no_key(alg, kid)))
    }

    /// Takes up a key of the token: it is there, is the one that is published, and signs.
    ///
    /// # Errors
    /// [`ModuleError::NoKey`], [`ModuleError::OtherKey`], others.
    pub(super) fn key(
        self: &Arc<Self>,
        kid: &str,
        alg: JwsAlg,
        published: Option<&Jwk>,
    ) -> Result<TokenKey, ModuleError> {
        let public = self.with(|line| line.public(kid, alg)?.ok_or_else(|| self.no_key(alg, kid)))?;
        let signature = self.sign(kid, alg, PROOF)?;
        if published != Some(&public) || check(alg, &public, PROOF, &signature).is_err() {
            let purpose = KeyPurpose::of_tokens(alg).as_str();
            let (token, kid) = (self.token().to_owned(), kid.to_owned());
            return Err(ModuleError::OtherKey { token, purpose, kid });
        }
        Ok(TokenKey::in_module(kid, alg, Arc::clone(self), public))
    }

    /// Makes a key that stays in the token, and gives its public half. What is left of one that does not do is removed.
    ///
    /// # Errors
    /// [`ModuleError::Unsupported`], [`ModuleError::Extractable`], others.
    pub(super) fn generate(self: &Arc<Self>, kid: &str, alg: JwsAlg) -> Result<Jwk, ModuleError> {
        let made = aside(|| {
            let mut line = self.line(true)?;
            line.generate(kid, alg)?;
            line.public(kid, alg)?.ok_or_else(|| self.no_key(alg, kid))
        });
        let proved = made.and_then(|public| self.key(kid, alg, Some(&public)).map(|_| public));
        if proved.is_err()
            && let Err(error) = self.remove(kid)
        {
            tracing::warn!(%error, kid, "what is left of a key that does not do stays in the token; it does no harm");
        }
        proved
    }

    /// Removes a key, private and public half, if it is still there.
    ///
    /// # Errors
    /// [`ModuleError`].
    pub(super) fn remove(&self, kid: &str) -> Result<(), ModuleError> {
        aside(|| self.line(true)?.remove(kid))
    }
}
