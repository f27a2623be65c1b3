//! What stands before an instance: Debian's Apache with TLS, under an authority made for one test.

use std::fmt::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const APACHE: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

/// Apache on free ports of loopback; it ends with this.
pub(crate) struct Front {
    dir: PathBuf,
    port: u16,
    /// The port of a second site, behind which a test may put what it likes.
    second: u16,
    child: Option<Child>,
}

impl Front {
    /// TLS before the site at that address, and on the second port what `more` configures.
    pub(crate) async fn before(inside: &str, more: impl FnOnce(&Self) -> String) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Its own account must be able to read here.
        let dir = std::env::temp_dir().join(format!("porteplume_front_{}_{number}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let [port, second] = free_ports();
        let mut front = Self { dir, port, second, child: None };
        front.certify();
        let text = front.configuration(inside, &more(&front));
        std::fs::write(front.dir.join("httpd.conf"), text).unwrap();
        front.start().await;
        front
    }

    /// The address of the site, without a slash at the end.
    pub(crate) fn origin(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The address of the second site.
    pub(crate) fn second(&self) -> String {
        format!("https://localhost:{}", self.second)
    }

    /// The certificate of the authority that vouches for both.
    pub(crate) fn authority(&self) -> PathBuf {
        self.dir.join("ca.crt")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.join("site.crt")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.join("site.key")
    }

    fn certify(&self) {
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
        self.openssl(&format!("req -x509 {key} -subj /CN=test -keyout ca.key -out ca.crt"));
        let names = "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1";
        let signed = "-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE";
        self.openssl(&format!("req -x509 {key} {names} {signed} -keyout site.key -out site.crt"));
    }

    fn openssl(&self, words: &str) {
        let done = Command::new("openssl").args(words.split(' ')).current_dir(&self.dir).output().unwrap();
        assert!(done.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn configuration(&self, inside: &str, more: &str) -> String {
        let dir = self.dir.display();
        let mut text = format!(
            "ServerRoot {dir}\nServerName localhost\nPidFile {dir}/pid\nErrorLog {dir}/error.log\nMutex file:{dir} default\n\
             DefaultRuntimeDir {dir}\nStartServers 1\nThreadsPerChild 25\nMaxRequestWorkers 25\n"
        );
        for module in [
            "mpm_event",
            "authn_core",
            "authz_core",
            "authz_user",
            "headers",
            "proxy",
            "proxy_http",
            "ssl",
            "auth_openidc",
        ] {
            writeln!(text, "LoadModule {module}_module {MODULES}/mod_{module}.so").unwrap();
        }
        if is_root() {
            text.push_str("User www-data\nGroup www-data\n");
        }
        let tls = format!(
            "ServerName localhost\nSSLEngine on\nSSLProtocol -all +TLSv1.2 +TLSv1.3\nSSLCertificateFile {}\nSSLCertificateKeyFile {}\n",
            self.certificate().display(),
            self.key().display()
        );
        write!(
            text,
            "Listen 127.0.0.1:{0}\nListen 127.0.0.1:{1}\n\
             <VirtualHost 127.0.0.1:{0}>\n{tls}ProxyPreserveHost On\nRequestHeader set X-Forwarded-Proto https\nProxyPass / {inside}/\n</VirtualHost>\n\
             <VirtualHost 127.0.0.1:{1}>\n{tls}{more}\n</VirtualHost>\n",
            self.port, self.second
        )
        .unwrap();
        text
    }

    /// Starts it; it answers once this is done.
    async fn start(&mut self) {
        let mut apache = Command::new(APACHE);
        apache.args(["-X", "-f"]).arg(self.dir.join("httpd.conf"));
        let mut child = apache.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("Apache");
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "Apache does not answer: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.child = Some(child);
    }

    /// What Apache wrote.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("error.log")).unwrap_or_default()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn free_ports() -> [u16; 2] {
    let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    taken.map(|socket| socket.local_addr().unwrap().port())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|me| me.uid() == 0)
}
