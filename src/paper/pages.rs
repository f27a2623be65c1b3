//! Rows to pages, pages to a PDF.

use super::flow::{BODY, COLUMN, Child, Drawn, MILLIMETRE, Node, PADDING, Role, Row};
use super::text::{Face, Line, Typesetter};
use super::{ATTACHED, Code, Document, PaperError};
use krilla::SerializeSettings;
use krilla::color::luma;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, BBox, ContentTag, Identifier, ListNumbering, Node as TagNode, SpanTag,
    TableHeaderScope, Tag, TagGroup, TagKind, TagTree,
};
use std::collections::BTreeMap;
use std::num::NonZeroU16;
use time::OffsetDateTime;

/// A4, in points.
const WIDTH: f32 = 210.0 * MILLIMETRE;
const HEIGHT: f32 = 297.0 * MILLIMETRE;
const MARGIN: f32 = 20.0 * MILLIMETRE;
/// What the foot of a page takes.
const FOOT: f32 = 28.0;
const BOTTOM: f32 = HEIGHT - MARGIN - FOOT;
/// Modules of white around a QR code (ISO/IEC 18004, 6.3.8).
const QUIET: u16 = 4;

/// A row where it stands: from the top of its page, in points.
pub(super) struct Placed {
    y: f32,
    row: Row,
}

/// Where the rows stand: page by page. What keeps together does, as long as a page can hold it.
pub(super) fn paginate(rows: Vec<Row>) -> Vec<Vec<Placed>> {
    let mut pages: Vec<Vec<Placed>> = Vec::new();
    let (mut page, mut y) = (Vec::new(), MARGIN);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut group = Vec::new();
        while let Some(row) = rows.next() {
            let keeps = row.keeps && rows.peek().is_some_and(|next| !next.turns);
            group.push(row);
            if !keeps {
                break;
            }
        }
        let height: f32 = group.iter().map(|row| row.before + row.height).sum();
        let framed = if group.iter().any(|row| row.frame.is_some()) { PADDING } else { 0.0 };
        let turns = group.first().is_some_and(|row| row.turns);
        if !page.is_empty() && (turns || y + height + framed > BOTTOM) {
            pages.push(std::mem::take(&mut page));
            y = MARGIN;
        }
        for row in group {
            if !page.is_empty() && y + row.before + row.height > BOTTOM {
                pages.push(std::mem::take(&mut page));
                y = MARGIN;
            }
            let before = match (page.is_empty(), row.frame) {
                (true, None) => 0.0,
                (true, Some(_)) => PADDING,
                (false, _) => row.before,
            };
            y += before;
            let height = row.height;
            page.push(Placed { y, row });
            y += height;
        }
    }
    if !page.is_empty() {
        pages.push(page);
    }
    pages
}

/// What was drawn for a leaf.
struct Leaf {
    tag: Identifier,
    page: usize,
    bounds: Option<Rect>,
    y: f32,
}

/// Writes the pages down.
pub(super) fn write(
    setter: &mut Typesetter,
    document: Document,
    sheets: Vec<Vec<Placed>>,
    tree: &[Node],
) -> Result<Vec<u8>, PaperError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|_| PaperError("the standards do not go together"))?;
    let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
    let mut pdf = krilla::Document::new_with(settings);
    let made_at = date(document.made_at);
    pdf.set_metadata(
        Metadata::new()
            .title(document.title)
            .authors(vec![document.author])
            .creator("Porteplume".to_owned())
            .language(document.language.to_owned())
            .creation_date(made_at),
    );
    let attached = pdf.embed_file(EmbeddedFile {
        path: ATTACHED.to_owned(),
        mime_type: MimeType::new("application/json"),
        description: Some(document.attachment.description),
        association_kind: AssociationKind::Data,
        data: document.attachment.data.into(),
        modification_date: Some(made_at),
        compress: Some(true),
        location: None,
    });
    attached.ok_or(PaperError("the file was not attached"))?;
    let last = sheets.len();
    let mut leaves = BTreeMap::new();
    for (number, sheet) in sheets.into_iter().enumerate() {
        let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(PaperError("a page has no size"))?;
        let mut page = pdf.start_page_with(size);
        let mut surface = page.surface();
        for frame in frames(&sheet) {
            artifact(&mut surface, ArtifactType::Layout, |surface| dashed(surface, frame));
        }
        for placed in sheet {
            place(&mut surface, placed, number, &mut leaves);
        }
        let foot = format!("{} – {} / {last}", document.foot, number + 1);
        let foot = setter.set(&foot, Face { size: 10.0, ..BODY }, COLUMN);
        artifact(&mut surface, ArtifactType::Footer, |surface| {
            for line in &foot {
                draw(surface, line, MARGIN, HEIGHT - MARGIN - line.height + line.baseline);
            }
        });
        surface.finish();
        page.finish();
    }
    pdf.set_outline(outline(tree, &leaves));
    let mut tags = TagTree::new().with_lang(Some(document.language.to_owned()));
    for node in tree {
        tags.push(group(node, &leaves));
    }
    pdf.set_tag_tree(tags);
    pdf.finish().map_err(|_| PaperError("it breaks PDF/A-3a or PDF/UA-1"))
}

fn date(at: OffsetDateTime) -> DateTime {
    let at = at.to_offset(time::UtcOffset::UTC);
    DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(at.month().into())
        .day(at.day())
        .hour(at.hour())
        .minute(at.minute())
        .second(at.second())
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// What is no part of the text: it is not read aloud.
fn artifact(surface: &mut Surface<'_>, kind: ArtifactType, draw: impl FnOnce(&mut Surface<'_>)) {
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(kind)));
    draw(surface);
    surface.end_tagged();
}

fn place(surface: &mut Surface<'_>, placed: Placed, page: usize, leaves: &mut BTreeMap<usize, Leaf>) {
    let Placed { y, row } = placed;
    if row.ruled {
        artifact(surface, ArtifactType::Layout, |surface| rule(surface, y + row.height, row.frame.is_some()));
    }
    for mark in row.marks {
        let (x, y) = (MARGIN + mark.x, y + mark.y);
        let leaf = match mark.what {
            Drawn::Line(line) => {
                let tag = surface.start_tagged(ContentTag::Span(SpanTag::empty()));
                draw(surface, &line, x, y + line.baseline);
                Leaf { tag, page, bounds: Rect::from_xywh(x, y, line.width.max(1.0), line.height), y }
            }
            Drawn::Code(code) => {
                let tag = surface.start_tagged(ContentTag::Other);
                let side = f32::from(code.side) * MILLIMETRE;
                modules(surface, &code, (x, y, side));
                Leaf { tag, page, bounds: Rect::from_xywh(x, y, side, side), y }
            }
        };
        surface.end_tagged();
        leaves.insert(mark.leaf, leaf);
    }
}

fn black() -> Fill {
    Fill { paint: luma::Color::black().into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

fn draw(surface: &mut Surface<'_>, line: &Line, x: f32, baseline: f32) {
    surface.set_stroke(None);
    surface.set_fill(Some(black()));
    for run in &line.runs {
        let start = Point::from_xy(x + run.x, baseline);
        surface.draw_glyphs(start, &run.glyphs, run.font.clone(), &line.text, run.size, false);
    }
}

/// A QR code: a box for each run of dark modules.
fn modules(surface: &mut Surface<'_>, code: &Code, (x, y, side): (f32, f32, f32)) {
    let count = u16::try_from(code.width).unwrap_or(u16::MAX);
    let module = side / f32::from(count.saturating_add(2 * QUIET));
    let at = |modules: usize| f32::from(u16::try_from(modules).unwrap_or(u16::MAX)) * module;
    let mut path = PathBuilder::new();
    for (line, row) in code.dark.chunks(code.width.max(1)).enumerate() {
        let mut from = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&true) {
                let quiet = f32::from(QUIET) * module;
                let (left, top) = (x + quiet + at(from), y + quiet + at(line));
                if let Some(rect) = Rect::from_xywh(left, top, at(run.len()), module) {
                    path.push_rect(rect);
                }
            }
            from += run.len();
        }
    }
    if let Some(path) = path.finish() {
        surface.set_stroke(None);
        surface.set_fill(Some(black()));
        surface.draw_path(&path);
    }
}

fn stroke(surface: &mut Surface<'_>, path: &Path, (width, dash): (f32, Option<StrokeDash>)) {
    let paint = luma::Color::new(if dash.is_some() { 0 } else { 150 }).into();
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke { paint, width, dash, ..Stroke::default() }));
    surface.draw_path(path);
    surface.set_stroke(None);
}

fn rule(surface: &mut Surface<'_>, y: f32, framed: bool) {
    let inset = if framed { PADDING } else { 0.0 };
    let mut path = PathBuilder::new();
    path.move_to(MARGIN + inset, y);
    path.line_to(WIDTH - MARGIN - inset, y);
    if let Some(path) = path.finish() {
        stroke(surface, &path, (0.6, None));
    }
}

/// The frames of a page: from the first row within to the last.
fn frames(sheet: &[Placed]) -> Vec<Rect> {
    let mut spans: BTreeMap<usize, (f32, f32)> = BTreeMap::new();
    for placed in sheet {
        if let Some(frame) = placed.row.frame {
            let bottom = placed.y + placed.row.height;
            let span = spans.entry(frame).or_insert((placed.y, bottom));
            *span = (span.0.min(placed.y), span.1.max(bottom));
        }
    }
    let frame =
        |(top, bottom): &(f32, f32)| Rect::from_ltrb(MARGIN, top - PADDING, WIDTH - MARGIN, bottom + PADDING);
    spans.values().filter_map(frame).collect()
}

fn dashed(surface: &mut Surface<'_>, frame: Rect) {
    let mut path = PathBuilder::new();
    path.push_rect(frame);
    if let Some(path) = path.finish() {
        stroke(surface, &path, (1.2, Some(StrokeDash { array: vec![6.0, 4.0], offset: 0.0 })));
    }
}

fn first_leaf(node: &Node) -> Option<usize> {
    node.children.iter().find_map(|child| match child {
        Child::Leaf(leaf) => Some(*leaf),
        Child::Node(node) => first_leaf(node),
    })
}

/// The titles of the sections, to go to.
fn outline(tree: &[Node], leaves: &BTreeMap<usize, Leaf>) -> Outline {
    let mut outline = Outline::new();
    let mut titles = Vec::new();
    collect(tree.iter(), &mut titles);
    for (title, node) in titles {
        if let Some(leaf) = first_leaf(node).and_then(|leaf| leaves.get(&leaf)) {
            let to = XyzDestination::new(leaf.page, Point::from_xy(0.0, leaf.y));
            outline.push_child(OutlineNode::new(title.to_owned(), to));
        }
    }
    outline
}

fn collect<'a>(nodes: impl Iterator<Item = &'a Node>, titles: &mut Vec<(&'a str, &'a Node)>) {
    for node in nodes {
        if let Role::Heading(1 | 2, title) = &node.role {
            titles.push((title, node));
        }
        let below = node.children.iter().filter_map(|child| match child {
            Child::Node(node) => Some(node),
            Child::Leaf(_) => None,
        });
        collect(below.collect::<Vec<_>>().into_iter(), titles);
    }
}

fn group(node: &Node, leaves: &BTreeMap<usize, Leaf>) -> TagNode {
    let mut group = TagGroup::new(kind(node, leaves));
    for child in &node.children {
        match child {
            Child::Node(node) => group.push(self::group(node, leaves)),
            Child::Leaf(leaf) => {
                if let Some(leaf) = leaves.get(leaf) {
                    group.push(leaf.tag);
                }
            }
        }
    }
    TagNode::Group(group)
}

fn kind(node: &Node, leaves: &BTreeMap<usize, Leaf>) -> TagKind {
    match &node.role {
        Role::Heading(level, title) => {
            let level = NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN);
            Tag::Hn(level, Some(title.clone())).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::List => Tag::L(ListNumbering::Disc).into(),
        Role::Item => Tag::LI.into(),
        Role::Bullet => Tag::Lbl.into(),
        Role::Words => Tag::LBody.into(),
        Role::Table => Tag::Table.into(),
        Role::TableRow => Tag::TR.into(),
        Role::Label => Tag::TH(TableHeaderScope::Row).into(),
        Role::Cell => Tag::TD.into(),
        Role::Section => Tag::Section.into(),
        Role::In(language) => Tag::Section.with_lang(Some((*language).to_owned())).into(),
        Role::Figure(alt) => {
            let drawn = first_leaf(node).and_then(|leaf| leaves.get(&leaf));
            let bounds = drawn.and_then(|leaf| Some(BBox::new(leaf.page, leaf.bounds?)));
            Tag::Figure(Some(alt.clone())).with_bbox(bounds).into()
        }
    }
}
