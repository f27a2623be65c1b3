//! w3m, a browser without scripts, pictures and styles, in a terminal of its own (tmux).

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(50);

#[expect(clippy::disallowed_methods, reason = "this thread serves the test alone")]
fn rest(time: Duration) {
    std::thread::sleep(time);
}

/// Somebody's text browser, in French; gone with this value.
pub(crate) struct TextBrowser {
    /// Holds the terminal's socket and w3m's own files.
    folder: PathBuf,
}

impl TextBrowser {
    /// Opens an address.
    pub(crate) fn at(address: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("porteplume_w3m_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let browser = Self { folder: std::env::temp_dir().join(name) };
        std::fs::create_dir(&browser.folder).expect("a folder");
        let mut w3m = vec!["w3m".to_owned(), "-cookie".to_owned()];
        for option in
            ["accept_language=fr", "accept_cookie=1", "show_cookie=0", "confirm_qq=0", "auto_image=0"]
        {
            w3m.extend(["-o".to_owned(), option.to_owned()]);
        }
        w3m.push(address.to_owned());
        let mut start = vec!["new-session", "-d", "-x", "110", "-y", "400", "-s", "w3m"];
        start.extend(w3m.iter().map(String::as_str));
        browser.tmux(&start);
        browser
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.arg("-u").arg("-f").arg("/dev/null").arg("-S").arg(self.folder.join("terminal"));
        command.env("HOME", &self.folder).env("LANG", "C.UTF-8").env_remove("TMUX").env_remove("TMUX_TMPDIR");
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        let output = command.args(args).output().expect("tmux runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {args:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys", "-t", "w3m"], keys].concat());
    }

    fn types(&self, text: &str) {
        self.keys(&["-l", text]);
    }

    /// What stands on the screen: the whole page, since it is tall. Spaces that hold words together are spaces.
    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", "w3m"]).replace(['\u{a0}', '\u{202f}'], " ")
    }

    /// Waits until the page says this; where a line ends depends on what stands before, a date for one, and says nothing.
    pub(crate) fn says(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        let said = |screen: String| screen.split_whitespace().collect::<Vec<_>>().join(" ").contains(text);
        while !said(self.screen()) {
            assert!(Instant::now() < until, "nowhere \"{text}\" in\n{}", self.screen());
            rest(MOMENT);
        }
    }

    /// Goes from the top to what w3m's search finds.
    fn find(&self, pattern: &str) {
        self.keys(&["g", "/"]);
        self.types(pattern);
        self.keys(&["Enter"]);
        rest(MOMENT * 6);
        let screen = self.screen();
        assert!(!screen.contains("Not found"), "no {pattern} in\n{screen}");
    }

    /// Presses the link or the button of that name, and waits for a page of this title.
    pub(crate) fn press(&self, name: &str, title: &str) {
        self.find(name);
        self.keys(&["Enter"]);
        self.says(&format!("Viewing <{title}"));
    }

    /// Ticks the box or the button before that label; the test says what it then reads.
    pub(crate) fn tick(&self, label: &str) {
        self.find(&format!(". .*{label}"));
        self.keys(&["Tab", "Enter"]);
    }

    /// Writes into the field after that hint.
    pub(crate) fn fill(&self, hint: &str, text: &str) {
        self.find(hint);
        self.keys(&["Tab", "Enter"]);
        rest(MOMENT * 4);
        self.types(text);
        self.keys(&["Enter"]);
        self.says(&format!("[{text}"));
    }
}

impl Drop for TextBrowser {
    fn drop(&mut self) {
        let terminal = self.folder.join("terminal");
        let _ = Command::new("tmux").arg("-S").arg(terminal).arg("kill-server").output();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
