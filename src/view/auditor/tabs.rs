//! The desk's rooms, as the main menu shows them to auditors.

use crate::view::{Frame, paths};

/// One room of the desk. A new one adds a variant here, and stands in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Searches.
    Find,
    /// One mandate or one aidant through time.
    Follow,
    /// Charts.
    See,
    /// What deserves a second look.
    Watch,
    /// Random samples.
    Sample,
    /// Content that two open.
    Content,
}

impl Tab {
    /// Every room, in the menu's order.
    pub const ALL: [Self; 6] =
        [Self::Find, Self::Follow, Self::See, Self::Watch, Self::Sample, Self::Content];

    pub(in crate::view) const fn as_str(self) -> &'static str {
        match self {
            Self::Find => "search",
            Self::Follow => "follow",
            Self::See => "charts",
            Self::Watch => "anomalies",
            Self::Sample => "samples",
            Self::Content => "content",
        }
    }

    pub(in crate::view) const fn path(self) -> &'static str {
        match self {
            Self::Find => paths::SEARCH,
            Self::Follow => paths::FOLLOW,
            Self::See => paths::CHARTS,
            Self::Watch => paths::ANOMALIES,
            Self::Sample => paths::SAMPLES,
            Self::Content => paths::CONTENT,
        }
    }

    pub(in crate::view) fn name(self, f: &Frame) -> String {
        match self {
            Self::Find => f.t("Chercher", "Find"),
            Self::Follow => f.t("Suivre", "Follow"),
            Self::See => f.t("Voir", "See"),
            Self::Watch => f.t("Veille", "Watch"),
            Self::Sample => f.t("Échantillon", "Sample"),
            Self::Content => f.t("Contenus", "Content"),
        }
    }

    /// Whether the page at hand is this room's own.
    pub(in crate::view) fn is_open(self, f: &Frame) -> bool {
        f.path.split('?').next() == Some(self.path())
    }
}
