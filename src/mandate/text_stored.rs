//! The text of a mandate laid out again from its stored bytes, which stay what was agreed to when the catalogue, the
//! organisation's name or the fixed sentences have changed since.

use super::text_fixed::{self as fixed, Fixed};
use super::{Block, Language, Section};

/// The stored French text in titled sections. Its first line, the version, is no part of any section.
#[must_use]
pub fn stored_sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("# ") {
            sections.push(Section { id: id_of(title), title: title.to_owned(), blocks: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else { continue };
        match (line.strip_prefix("## "), line.strip_prefix("- "), section.blocks.last_mut()) {
            (Some(name), _, _) => section.blocks.push(Block::Heading(name.to_owned())),
            (None, Some(item), Some(Block::List(items))) => items.push(item.to_owned()),
            (None, Some(item), _) => section.blocks.push(Block::List(vec![item.to_owned()])),
            (None, None, _) => section.blocks.push(Block::Paragraph(line.to_owned())),
        }
    }
    sections
}

/// The id of a section by its title; a title of another version has none of its own.
fn id_of(title: &str) -> &'static str {
    let known = fixed::SECTIONS.iter().chain([&fixed::PROCEDURES, &fixed::DURATION]);
    let found = known.map(Fixed::name).find(|(_, known)| *known == title);
    found.map_or("texte", |(id, _)| id)
}

impl Fixed {
    fn name(&self) -> (&'static str, String) {
        let section = self.section(Language::Fr);
        (section.id, section.title)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{catalogue, terms};
    use super::*;
    use crate::mandate::{MandateText, Term, binding_text};

    #[test]
    fn a_stored_text_is_laid_out_as_when_it_was_made() {
        let (terms, catalogue) = (terms(Term::Month), catalogue());
        let text = MandateText::of("Mairie de L’Haÿ-les-Roses", &terms, &catalogue).unwrap();
        assert_eq!(stored_sections(&binding_text(&text)), text.sections(Language::Fr));
    }

    #[test]
    fn a_text_of_another_version_is_still_shown() {
        let sections = stored_sections("porteplume-mandat/9 fr x\n\n# Nouveau titre\nMots.\n- un\n- deux\n");
        assert_eq!(sections.len(), 1);
        assert_eq!(sections[0].id, "texte");
        assert_eq!(sections[0].blocks[1], Block::List(vec!["un".to_owned(), "deux".to_owned()]));
        assert_eq!(stored_sections(""), Vec::new());
    }
}
