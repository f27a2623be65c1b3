//! The keyboard: for those who use no mouse.

use super::look::FOCUS;
use super::{Browser, by_id, done};
use serde_json::{Value, json};

/// The most stops on one page before a control: far more than any page has.
const PATIENCE: usize = 120;

/// A key that does something, by WebDriver's own sign for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// On to the next control.
    Tab,
    /// Follows a link, presses a button, opens a fold.
    Enter,
    /// Ticks a box.
    Space,
    /// On to the next choice of a group or a list.
    Down,
}

impl Key {
    const fn sign(self) -> &'static str {
        match self {
            Self::Tab => "\u{e004}",
            Self::Enter => "\u{e007}",
            Self::Space => " ",
            Self::Down => "\u{e015}",
        }
    }
}

impl Browser {
    /// Presses a key.
    #[track_caller]
    pub(crate) fn key(&self, key: Key) {
        self.strike(key.sign());
    }

    /// Writes where the focus is.
    #[track_caller]
    pub(crate) fn write(&self, text: &str) {
        for sign in text.chars() {
            self.strike(sign.encode_utf8(&mut [0; 4]));
        }
    }

    /// Walks on until the focus is at the control that matches the selector; every stop on the way must show that it has
    /// the focus, in sight and with nothing over it.
    #[track_caller]
    pub(crate) fn walk_to(&self, selector: &str) {
        for _ in 0..PATIENCE {
            self.key(Key::Tab);
            self.stop();
            if self.has(&format!("{selector}:focus")) {
                return;
            }
        }
        panic!("no way to {selector} by keyboard at {}", self.address());
    }

    /// Walks to the control of this id and presses Enter there; waits for the page it leads to.
    #[track_caller]
    pub(crate) fn walk_and_enter(&self, id: &str) {
        self.walk_and_follow(&by_id(id));
    }

    /// As [`Self::walk_and_enter`], for what has no id.
    #[track_caller]
    pub(crate) fn walk_and_follow(&self, selector: &str) {
        self.walk_to(selector);
        self.leaving(|| self.key(Key::Enter));
    }

    /// Walks to the group of choices of this name, and goes on to the one of this id. Where the walk meets the group is
    /// the browser's affair.
    #[track_caller]
    pub(crate) fn walk_and_choose(&self, name: &str, id: &str) {
        self.walk_to(&format!("input[name=\"{name}\"]"));
        self.key(Key::Space);
        for _ in 0..PATIENCE {
            if self.has(&format!("{}:checked", by_id(id))) {
                return;
            }
            self.key(Key::Down);
        }
        panic!("no way to {id} by keyboard at {}", self.address());
    }

    /// Walks to a list and goes down to the option of this value.
    #[track_caller]
    pub(crate) fn walk_and_pick(&self, list: &str, value: &str) {
        self.walk_to(list);
        for _ in 0..PATIENCE {
            if self.has(&format!("{list} option[value=\"{value}\"]:checked")) {
                return;
            }
            self.key(Key::Down);
        }
        panic!("no way to {value} in {list} by keyboard at {}", self.address());
    }

    /// The id of what has the focus; the page itself has none.
    #[track_caller]
    pub(crate) fn stop(&self) -> String {
        let script = format!(
            "{FOCUS}\nconst e = document.activeElement;
            if (!e || e === document.body) return {{ id: '' }};
            const box = e.getClientRects()[0], x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
            const at = document.elementFromPoint(x, y);
            const clear = at && (e.contains(at) || at.contains(e) || at.closest('label')?.control === e);
            return {{ id: e.id, html: e.outerHTML.slice(0, 120), main: e.localName === 'main', marked: marked(e), clear }};"
        );
        let stop = done(self.driver.run(&script, &[]));
        let is = |name: &str| stop[name].as_bool().unwrap_or_default();
        let id = stop["id"].as_str().unwrap_or_default().to_owned();
        // The page's content takes the focus from the skip link; it is no control.
        assert!(stop["html"].is_null() || is("main") || is("marked") && is("clear"), "unseen focus: {stop}");
        id
    }

    #[track_caller]
    fn strike(&self, sign: &str) {
        let strokes = json!([{ "type": "keyDown", "value": sign }, { "type": "keyUp", "value": sign }]);
        let hands = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        let struck: Value = done(self.driver.send("POST", "actions", &hands));
        assert!(struck.is_null(), "{struck}");
    }
}
