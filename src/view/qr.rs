//! QR codes, for what a paper must carry to a machine.

/// A QR code, drawn here: no drawing from elsewhere ever stands in a page.
#[derive(Clone, PartialEq, Eq)]
pub struct Qr(String);

impl Qr {
    /// The QR code of a text; an empty drawing when the text is too long for one (the text itself always stands
    /// beside it).
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::drawn(qrcode::QrCode::new(text))
    }

    fn drawn(code: qrcode::QrResult<qrcode::QrCode>) -> Self {
        let drawing = code.map(|code| code.render::<qrcode::render::svg::Color>().build());
        let drawing = drawing.unwrap_or_default();
        // A page is no place for the XML declaration that precedes the drawing.
        Self(drawing.find("<svg").and_then(|at| drawing.get(at..)).unwrap_or_default().to_owned())
    }

    /// The QR code of a long text that may be cut off nowhere: the least redundancy, so that as much as possible fits.
    #[must_use]
    pub fn of_much(text: &str) -> Self {
        let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::L);
        Self::drawn(code)
    }

    /// Whether the text fitted.
    pub(super) fn is_drawn(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn markup(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_is_a_bare_drawing_and_a_text_too_long_gives_none() {
        let drawing = Qr::of("otpauth://totp/Porteplume?secret=ABC").0;
        assert!(drawing.starts_with("<svg") && drawing.ends_with("</svg>") && !drawing.contains("style"));
        assert_eq!(Qr::of(&"x".repeat(5_000)).0, "");
    }
}
