//! The desk's rooms, as the main menu shows them to auditors.

use crate::view::{Frame, paths};

/// One room of the desk. A new one adds a variant here, and stands in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Searches.
    Find,
}

impl Tab {
    /// Every room, in the menu's order.
    pub const ALL: [Self; 1] = [Self::Find];

    pub(in crate::view) const fn as_str(self) -> &'static str {
        match self {
            Self::Find => "search",
        }
    }

    pub(in crate::view) const fn path(self) -> &'static str {
        match self {
            Self::Find => paths::SEARCH,
        }
    }

    pub(in crate::view) fn name(self, f: &Frame) -> String {
        match self {
            Self::Find => f.t("Chercher", "Find"),
        }
    }

    /// Whether the page at hand is this room's own.
    pub(in crate::view) fn is_open(self, f: &Frame) -> bool {
        f.path.split('?').next() == Some(self.path())
    }
}
