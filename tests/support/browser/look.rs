//! Looking at a page: pictures at three widths, nothing cut off, no barrier axe knows of, no complaint of the browser.

use super::{Browser, Key, driver};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A width at which pages are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    name: &'static str,
    width: u32,
    height: u32,
    phone: bool,
}

/// A desk's screen.
pub(super) const DESK: Size = Size { name: "1280", width: 1280, height: 800, phone: false };
/// A small telephone.
const PHONE: Size = Size { name: "360", width: 360, height: 740, phone: true };
/// A desk's screen at 400 %: WCAG 1.4.10 counts 1280 pixels as 320.
const ZOOMED: Size = Size { name: "320", width: 320, height: 256, phone: false };
/// The text area of an A4 sheet, at 96 pixels an inch.
const PAPER: Size = Size { name: "printed", width: 680, height: 1000, phone: false };

const WORST: [&str; 2] = ["serious", "critical"];

/// Whether an element, or the box drawn around it, is outlined by two pixels at least (WCAG 2.4.7).
pub(super) const FOCUS: &str = "const marked = e => [e, e.closest('.choice')].some(box => {
        const style = box && getComputedStyle(box);
        return style && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    });";

impl Browser {
    /// Looks at the page from every side; panics with all that is wrong.
    #[track_caller]
    pub(crate) fn look(&self) {
        let faults = self.faults();
        assert!(faults.is_empty(), "{} at {}:\n{}", self.page(), self.address(), faults.join("\n"));
    }

    /// Takes the page's pictures and says what is wrong with it.
    pub(crate) fn faults(&self) -> Vec<String> {
        let Some(looks) = &self.looks else { return Vec::new() };
        looks.set(looks.get() + 1);
        let mut wrong = self.complaints();
        for size in [ZOOMED, PHONE, DESK] {
            self.resize(size);
            wrong.extend(self.overflow().map(|cut| format!("{} px wide: {cut}", size.width)));
            self.keep_picture(&format!("{:02}-{}-{}", looks.get(), self.page(), size.name));
        }
        wrong.extend(self.barriers());
        wrong.extend(self.unmarked());
        wrong
    }

    /// Takes a picture of the page as it comes out of a printer, on A4 with margins of a centimetre and a half.
    pub(crate) fn look_printed(&self) {
        let Some(looks) = &self.looks else { return };
        self.driver.devtools("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
        self.resize(PAPER);
        self.keep_picture(&format!("{:02}-{}-printed", looks.get(), self.page()));
        self.driver.devtools("Emulation.setEmulatedMedia", &json!({ "media": "" }));
        self.resize(DESK);
    }

    /// What reaches beyond the screen at any width, without a further look.
    pub(crate) fn overflows(&self) -> Vec<String> {
        let at = |size: Size| {
            self.resize(size);
            self.overflow().map(|cut| format!("{} px wide: {cut}", size.width))
        };
        [ZOOMED, PHONE, DESK].into_iter().filter_map(at).collect()
    }

    pub(super) fn resize(&self, size: Size) {
        let size = json!({
            "width": size.width, "height": size.height, "deviceScaleFactor": 1, "mobile": size.phone,
        });
        self.driver.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What reaches beyond the right edge, so that one would have to scroll sideways.
    fn overflow(&self) -> Option<String> {
        let script = "const page = document.scrollingElement;
            if (page.scrollWidth <= innerWidth) return null;
            const wide = [...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)
                .map(e => e.outerHTML.slice(0, 120));
            return `the page is ${page.scrollWidth} px wide: ${wide.slice(0, 3).join(' ; ')}`;";
        let cut = self.driver.run(script, &[]).unwrap_or_else(|e| panic!("{}", e.message));
        cut.as_str().map(str::to_owned)
    }

    /// Controls that do not show when the keyboard has come to them.
    fn unmarked(&self) -> Vec<String> {
        // Only after a key does a browser mark what gets the focus.
        self.key(Key::Tab);
        let script = format!(
            "{FOCUS}\nconst before = document.activeElement, wrong = [];
            const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex=\"0\"]';
            for (const e of document.querySelectorAll(controls)) {{
                e.focus();
                if (document.activeElement === e && !marked(e)) wrong.push(e.outerHTML.slice(0, 120));
            }}
            before.focus(); if (document.activeElement !== before) document.activeElement.blur();
            scrollTo(0, 0);
            return wrong;"
        );
        let wrong = self.driver.run(&script, &[]).unwrap_or_else(|e| panic!("{}", e.message));
        let wrong = wrong.as_array().into_iter().flatten().filter_map(Value::as_str);
        wrong.map(|control| format!("no mark of the focus: {control}")).collect()
    }

    /// What axe finds serious or critical.
    fn barriers(&self) -> Vec<String> {
        let script = format!(
            "{}\nconst done = arguments[arguments.length - 1];
            axe.run(document, {{ resultTypes: ['violations'] }}).then(done, e => done({{ error: String(e) }}));",
            driver::axe()
        );
        self.refuse_scripts(false);
        let report = self.driver.run_until_called(&script);
        self.refuse_scripts(true);
        let report = report.unwrap_or_else(|e| panic!("axe: {}: {}", e.code, e.message));
        assert!(report["error"].is_null(), "axe: {}", report["error"]);
        let found = report["violations"].as_array().expect("axe reports violations");
        found
            .iter()
            .filter(|v| v["impact"].as_str().is_some_and(|i| WORST.contains(&i)))
            .map(barrier)
            .collect()
    }

    /// What the browser itself refused: policy breaches, parts of the page that did not load.
    fn complaints(&self) -> Vec<String> {
        let log = self.driver.send("POST", "se/log", &json!({ "type": "browser" }));
        let log = log.unwrap_or_else(|e| panic!("the browser's log: {}", e.message));
        let lines = log.as_array().into_iter().flatten().filter_map(|line| line["message"].as_str());
        // The browser also notes that a page of refusal carries the status of one.
        let status = format!("{} - Failed to load resource: the server responded", self.address());
        // Its own first page, left in the middle of loading, complains of itself.
        let ours = |line: &&str| !line.starts_with(&status) && !line.starts_with("chrome://");
        lines.filter(ours).map(str::to_owned).collect()
    }

    fn keep_picture(&self, name: &str) {
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.driver.devtools("Page.captureScreenshot", &whole);
        let picture = BASE64.decode(picture["data"].as_str().expect("a picture")).expect("base64");
        std::fs::create_dir_all(&self.folder).expect("a folder for screenshots");
        std::fs::write(self.folder.join(format!("{name}.png")), picture).expect("write a screenshot");
    }

    /// The last picture of a test that failed; nothing may panic here.
    pub(super) fn keep_last_sight(&self) {
        let picture = self.driver.send("GET", "screenshot", &Value::Null).ok();
        let picture = picture.and_then(|p| BASE64.decode(p.as_str()?).ok());
        if let Some(picture) = picture {
            let _ = std::fs::create_dir_all(&self.folder);
            let _ = std::fs::write(self.folder.join("failed.png"), picture);
        }
    }
}

fn barrier(violation: &Value) -> String {
    let text = |name: &str| violation[name].as_str().unwrap_or_default();
    let mut report = format!("axe: {} ({}): {}", text("id"), text("impact"), text("help"));
    for node in violation["nodes"].as_array().into_iter().flatten().take(5) {
        let html = node["html"].as_str().unwrap_or_default();
        let summary = node["failureSummary"].as_str().unwrap_or_default().replace('\n', " ");
        let _ = write!(report, "\n    {html}\n        {summary}");
    }
    report
}
