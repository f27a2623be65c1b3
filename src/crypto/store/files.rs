//! The files of a key store: modes, atomic replacement, locks.

use super::KeyStoreError;
use super::manifest::{Manifest, Record};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const MANIFEST: &str = "keys.toml";
/// Stands while `init` is at work: keys beside it belong to no finished store.
const UNFINISHED: &str = ".init-unfinished";
/// No private key of ours comes near this size, in bytes.
const LARGEST_KEY: u64 = 16 * 1024;

/// The directory of a key store.
pub(super) struct Directory(PathBuf);

/// How a directory is locked.
#[derive(Clone, Copy)]
pub(super) enum Lock {
    /// With other readers.
    Shared,
    /// Alone.
    Exclusive,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeyStoreError {
    let path = path.to_owned();
    move |source| KeyStoreError::Io { path, source }
}

/// Writes a file that must not be there yet, mode 0600, and waits until it is on disk.
fn write_new(path: &Path, contents: &[u8]) -> Result<(), KeyStoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(at(path))?;
    file.write_all(contents).and_then(|()| file.sync_all()).map_err(at(path))
}

impl Directory {
    pub(super) fn new(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    /// Makes the directory, mode 0700, unless it is there.
    pub(super) fn create(dir: &Path) -> Result<Self, KeyStoreError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir).map_err(at(dir))?;
        let directory = Self::new(dir);
        directory.check_modes()?;
        Ok(directory)
    }

    pub(super) fn has_manifest(&self) -> bool {
        self.path(MANIFEST).exists()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn key_path(&self, kid: &str) -> PathBuf {
        self.path(&format!("{kid}.key"))
    }

    /// Keeps other processes out (or from changing anything) until the file is dropped.
    pub(super) fn lock(&self, lock: Lock) -> Result<File, KeyStoreError> {
        let file = File::open(&self.0).map_err(at(&self.0))?;
        match lock {
            Lock::Shared => file.lock_shared(),
            Lock::Exclusive => file.lock(),
        }
        .map_err(at(&self.0))?;
        Ok(file)
    }

    fn key_files(&self) -> Result<Vec<PathBuf>, KeyStoreError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(at(&self.0))? {
            let path = entry.map_err(at(&self.0))?.path();
            if path.extension().is_some_and(|extension| extension == "key") {
                found.push(path);
            }
        }
        Ok(found)
    }

    /// Refuses private keys others can read, and a directory others can write.
    #[cfg(unix)]
    pub(super) fn check_modes(&self) -> Result<(), KeyStoreError> {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            |path: &Path| fs::metadata(path).map(|data| data.permissions().mode() & 0o7777).map_err(at(path));
        let of_directory = mode(&self.0)?;
        if of_directory & 0o022 != 0 {
            return Err(KeyStoreError::LooseDirectory { path: self.0.clone(), mode: of_directory });
        }
        for path in self.key_files()? {
            let mode = mode(&path)?;
            if mode & 0o077 != 0 {
                return Err(KeyStoreError::LooseFile { path, mode });
            }
        }
        Ok(())
    }

    #[cfg(not(unix))]
    pub(super) fn check_modes(&self) -> Result<(), KeyStoreError> {
        Ok(())
    }

    /// Opens the ground for `init`: refuses a finished store and keys of unknown origin, clears away what a
    /// killed `init` left.
    pub(super) fn begin_init(&self) -> Result<(), KeyStoreError> {
        if self.has_manifest() {
            return Err(KeyStoreError::Exists { dir: self.0.clone() });
        }
        let orphans = self.key_files()?;
        if self.path(UNFINISHED).exists() {
            for path in orphans {
                fs::remove_file(&path).map_err(at(&path))?;
            }
            return Ok(());
        }
        if !orphans.is_empty() {
            return Err(KeyStoreError::Orphans { dir: self.0.clone() });
        }
        write_new(&self.path(UNFINISHED), b"")?;
        self.sync()
    }

    pub(super) fn end_init(&self) -> Result<(), KeyStoreError> {
        let path = self.path(UNFINISHED);
        fs::remove_file(&path).map_err(at(&path))
    }

    pub(super) fn manifest(&self) -> Result<Manifest, KeyStoreError> {
        let path = self.path(MANIFEST);
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        Manifest::parse(&text).map_err(|reason| self.bad_manifest(&reason))
    }

    /// Replaces the manifest: the new one is wholly on disk before it takes the old one's name.
    pub(super) fn save(&self, manifest: &Manifest) -> Result<(), KeyStoreError> {
        let text = manifest.to_toml().map_err(|reason| self.bad_manifest(&reason))?;
        let (draft, path) = (self.path(".keys.toml.draft"), self.path(MANIFEST));
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&draft)(error)),
            _ => {}
        }
        write_new(&draft, text.as_bytes())?;
        fs::rename(&draft, &path).map_err(at(&path))?;
        self.sync()
    }

    /// Writes a private key, mode 0600; never over another.
    pub(super) fn write_key(&self, kid: &str, private: &[u8]) -> Result<(), KeyStoreError> {
        // Room enough from the start: growing would leave a copy behind unwiped.
        let mut text = Zeroizing::new(String::with_capacity(private.len() * 2 + 8));
        STANDARD.encode_string(private, &mut text);
        text.push('\n');
        write_new(&self.key_path(kid), text.as_bytes())?;
        self.sync()
    }

    pub(super) fn read_key(&self, kid: &str) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        let path = self.key_path(kid);
        let mut text = Zeroizing::new(String::new());
        let file = File::open(&path).map_err(at(&path))?;
        file.take(LARGEST_KEY).read_to_string(&mut text).map_err(at(&path))?;
        let bytes = STANDARD.decode(text.trim_end()).map_err(|error| {
            at(&path)(io::Error::new(io::ErrorKind::InvalidData, format!("not base64: {error}")))
        })?;
        Ok(Zeroizing::new(bytes))
    }

    /// Removes a private key that has no more use, if it is still there.
    pub(super) fn remove_key(&self, kid: &str) -> Result<(), KeyStoreError> {
        let path = self.key_path(kid);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path)(error)),
            _ => Ok(()),
        }
    }

    /// Makes the directory's own entries durable.
    fn sync(&self) -> Result<(), KeyStoreError> {
        File::open(&self.0).and_then(|dir| dir.sync_all()).map_err(at(&self.0))
    }

    pub(super) fn bad_manifest(&self, reason: &str) -> KeyStoreError {
        KeyStoreError::BadManifest { path: self.path(MANIFEST), reason: reason.to_owned() }
    }

    pub(super) fn bad_key(&self, record: &Record) -> KeyStoreError {
        KeyStoreError::BadKey { path: self.key_path(&record.kid), purpose: record.purpose.as_str() }
    }
}
