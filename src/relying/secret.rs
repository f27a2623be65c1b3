//! Secret texts.

/// A secret text: compared without telling where it differs, never printed.
#[derive(Clone)]
pub struct SecretString(String);

impl SecretString {
    /// Takes the text over.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for SecretString {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        a.len() == b.len()
            && std::hint::black_box(a.iter().zip(b).fold(0, |different, (a, b)| different | (a ^ b))) == 0
    }
}

impl Eq for SecretString {}
