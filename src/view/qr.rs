//! QR codes, for what a paper must carry to a machine.

use crate::paper::Code;
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Modules of white that the standard asks for around a code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// A QR code, drawn here: no drawing from elsewhere ever stands in a page.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Qr {
    drawing: String,
    width: usize,
    dark: Vec<bool>,
}

impl Qr {
    /// The QR code of a text; an empty drawing when the text is too long for one (the text itself always stands
    /// beside it).
    #[must_use]
    pub fn of(text: &str) -> Self {
        QrCode::new(text).map(|code| Self::from(&code)).unwrap_or_default()
    }

    /// The QR code of a long text: the least redundancy, so that as much as possible fits.
    #[must_use]
    pub fn of_much(text: &str) -> Self {
        let code = QrCode::with_error_correction_level(text, EcLevel::L);
        code.map(|code| Self::from(&code)).unwrap_or_default()
    }

    /// Whether the text fitted.
    pub(super) fn is_drawn(&self) -> bool {
        !self.drawing.is_empty()
    }

    pub(super) fn markup(&self) -> &str {
        &self.drawing
    }

    /// The same for a PDF, so many millimetres wide.
    pub(super) fn code(&self, alt: String, side: u8) -> Option<Code> {
        self.is_drawn().then(|| Code { width: self.width, dark: self.dark.clone(), alt, side })
    }
}

impl From<&QrCode> for Qr {
    fn from(code: &QrCode) -> Self {
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Self { drawing: drawn(code), width: code.width(), dark }
    }
}

/// The drawing: one stroke for each run of dark modules, since a square for each would outweigh the page.
fn drawn(code: &QrCode) -> String {
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(code.width()).enumerate() {
        let mut end = None;
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                // Writing to a String cannot fail.
                let _ = match end {
                    None => write!(path, "M{x} {y}h{}", run.len()),
                    Some(end) => write!(path, "m{} 0h{}", x - end, run.len()),
                };
                end = Some(x + run.len());
            }
            x += run.len();
        }
    }
    let side = code.width() + 2 * QUIET;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
         <path fill=\"none\" stroke=\"#000\" transform=\"translate({QUIET} {QUIET}.5)\" d=\"{path}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which modules a drawing's strokes cover.
    fn covered(drawing: &str, width: usize) -> Vec<Color> {
        let (_, strokes) = drawing.rsplit_once(" d=\"").unwrap();
        let strokes = strokes.strip_suffix("\"/></svg>").unwrap();
        let mut colors = vec![Color::Light; width * width];
        for row in strokes.split('M').skip(1) {
            let (mut x, mut y) = (0, 0);
            for (number, stroke) in row.split('m').enumerate() {
                let (to, length) = stroke.split_once('h').unwrap();
                let (dx, dy) = to.split_once(' ').unwrap();
                x += dx.parse::<usize>().unwrap();
                assert!(number == 0 || dy == "0");
                y += dy.parse::<usize>().unwrap();
                let length: usize = length.parse().unwrap();
                colors[y * width + x..][..length].fill(Color::Dark);
                x += length;
            }
        }
        colors
    }

    #[test]
    fn the_drawing_covers_exactly_the_dark_modules() {
        for text in ["otpauth://totp/Porteplume?secret=ABC", &"c2sp.org/tlog-proof@v1 ".repeat(60)] {
            let code = QrCode::new(text).unwrap();
            assert!(covered(&Qr::of(text).drawing, code.width()) == code.to_colors());
        }
    }

    #[test]
    fn a_qr_code_is_a_bare_drawing_and_a_text_too_long_gives_none() {
        let drawing = Qr::of("otpauth://totp/Porteplume?secret=ABC").drawing;
        assert!(drawing.starts_with("<svg") && drawing.ends_with("</svg>") && !drawing.contains("style"));
        assert!(Qr::of_much(&"x".repeat(1_500)).drawing.len() < 60_000);
        assert_eq!(Qr::of(&"x".repeat(5_000)).drawing, "");
    }
}
