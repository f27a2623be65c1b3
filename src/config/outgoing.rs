//! `[outgoing]`: what calls to others may reach, and whom they trust.

use super::reader::Section;
use super::{ConfigError, values};
use std::path::PathBuf;

/// `[outgoing]`: calls to providers, services, witnesses and authorities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Hosts that may have private or special-use addresses, in lower case. Default: none.
    pub private_hosts: Vec<String>,
    /// Certificates (PEM) of authorities trusted beside the usual ones, such as an administration's own. Default: none.
    pub authorities: Vec<PathBuf>,
}

/// Reads the section.
pub(super) fn read(section: &mut Section<'_>) -> Result<Outgoing, ConfigError> {
    const HOSTS: &str = "write names of hosts, or addresses, without port, such as [\"fc.intranet.example\"]";
    const AUTHORITIES: &str = "write the paths of certificates (PEM)";
    Ok(Outgoing {
        private_hosts: section.list("private_hosts", HOSTS, values::host)?,
        authorities: section.list("authorities", AUTHORITIES, values::path)?,
    })
}
