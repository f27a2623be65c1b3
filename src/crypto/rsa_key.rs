//! Making RSA keys, which ring cannot.
//!
//! The `rsa` crate is used here and nowhere else, and only to make a key: its timing advisory
//! (RUSTSEC-2023-0071) concerns operations with a private key, and those stay in ring.

use super::{CryptoError, sha256};
use crate::clock::{Entropy, NoEntropy};
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::{CryptoRng, Error, RngCore};
use zeroize::Zeroizing;

/// The least ring and the relying parties accept, enough until 2030 (ANSSI, selection guide 2021); tokens
/// live minutes, so that nothing signed today must still convince then.
const BITS: usize = 2048;

/// A fresh RSA key in PKCS#8.
pub(super) fn generate(entropy: &dyn Entropy) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let mut source = Source { entropy, failed: None, filler: 0 };
    let key = rsa::RsaPrivateKey::new(&mut source, BITS).map_err(|_| CryptoError::BadKey)?;
    if let Some(none) = source.failed {
        return Err(none.into());
    }
    let der = key.to_pkcs8_der().map_err(|_| CryptoError::BadKey)?;
    Ok(Zeroizing::new(der.as_bytes().to_vec()))
}

/// Our entropy as the `rsa` crate wants it: without failure. A failure is remembered and hashes of a counter
/// are handed out, so that the search for primes ends; the key it finds is thrown away.
struct Source<'a> {
    entropy: &'a dyn Entropy,
    failed: Option<NoEntropy>,
    filler: u64,
}

impl RngCore for Source<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, buffer: &mut [u8]) {
        if let Err(none) = self.entropy.fill(buffer) {
            self.failed = Some(none);
            for chunk in buffer.chunks_mut(32) {
                self.filler += 1;
                for (to, from) in chunk.iter_mut().zip(sha256(&self.filler.to_be_bytes())) {
                    *to = from;
                }
            }
        }
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(buffer);
        Ok(())
    }
}

impl CryptoRng for Source<'_> {}
