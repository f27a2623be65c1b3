//! Blocks to rows, one below the other, and to the tree of what they mean.

use super::text::{Face, Line, Typesetter};
use super::{Block, Code, Fact};

/// Body text: large enough for tired eyes (12 points at the least).
pub(super) const BODY: Face = Face { size: 12.0, bold: false };
const STRONG: Face = Face { size: 12.0, bold: true };
const TITLE: Face = Face { size: 22.0, bold: true };
const HEADING: Face = Face { size: 16.0, bold: true };
const SUBHEADING: Face = Face { size: 13.0, bold: true };
/// What one measures by, in points.
pub(super) const MILLIMETRE: f32 = 72.0 / 25.4;
/// Width of the text, in points: A4 less 20 mm on each side.
pub(super) const COLUMN: f32 = 170.0 * MILLIMETRE;
/// Width of the first column of facts.
const LABELS: f32 = 150.0;
const BULLET: f32 = 16.0;
/// Space inside the frame of what is cut out.
pub(super) const PADDING: f32 = 14.0;

/// A row: what stands side by side, and is never parted.
pub(super) struct Row {
    /// Space above, except at the top of a page.
    pub(super) before: f32,
    pub(super) height: f32,
    /// Whether it stays with the row that follows.
    pub(super) keeps: bool,
    /// Whether it begins a page.
    pub(super) turns: bool,
    /// The frame it stands in, by number.
    pub(super) frame: Option<usize>,
    /// Whether a thin line closes it.
    pub(super) ruled: bool,
    pub(super) marks: Vec<Mark>,
}

/// Something to draw, as a leaf of the tree.
pub(super) struct Mark {
    pub(super) leaf: usize,
    pub(super) x: f32,
    /// From the top of the row.
    pub(super) y: f32,
    pub(super) what: Drawn,
}

pub(super) enum Drawn {
    Line(Line),
    Code(Code),
}

/// What a node of the tree means.
pub(super) enum Role {
    Heading(u16, String),
    Paragraph,
    List,
    Item,
    Bullet,
    Words,
    Table,
    TableRow,
    Label,
    Cell,
    Figure(String),
    Section,
    /// Another language.
    In(&'static str),
}

pub(super) enum Child {
    Node(Node),
    Leaf(usize),
}

pub(super) struct Node {
    pub(super) role: Role,
    pub(super) children: Vec<Child>,
}

/// A document as rows, with the tree of what they mean.
pub(super) struct Flowed {
    pub(super) rows: Vec<Row>,
    pub(super) tree: Vec<Node>,
}

pub(super) fn flow(setter: &mut Typesetter, blocks: &[Block]) -> Flowed {
    let mut flow =
        Flow { setter, rows: Vec::new(), leaves: 0, frames: 0, frame: None, turns: false, gap: 0.0 };
    let tree = blocks.iter().filter_map(|block| flow.block(block)).collect();
    Flowed { rows: flow.rows, tree }
}

struct Flow<'a> {
    setter: &'a mut Typesetter,
    rows: Vec<Row>,
    leaves: usize,
    frames: usize,
    frame: Option<usize>,
    turns: bool,
    /// More space above the row that follows a frame.
    gap: f32,
}

impl Flow<'_> {
    fn block(&mut self, block: &Block) -> Option<Node> {
        let node = match block {
            Block::Title(text) => self.heading(text, (TITLE, 1, 0.0)),
            Block::Heading(text) => self.heading(text, (HEADING, 2, 22.0)),
            Block::Subheading(text) => self.heading(text, (SUBHEADING, 3, 14.0)),
            Block::Paragraph(text) => self.paragraph(text, BODY),
            Block::Strong(text) => self.paragraph(text, STRONG),
            Block::List(items) => self.list(items),
            Block::Facts(facts) => self.facts(facts),
            Block::Code(code) => self.code(code),
            Block::Cut(blocks) => self.cut(blocks),
            Block::In(language, blocks) => {
                let children = self.all(blocks);
                Node { role: Role::In(language), children }
            }
            Block::NewPage => {
                self.turns = true;
                return None;
            }
        };
        (!node.children.is_empty()).then_some(node)
    }

    fn all(&mut self, blocks: &[Block]) -> Vec<Child> {
        blocks.iter().filter_map(|block| self.block(block)).map(Child::Node).collect()
    }

    const fn indent(&self) -> f32 {
        if self.frame.is_some() { PADDING } else { 0.0 }
    }

    const fn column(&self) -> f32 {
        COLUMN - 2.0 * self.indent()
    }

    const fn leaf(&mut self) -> usize {
        self.leaves += 1;
        self.leaves - 1
    }

    fn push(&mut self, before: f32, height: f32, keeps: bool, marks: Vec<Mark>) {
        let turns = std::mem::take(&mut self.turns);
        let before = before + std::mem::take(&mut self.gap);
        let frame = self.frame;
        self.rows.push(Row { before, height, keeps, turns, frame, ruled: false, marks });
    }

    /// A text, a row for each line; no line is left alone at the end or the top of a page.
    fn lines(&mut self, text: &str, face: Face, (x, before, keeps): (f32, f32, bool)) -> Vec<Child> {
        let indent = self.indent() + x;
        let lines = self.setter.set(text, face, self.column() - x);
        let last = lines.len().saturating_sub(1);
        let mut children = Vec::new();
        for (number, line) in lines.into_iter().enumerate() {
            let leaf = self.leaf();
            children.push(Child::Leaf(leaf));
            let alone = number == 0 || number + 1 == last;
            let keeps = if number == last { keeps } else { keeps || alone };
            let (before, height) = (if number == 0 { before } else { 0.0 }, line.height);
            self.push(before, height, keeps, vec![Mark { leaf, x: indent, y: 0.0, what: Drawn::Line(line) }]);
        }
        children
    }

    fn heading(&mut self, text: &str, (face, level, before): (Face, u16, f32)) -> Node {
        let children = self.lines(text, face, (0.0, before, true));
        Node { role: Role::Heading(level, text.to_owned()), children }
    }

    fn paragraph(&mut self, text: &str, face: Face) -> Node {
        let children = self.lines(text, face, (0.0, 7.0, false));
        Node { role: Role::Paragraph, children }
    }

    fn list(&mut self, items: &[String]) -> Node {
        let mut children = Vec::new();
        for (number, item) in items.iter().enumerate() {
            let start = self.rows.len();
            // The first item stays with what announces it, the last one with the one before.
            if number == 0 || number + 1 == items.len() {
                self.keep();
            }
            let words = self.lines(item, BODY, (BULLET, 4.0, false));
            let bullet = self.setter.set("•", BODY, BULLET).into_iter().next();
            let (x, leaf) = (self.indent(), self.leaf());
            let mut label = Vec::new();
            if let (Some(line), Some(row)) = (bullet, self.rows.get_mut(start)) {
                row.marks.insert(0, Mark { leaf, x, y: 0.0, what: Drawn::Line(line) });
                label.push(Child::Leaf(leaf));
            }
            let parts = vec![
                Child::Node(Node { role: Role::Bullet, children: label }),
                Child::Node(Node { role: Role::Words, children: words }),
            ];
            children.push(Child::Node(Node { role: Role::Item, children: parts }));
        }
        Node { role: Role::List, children }
    }

    fn facts(&mut self, facts: &[Fact]) -> Node {
        let start = self.rows.len();
        let children = facts.iter().map(|fact| Child::Node(self.fact(fact))).collect();
        // A short table is not parted: number and code are read together.
        let rows = self.rows.get_mut(start..).unwrap_or_default();
        if let Some((_, before)) = rows.split_last_mut().filter(|(_, before)| before.len() < 3) {
            for row in before {
                row.keeps = true;
            }
        }
        Node { role: Role::Table, children }
    }

    fn fact(&mut self, fact: &Fact) -> Node {
        let mut marks = Vec::new();
        let set_in = if fact.strong { STRONG } else { BODY };
        let x = self.indent();
        let (label, left) = self.column_of(&[&fact.label], BODY, (x, LABELS - 10.0), &mut marks);
        let lines: Vec<&str> = fact.lines.iter().map(String::as_str).collect();
        let width = self.column() - LABELS;
        let (cell, right) = self.column_of(&lines, set_in, (x + LABELS, width), &mut marks);
        self.push(5.0, left.max(right) + 4.0, false, marks);
        if let Some(row) = self.rows.last_mut() {
            row.ruled = true;
        }
        let parts = vec![
            Child::Node(Node { role: Role::Label, children: label }),
            Child::Node(Node { role: Role::Cell, children: cell }),
        ];
        Node { role: Role::TableRow, children: parts }
    }

    /// Texts below one another in a column, and how high they stand.
    fn column_of(
        &mut self,
        texts: &[&str],
        face: Face,
        (x, width): (f32, f32),
        marks: &mut Vec<Mark>,
    ) -> (Vec<Child>, f32) {
        let (mut y, mut children) = (0.0, Vec::new());
        for text in texts {
            for line in self.setter.set(text, face, width) {
                let leaf = self.leaf();
                children.push(Child::Leaf(leaf));
                let height = line.height;
                marks.push(Mark { leaf, x, y, what: Drawn::Line(line) });
                y += height;
            }
        }
        (children, y)
    }

    /// The last row stays with the one that follows.
    fn keep(&mut self) {
        if let Some(row) = self.rows.last_mut() {
            row.keeps = true;
        }
    }

    fn code(&mut self, code: &Code) -> Node {
        self.keep();
        let leaf = self.leaf();
        let mark = Mark { leaf, x: self.indent(), y: 0.0, what: Drawn::Code(code.clone()) };
        self.push(8.0, f32::from(code.side) * MILLIMETRE, false, vec![mark]);
        Node { role: Role::Figure(code.alt.clone()), children: vec![Child::Leaf(leaf)] }
    }

    fn cut(&mut self, blocks: &[Block]) -> Node {
        let outer = self.frame.replace(self.frames);
        self.frames += 1;
        let start = self.rows.len();
        let children = self.all(blocks);
        self.frame = outer;
        let within = self.rows.get_mut(start..).unwrap_or_default();
        if let Some((last, before)) = within.split_last_mut() {
            last.keeps = false;
            for row in before {
                row.keeps = true;
            }
        }
        if let Some(first) = within.first_mut() {
            first.before = 26.0 + PADDING;
        }
        self.gap = 12.0 + PADDING;
        Node { role: Role::Section, children }
    }
}
