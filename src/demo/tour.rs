//! The tour: the whole job, driven over real HTTP as the persons would, one printed line per step with what was
//! verified. It stops at the first thing that fails.

mod browser;
mod journeys;

use super::Demo;
use super::identity_provider::base32;
use crate::clock::Clock;
use crate::crypto::{TotpSeed, TotpStep};
use browser::Browser;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Why the tour stopped.
#[derive(Debug, Error)]
pub enum TourError {
    /// A request failed.
    #[error("a request failed: {0}")]
    Http(String),
    /// The page lacks what the person needs.
    #[error("{path} answered {status} (« {title} ») without the element {id:?}")]
    Missing {
        /// The element's id.
        id: String,
        /// The page.
        path: String,
        /// Its status.
        status: u16,
        /// Its first heading.
        title: String,
    },
    /// Something is not as it must be.
    #[error("step {step}: expected {expected}, found {found}")]
    Unexpected {
        /// The step.
        step: &'static str,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The tour's own memory.
    #[error("{0} cannot be used: {1}")]
    File(PathBuf, std::io::Error),
    /// The journal does not verify.
    #[error("the journal does not verify: {0}")]
    Journal(String),
    /// The aidant's key on the enrolment page cannot be read.
    #[error("the key on the enrolment page cannot be read")]
    Key,
}

/// Runs the tour against a running demonstration. `say` prints a line.
///
/// # Errors
/// [`TourError`] at the first thing that fails.
pub async fn run(demo: &Demo, data: &Path, say: &(dyn Fn(&str) + Sync)) -> Result<(), TourError> {
    let mut tour = Tour { demo, phones: Phones::read(data)?, say, step: 0 };
    journeys::everything(&mut tour).await?;
    (tour.say)(&format!("{} steps, each verified", tour.step));
    Ok(())
}

/// A tour under way.
struct Tour<'a> {
    demo: &'a Demo,
    phones: Phones,
    say: &'a (dyn Fn(&str) + Sync),
    step: u32,
}

impl Tour<'_> {
    /// Says that a step was done, and what was verified.
    fn done(&mut self, what: &str) {
        self.step += 1;
        (self.say)(&format!("{:>3}. {what}", self.step));
    }

    fn browser(&self) -> Result<Browser, TourError> {
        Browser::new(&self.demo.service)
    }
}

/// Holds what was found against what must be.
fn expect(step: &'static str, found: &str, expected: &str) -> Result<(), TourError> {
    if found.contains(expected) {
        Ok(())
    } else {
        let found = found.split_once("id=\"title\">").map_or(found, |(_, after)| after);
        let found = found.chars().take(120).collect::<String>();
        Err(TourError::Unexpected { step, expected: format!("{expected:?}"), found: format!("{found:?}") })
    }
}

/// The aidants' telephones: what a code application keeps. Kept beside the demonstration's data, so that a second
/// tour on the same data finds them again.
struct Phones {
    file: PathBuf,
    keys: BTreeMap<String, Phone>,
}

/// One telephone.
#[derive(serde::Serialize, serde::Deserialize, Clone)]
struct Phone {
    key: String,
    /// The last step a code was shown for: each serves once.
    last: i64,
}

impl Phones {
    fn read(data: &Path) -> Result<Self, TourError> {
        let file = data.join("telephones.json");
        let keys = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(TourError::File(file, error)),
        };
        Ok(Self { file, keys })
    }

    fn keep(&self) -> Result<(), TourError> {
        let bytes = serde_json::to_vec(&self.keys).unwrap_or_default();
        std::fs::write(&self.file, bytes).map_err(|error| TourError::File(self.file.clone(), error))
    }

    /// Takes the key of an enrolment page.
    fn enrol(&mut self, whose: &str, key: &str) -> Result<(), TourError> {
        let key = key.split_whitespace().collect();
        self.keys.insert(whose.to_owned(), Phone { key, last: 0 });
        self.keep()
    }

    /// The next code that was not shown yet; waits for one when all that count now were.
    async fn code(&mut self, whose: &str, clock: &Arc<dyn Clock>) -> Result<String, TourError> {
        let phone = self.keys.get(whose).cloned().ok_or(TourError::Key)?;
        let seed = base32(&phone.key).as_deref().and_then(TotpSeed::from_slice).ok_or(TourError::Key)?;
        loop {
            let now = TotpStep::at(clock.now()).number();
            // The service takes a code of the step before and after, too.
            let next = (phone.last + 1).max(now - 1);
            if next <= now + 1 {
                self.keys.insert(whose.to_owned(), Phone { last: next, ..phone });
                self.keep()?;
                return Ok(seed.code(TotpStep::from_number(next)).expose().to_owned());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}
