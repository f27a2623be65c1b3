//! The fictional people of the demonstration. Nobody here exists; addresses end in `.example` (RFC 2606), telephone
//! numbers are absent, and the organisations' SIRET begin with 999, which INSEE does not issue.

use crate::view::Text;

/// A fictional organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoOrganisation {
    /// Short name, stable.
    pub key: &'static str,
    /// Name.
    pub name: &'static str,
    /// SIRET, with right check digits.
    pub siret: &'static str,
    /// Address on one line.
    pub address: &'static str,
    /// Town.
    pub town: &'static str,
    /// Telephone number, of those kept free for films.
    pub telephone: &'static str,
}

/// A library that is also a France services house of a small town.
pub const LIBRARY: DemoOrganisation = DemoOrganisation {
    key: "mediatheque",
    name: "Médiathèque de Valmarie, France services",
    siret: "99900010200015",
    address: "2, place de la République, 01990 Valmarie",
    town: "Valmarie",
    telephone: "04 65 71 00 10",
};

/// An association of social action.
pub const ASSOCIATION: DemoOrganisation = DemoOrganisation {
    key: "passerelles",
    name: "Association Les Passerelles",
    siret: "99900020100015",
    address: "14, rue des Ateliers, 01990 Valmarie",
    town: "Valmarie",
    telephone: "04 65 71 00 20",
};

/// Both organisations.
pub const ORGANISATIONS: [DemoOrganisation; 2] = [LIBRARY, ASSOCIATION];

/// What a professional is to Porteplume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Post {
    /// Registered aidant.
    Aidant(DemoOrganisation),
    /// Registered aidant who manages the organisation's aidants.
    Referent(DemoOrganisation),
    /// Reads the journal.
    Auditor,
    /// Somebody Porteplume does not know.
    Stranger,
}

impl Post {
    /// The organisation, where there is one.
    #[must_use]
    pub const fn organisation(self) -> Option<DemoOrganisation> {
        match self {
            Self::Aidant(organisation) | Self::Referent(organisation) => Some(organisation),
            Self::Auditor | Self::Stranger => None,
        }
    }
}

/// A fictional professional, as the agents' sandbox knows them.
#[derive(Debug, Clone, Copy)]
pub struct Agent {
    /// Short name, stable; also the subject of the tokens.
    pub key: &'static str,
    /// First name.
    pub given_name: &'static str,
    /// Name in use.
    pub usual_name: &'static str,
    /// Professional address, to which an invitation is bound.
    pub email: &'static str,
    /// What they are to Porteplume.
    pub post: Post,
    /// Whether their provider asks for a second factor (and says so).
    pub mfa: bool,
    /// Who they are, in one line.
    pub about: Text,
}

/// Four aidants, one of them referent; an auditor; a stranger.
pub const AGENTS: [Agent; 6] = [
    Agent {
        key: "nora-legoff",
        given_name: "Nora",
        usual_name: "Le Goff",
        email: "nora.legoff@mediatheque.valmarie.example",
        post: Post::Referent(LIBRARY),
        mfa: false,
        about: Text {
            fr: "Aidante et référente à la médiathèque de Valmarie",
            en: "Aidant and referent at the library of Valmarie",
        },
    },
    Agent {
        key: "samir-haddad",
        given_name: "Samir",
        usual_name: "Haddad",
        email: "samir.haddad@mediatheque.valmarie.example",
        post: Post::Aidant(LIBRARY),
        mfa: false,
        about: Text { fr: "Aidant à la médiathèque de Valmarie", en: "Aidant at the library of Valmarie" },
    },
    Agent {
        key: "claire-ndiaye",
        given_name: "Claire",
        usual_name: "Dubois-N’Diaye",
        email: "claire.ndiaye@passerelles.example",
        post: Post::Aidant(ASSOCIATION),
        mfa: false,
        about: Text {
            fr: "Aidante à l’association Les Passerelles",
            en: "Aidant at the association Les Passerelles",
        },
    },
    Agent {
        key: "thomas-keller",
        given_name: "Thomas",
        usual_name: "Keller",
        email: "thomas.keller@passerelles.example",
        post: Post::Aidant(ASSOCIATION),
        mfa: true,
        about: Text {
            fr: "Aidant à l’association Les Passerelles, connecté avec une clé de sécurité",
            en: "Aidant at the association Les Passerelles, signed in with a security key",
        },
    },
    Agent {
        key: "ines-ferrand",
        given_name: "Inès",
        usual_name: "Ferrand",
        email: "ines.ferrand@controle.example",
        post: Post::Auditor,
        mfa: true,
        about: Text { fr: "Auditrice, lit le journal", en: "Auditor, reads the journal" },
    },
    Agent {
        key: "paul-sorel",
        given_name: "Paul",
        usual_name: "Sorel",
        email: "paul.sorel@ailleurs.example",
        post: Post::Stranger,
        mfa: false,
        about: Text {
            fr: "Agent public que Porteplume ne connaît pas",
            en: "Public agent whom Porteplume does not know",
        },
    },
];

/// A fictional person, as the citizens' sandbox knows them: a pivot identity.
#[derive(Debug, Clone, Copy)]
pub struct Citizen {
    /// Short name, stable.
    pub key: &'static str,
    /// All first names.
    pub given_name: &'static str,
    /// Birth name.
    pub family_name: &'static str,
    /// Name in use, where different.
    pub preferred_username: Option<&'static str>,
    /// `male`, `female` or `unspecified`.
    pub gender: &'static str,
    /// As the civil register has it, `00` where unknown.
    pub birthdate: &'static str,
    /// COG code of the town, empty for those born abroad.
    pub birthplace: &'static str,
    /// COG code of the country.
    pub birthcountry: &'static str,
    /// E-mail address; not everybody has one.
    pub email: Option<&'static str>,
    /// Who they are, in one line.
    pub about: Text,
}

/// Five usagers: an aged person without e-mail, two who share all names and the birth date, one whose day and month
/// of birth are unknown, one whose names are in another script; and a minor, whom the service must refuse.
pub const CITIZENS: [Citizen; 6] = [
    Citizen {
        key: "rose-marchal",
        given_name: "Rose Yvonne Augustine",
        family_name: "Lhuillier",
        preferred_username: Some("Marchal"),
        gender: "female",
        birthdate: "1942-02-14",
        birthplace: "88160",
        birthcountry: "99100",
        email: None,
        about: Text {
            fr: "84 ans, retraitée, sans adresse e-mail",
            en: "84 years old, retired, without an e-mail address",
        },
    },
    Citizen {
        key: "jean-martin-paris",
        given_name: "Jean Michel",
        family_name: "Martin",
        preferred_username: None,
        gender: "male",
        birthdate: "1975-03-08",
        birthplace: "75112",
        birthcountry: "99100",
        email: Some("jean.martin@courriel.example"),
        about: Text { fr: "Né le 8 mars 1975 à Paris", en: "Born on 8 March 1975 in Paris" },
    },
    Citizen {
        key: "jean-martin-lyon",
        given_name: "Jean Michel",
        family_name: "Martin",
        preferred_username: None,
        gender: "male",
        birthdate: "1975-03-08",
        birthplace: "69383",
        birthcountry: "99100",
        email: Some("jm.martin@courriel.example"),
        about: Text {
            fr: "Né le 8 mars 1975 à Lyon : mêmes noms, même jour, autre personne",
            en: "Born on 8 March 1975 in Lyon: same names, same day, another person",
        },
    },
    Citizen {
        key: "khadija-ben-mbarek",
        given_name: "Khadija",
        family_name: "Ben M’Barek-El Amrani",
        preferred_username: None,
        gender: "female",
        birthdate: "1962-00-00",
        birthplace: "",
        birthcountry: "99352",
        email: Some("khadija@courriel.example"),
        about: Text {
            fr: "Née en 1962 en Algérie, jour et mois inconnus",
            en: "Born in 1962 in Algeria, day and month unknown",
        },
    },
    Citizen {
        key: "olena-shevchenko",
        given_name: "Олена-Марія",
        family_name: "Шевченко",
        preferred_username: Some("Shevchenko-D’Arc"),
        gender: "female",
        birthdate: "1988-11-30",
        birthplace: "",
        birthcountry: "99155",
        email: Some("olena@courriel.example"),
        about: Text {
            fr: "Née en Ukraine, noms de naissance en cyrillique",
            en: "Born in Ukraine, birth names in Cyrillic",
        },
    },
    Citizen {
        key: "lucas-nguessan",
        given_name: "Lucas Kouadio",
        family_name: "N’Guessan",
        preferred_username: None,
        gender: "male",
        birthdate: "2012-05-17",
        birthplace: "44109",
        birthcountry: "99100",
        email: Some("lucas@courriel.example"),
        about: Text {
            fr: "14 ans : un mineur ne peut pas donner de mandat",
            en: "14 years old: a minor cannot grant a mandate",
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mandate::BirthDate;
    use std::collections::BTreeSet;
    use time::macros::date;

    fn has_check_digit(number: &str) -> bool {
        let sum: u32 = number
            .bytes()
            .rev()
            .enumerate()
            .map(|(at, digit)| {
                let digit = u32::from(digit - b'0') * if at % 2 == 1 { 2 } else { 1 };
                digit / 10 + digit % 10
            })
            .sum();
        sum.is_multiple_of(10)
    }

    #[test]
    fn organisations_have_sound_numbers() {
        for organisation in ORGANISATIONS {
            assert_eq!(organisation.siret.len(), 14);
            assert!(has_check_digit(organisation.siret) && has_check_digit(organisation.siret.split_at(9).0));
        }
    }

    #[test]
    fn there_are_four_aidants_one_of_them_referent_one_auditor_and_one_stranger() {
        let count = |wanted: fn(Post) -> bool| AGENTS.iter().filter(|agent| wanted(agent.post)).count();
        assert_eq!(count(|post| post.organisation().is_some()), 4);
        assert_eq!(count(|post| matches!(post, Post::Referent(_))), 1);
        assert_eq!(count(|post| post == Post::Auditor), 1);
        assert_eq!(count(|post| post == Post::Stranger), 1);
        let addresses: BTreeSet<_> = AGENTS.iter().map(|agent| agent.email).collect();
        assert_eq!(addresses.len(), AGENTS.len());
    }

    #[test]
    fn five_citizens_may_grant_and_one_is_a_minor() {
        let keys: BTreeSet<_> = CITIZENS.iter().map(|citizen| citizen.key).collect();
        assert_eq!(keys.len(), CITIZENS.len());
        let minors: Vec<_> = CITIZENS
            .iter()
            .filter(|c| BirthDate::parse(c.birthdate).unwrap().may_be_minor(date!(2026 - 11 - 22)))
            .map(|citizen| citizen.key)
            .collect();
        assert_eq!(minors, ["lucas-nguessan"]);
    }
}
