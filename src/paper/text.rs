//! Text to lines of glyphs: shaped, broken, from right to left where the script is.

use super::PaperError;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use parley::fontique::{Blob, Collection, CollectionOptions, SourceCache};
use parley::{
    Alignment, FontContext, FontFamily, FontWeight, Layout, LayoutContext, LineHeight, OverflowWrap,
    StyleProperty,
};
use std::ops::Range;
use std::sync::Arc;

/// Of a line's height to the size of its letters: generous, for those who read with effort.
const LEADING: f32 = 1.4;

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Face {
    /// Size of the letters, in points.
    pub(super) size: f32,
    pub(super) bold: bool,
}

/// One line of a text.
pub(super) struct Line {
    pub(super) height: f32,
    /// From the top of the line, in points.
    pub(super) baseline: f32,
    pub(super) width: f32,
    /// The whole text, of which the glyphs name their parts.
    pub(super) text: Arc<str>,
    pub(super) runs: Vec<Run>,
}

/// A run of glyphs of one font, in the order they are seen.
pub(super) struct Run {
    pub(super) font: Font,
    pub(super) size: f32,
    pub(super) x: f32,
    pub(super) glyphs: Vec<KrillaGlyph>,
}

/// The fonts, and what sets text in them.
pub(super) struct Typesetter {
    fonts: FontContext,
    layouts: LayoutContext<()>,
    /// The same fonts for the PDF, by their identity in the layout.
    faces: Vec<(u64, Font)>,
}

impl Typesetter {
    pub(super) fn new() -> Result<Self, PaperError> {
        let options = CollectionOptions { shared: false, system_fonts: false };
        let mut fonts =
            FontContext { collection: Collection::new(options), source_cache: SourceCache::default() };
        let mut faces = Vec::new();
        for data in [dejavu::sans::regular(), dejavu::sans::bold()] {
            let blob = Blob::new(Arc::new(data));
            faces.push((blob.id(), Font::new(data.into(), 0).ok_or(PaperError("a font cannot be read"))?));
            fonts.collection.register_fonts(blob, None);
        }
        Ok(Self { fonts, layouts: LayoutContext::new(), faces })
    }

    /// The lines of a text in a column that wide, in points. An empty text has none.
    pub(super) fn set(&mut self, text: &str, face: Face, width: f32) -> Vec<Line> {
        let text = printable(text);
        let layout = self.lay(&text, face, width);
        let missing = missing(&layout);
        if missing.is_empty() {
            return self.lines(&layout, &text);
        }
        let text = without(&text, &missing);
        let layout = self.lay(&text, face, width);
        self.lines(&layout, &text)
    }

    fn lay(&mut self, text: &str, face: Face, width: f32) -> Layout<()> {
        let mut builder = self.layouts.ranged_builder(&mut self.fonts, text, 1.0, false);
        builder.push_default(StyleProperty::FontFamily(FontFamily::named("DejaVu Sans")));
        builder.push_default(StyleProperty::FontSize(face.size));
        builder.push_default(StyleProperty::LineHeight(LineHeight::FontSizeRelative(LEADING)));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
        let weight = if face.bold { FontWeight::BOLD } else { FontWeight::NORMAL };
        builder.push_default(StyleProperty::FontWeight(weight));
        let mut layout = builder.build(text);
        layout.break_all_lines(Some(width));
        layout.align(Alignment::Left, parley::AlignmentOptions::default());
        layout
    }

    fn lines(&self, layout: &Layout<()>, text: &str) -> Vec<Line> {
        let text: Arc<str> = text.into();
        let mut top = 0.0;
        let mut lines = Vec::new();
        for line in layout.lines() {
            let metrics = line.metrics();
            let mut x = metrics.offset;
            let mut runs = Vec::new();
            for run in line.runs() {
                let start = x;
                let (size, id) = (run.font_size(), run.font().data.id());
                let glyphs = glyphs(&run, size, &mut x);
                let font = self.faces.iter().find(|(known, _)| *known == id).map(|(_, font)| font.clone());
                if let Some(font) = font.filter(|_| !glyphs.is_empty()) {
                    runs.push(Run { font, size, x: start, glyphs });
                }
            }
            lines.push(Line {
                height: metrics.line_height,
                baseline: metrics.baseline - top,
                width: metrics.advance,
                text: Arc::clone(&text),
                runs,
            });
            top += metrics.line_height;
        }
        lines
    }
}

/// The glyphs of a run, each with the part of the text it stands for: that is what is read aloud, searched and copied.
fn glyphs(run: &parley::layout::Run<'_, ()>, size: f32, x: &mut f32) -> Vec<KrillaGlyph> {
    let mut glyphs: Vec<KrillaGlyph> = Vec::new();
    // From right to left, the rest of a ligature comes before the ligature.
    let mut rest: Option<Range<usize>> = None;
    for cluster in run.visual_clusters() {
        let range = cluster.text_range();
        if cluster.is_ligature_continuation() {
            if run.is_rtl() {
                rest = Some(joined(rest, range));
            } else if let Some(glyph) = glyphs.last_mut() {
                glyph.text_range.end = range.end;
            }
            continue;
        }
        let range = joined(rest.take(), range);
        for glyph in cluster.glyphs() {
            let (advance, dx, dy) = (glyph.advance / size, glyph.x / size, -glyph.y / size);
            glyphs.push(KrillaGlyph::new(GlyphId::new(glyph.id), advance, dx, dy, 0.0, range.clone(), None));
            *x += glyph.advance;
        }
    }
    glyphs
}

fn joined(before: Option<Range<usize>>, range: Range<usize>) -> Range<usize> {
    before.map_or(range.clone(), |before| range.start.min(before.start)..range.end.max(before.end))
}

/// The parts of a text for which no font has a glyph.
fn missing(layout: &Layout<()>) -> Vec<Range<usize>> {
    let mut missing = Vec::new();
    for line in layout.lines() {
        for run in line.runs() {
            for cluster in run.clusters().filter(|cluster| cluster.glyphs().any(|glyph| glyph.id == 0)) {
                missing.push(cluster.text_range());
            }
        }
    }
    missing
}

fn without(text: &str, missing: &[Range<usize>]) -> String {
    let lacks = |at: usize| missing.iter().any(|range| range.contains(&at));
    text.char_indices().map(|(at, c)| if lacks(at) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A text without what cannot be printed, or has no meaning known to all (ISO 19005-3, 6.2.11.7.3).
fn printable(text: &str) -> String {
    let printed = |c: char| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
            char::REPLACEMENT_CHARACTER
        }
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(printed).collect()
}
