//! Pages: typed templates, one stylesheet, French and English.
//!
//! A page is a struct of facts in this crate's own types and speaks no language of its own. It is rendered in a
//! [`Frame`]; a page that holds a form is rendered in a [`Guarded`] frame only, which cannot be had without
//! the session's CSRF token. Every word stands in a template as a pair, `f.t("français", "English")`: a missing
//! translation does not compile, and a test refuses words outside such pairs.
//!
//! Addresses stand in [`paths`]; element ids follow three rules: a page's `<body>` is `page-…`, a
//! form is `…-form` and its button `…-submit`, a field's id is its name (`name-value` for radios and checkboxes).

#![expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass every value by reference")]

/// Writes a page's struct together with its rendering: `in Frame` for a page without a form, `in Guarded` for a
/// page with one.
macro_rules! page {
    ($(#[$doc:meta])* $name:ident in $frame:ident from $path:tt {}) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        const _: () = {
            use askama::Template;

            #[derive(Template)]
            #[template(path = $path)]
            struct Rendered<'a> {
                f: &'a crate::view::$frame,
            }

            impl $name {
                /// The page as HTML.
                #[must_use]
                pub fn render(&self, frame: &crate::view::$frame) -> String {
                    crate::view::written(Rendered { f: frame }.render())
                }
            }
        };
    };
    (
        $(#[$doc:meta])*
        $name:ident in $frame:ident from $path:tt {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        const _: () = {
            use askama::Template;

            #[derive(Template)]
            #[template(path = $path)]
            struct Rendered<'a> {
                f: &'a crate::view::$frame,
                p: &'a $name,
            }

            impl $name {
                /// The page as HTML.
                #[must_use]
                pub fn render(&self, frame: &crate::view::$frame) -> String {
                    crate::view::written(Rendered { f: frame, p: self }.render())
                }
            }
        };
    };
}

pub mod aidant;
pub mod anomalies;
pub mod asking;
pub mod assets;
pub mod auditor;
pub mod authorize;
pub mod card;
mod chart;
pub mod consent;
pub mod csv;
pub mod dates;
mod document;
pub mod errors;
mod frame;
pub mod history;
mod language;
mod parts;
pub mod paths;
pub mod presented;
mod problem;
pub mod public;
mod qr;
mod reading;
pub mod referent;
pub mod report;
#[cfg(test)]
mod samples;
mod say;
pub mod sentences;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod usager;

pub use chart::{Bar, Chart, Label, Shape};
pub use frame::{Acting, Csrf, Flash, Frame, Guarded, Session, Who};
pub use language::{Text, typeset};
pub use parts::{
    Closed, Granted, Intervention, InterventionOutcome, MandateCard, Person, ProcedureChoice, Receipt,
    Status, ThemeChoice, TimelineLine, Wording,
};
pub use problem::Problem;
use problem::tie;
pub use qr::Qr;
use reading::is_french;
pub use reading::{ReadingChoice, ReadingHelp, Readings};

/// Writing into a string fails only if a value's own `Display` fails, which none here does; a blank page shows
/// the fault without taking the process down.
fn written(page: askama::Result<String>) -> String {
    page.unwrap_or_default()
}
