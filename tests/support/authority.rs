//! Time-stamping authorities (RFC 3161) made at run time with `openssl`: keys and certificates for one test, never kept.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const CONFIGURATION: &str = "[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:TRUE
[stamp]
extendedKeyUsage = critical, timeStamping
[loose]
extendedKeyUsage = timeStamping
[both]
extendedKeyUsage = critical, timeStamping, serverAuth
[web]
extendedKeyUsage = critical, serverAuth
[mail]
extendedKeyUsage = critical, serverAuth
subjectAltName = DNS:localhost
[none]
keyUsage = digitalSignature
[tsa]
default_tsa = t
[t]
serial = number
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256
accuracy = secs:1
clock_precision_digits = 3
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
";

/// A certification authority, with what it vouches for: `tsa` at first, which stamps.
pub(crate) struct Authority {
    dir: PathBuf,
    answering: Mutex<()>,
}

/// A new key of that kind, in the words of `openssl req`.
fn key(kind: &str) -> Vec<String> {
    let words = if kind.starts_with("rsa") {
        format!("-newkey {kind}")
    } else {
        format!("-newkey ec -pkeyopt ec_paramgen_curve:{kind}")
    };
    words.split(' ').map(str::to_owned).collect()
}

impl Authority {
    /// One whose `tsa` has a key on P-256.
    pub(crate) fn new() -> Self {
        let authority = Self::bare();
        authority.issue("tsa", "P-256", "stamp", 3650);
        authority
    }

    /// One that vouches for nothing yet.
    pub(crate) fn bare() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("authority_{}_{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("conf"), CONFIGURATION).unwrap();
        std::fs::write(dir.join("number"), "01\n").unwrap();
        let authority = Self { dir, answering: Mutex::new(()) };
        authority.root("ca");
        authority
    }

    /// A certificate that vouches for itself.
    pub(crate) fn root(&self, name: &str) {
        let words = format!(
            "req -x509 -nodes -config conf -extensions ca -days 3650 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        );
        let mut words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        words.extend(key("P-256"));
        self.openssl(&words);
    }

    /// A certificate under that name, with a new key, vouched for by `ca`.
    pub(crate) fn issue(&self, name: &str, kind: &str, extensions: &str, days: i32) {
        let words =
            format!("req -new -nodes -config conf -subj /CN={name} -keyout {name}.key -out {name}.csr");
        let mut words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        words.extend(key(kind));
        self.openssl(&words);
        self.sign(name, name, "ca", extensions, days);
    }

    /// A certificate for the key of that name, vouched for by another one.
    pub(crate) fn sign(&self, key: &str, name: &str, by: &str, extensions: &str, days: i32) {
        self.run(&format!(
            "x509 -req -in {key}.csr -CA {by}.pem -CAkey {by}.key -set_serial 7 -out {name}.pem -days {days} \
             -extfile conf -extensions {extensions}"
        ));
    }

    /// The certificate of that name, as PEM.
    pub(crate) fn pem(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(&format!("{name}.pem"))).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// What `tsa` answers to a request.
    pub(crate) fn answer(&self, query: &[u8]) -> Vec<u8> {
        self.answer_as(query, "tsa", "")
    }

    /// The same, signed by another one; with more words for `openssl ts -reply`.
    pub(crate) fn answer_as(&self, query: &[u8], signer: &str, more: &str) -> Vec<u8> {
        let _one = self.answering.lock().unwrap();
        std::fs::write(self.path("query"), query).unwrap();
        self.run(
            format!(
                "ts -reply -config conf -queryfile query -signer {signer}.pem -inkey {signer}.key -out answer {more}"
            )
            .trim(),
        );
        std::fs::read(self.path("answer")).unwrap()
    }

    /// What an answer says, signed anew in the words of `openssl cms -sign`.
    pub(crate) fn signed_anew(&self, answer: &[u8], words: &str) -> Vec<u8> {
        std::fs::write(self.path("old"), answer).unwrap();
        self.run("ts -reply -config conf -in old -token_out -out token");
        self.run("cms -verify -noverify -inform DER -in token -out content");
        self.run(&format!("cms -sign -in content -binary -nodetach -outform DER -out token {words}"));
        let token = std::fs::read(self.path("token")).unwrap();
        sequence(&[&[0x30, 3, 2, 1, 0], token.as_slice()].concat())
    }

    /// Whether `openssl ts -verify` finds that the answer stamps those bytes, with `ca` trusted.
    pub(crate) fn openssl_verifies(&self, answer: &Path, data: &Path) -> bool {
        let words = ["ts", "-verify", "-CAfile", "ca.pem", "-in"];
        let mut command = Command::new("openssl");
        command.args(words).arg(answer).arg("-data").arg(data).current_dir(&self.dir);
        command.output().unwrap().status.success()
    }

    fn run(&self, words: &str) {
        self.openssl(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    }

    fn openssl(&self, words: &[String]) {
        let done = Command::new("openssl").args(words).current_dir(&self.dir).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A SEQUENCE of that content.
fn sequence(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82, length[0], length[1]], content].concat()
}
