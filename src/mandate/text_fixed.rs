//! The sentences every mandate shares, French first. The French ones bind: a change here changes
//! [`super::TEXT_VERSION`].

use super::{Block, Language, Section};

type Pair = (&'static str, &'static str);

/// A section whose words do not depend on the mandate: paragraphs, then a list, then paragraphs.
pub(super) struct Fixed {
    pub(super) id: &'static str,
    pub(super) title: Pair,
    pub(super) before: &'static [Pair],
    pub(super) items: &'static [Pair],
    pub(super) after: &'static [Pair],
}

impl Fixed {
    pub(super) fn section(&self, language: Language) -> Section {
        let say = |pair: &Pair| match language {
            Language::Fr => pair.0.to_owned(),
            Language::En => pair.1.to_owned(),
        };
        let mut blocks: Vec<_> = self.before.iter().map(|pair| Block::Paragraph(say(pair))).collect();
        if !self.items.is_empty() {
            blocks.push(Block::List(self.items.iter().map(say).collect()));
        }
        blocks.extend(self.after.iter().map(|pair| Block::Paragraph(say(pair))));
        Section { id: self.id, title: say(&self.title), blocks }
    }
}

/// The list's frame; the procedures follow.
pub(super) const PROCEDURES: Fixed = Fixed {
    id: "demarches",
    title: ("Les démarches", "The procedures"),
    before: &[(
        "L’aidant peut faire seulement ce qui est écrit dans cette liste. Tout le reste lui est interdit.",
        "The aidant can do only what is written in this list. Everything else is forbidden to them.",
    )],
    items: &[],
    after: &[],
};

/// The duration's frame; how long goes after the first sentence.
pub(super) const DURATION: Fixed = Fixed {
    id: "duree",
    title: ("La durée", "How long"),
    before: &[
        (
            "Le mandat commence quand la structure donne son accord, après vous.",
            "The mandate starts when the organisation gives its agreement, after you.",
        ),
        (
            "Il ne dure jamais plus de 365\u{a0}jours. Il ne se renouvelle pas tout seul.",
            "It never lasts more than 365\u{a0}days. It does not renew itself.",
        ),
        (
            "La date de début et la date de fin sont écrites sous ce texte, avec les deux accords.",
            "The start date and the end date are written below this text, with the two agreements.",
        ),
    ],
    items: &[],
    after: &[],
};

/// The others in order; the first is completed by the organisation's name, the list and the duration
/// come after it.
pub(super) const SECTIONS: &[Fixed; 9] = &[
    Fixed {
        id: "objet",
        title: ("Ce mandat", "This mandate"),
        before: &[
            (
                "Un mandat est un contrat. Il suit les articles 1984 et suivants du Code civil.",
                "A mandate is a contract. It follows articles 1984 and following of the French Civil Code.",
            ),
            (
                "Les personnes qui agissent pour vous sont les aidants de cette structure. Ce sont des \
                 professionnels habilités. Le nom de l’aidant est noté à chaque fois.",
                "The people who act for you are the aidants of this organisation. They are registered \
                 professionals. The aidant’s name is recorded each time.",
            ),
            ("Cette aide est gratuite.", "This help is free of charge."),
        ],
        items: &[],
        after: &[],
    },
    Fixed {
        id: "canaux",
        title: ("Où ce mandat est valable", "Where this mandate is valid"),
        before: &[
            (
                "Il est valable en ligne, sur les sites des services reliés à Porteplume. Vous pouvez être à côté \
                 de l’aidant ou non.",
                "It is valid online, on the sites of the services connected to Porteplume. You may be beside the \
                 aidant or not.",
            ),
            (
                "Il n’est pas valable au guichet, par courrier ou par téléphone.",
                "It is not valid at a counter, by post or by telephone.",
            ),
        ],
        items: &[],
        after: &[],
    },
    Fixed {
        id: "arret",
        title: ("Vous pouvez arrêter à tout moment", "You can stop at any time"),
        before: &[(
            "Vous pouvez arrêter ce mandat quand vous voulez. Vous n’avez pas à dire pourquoi. C’est gratuit. \
             Pour arrêter\u{a0}:",
            "You can stop this mandate whenever you want. You do not have to say why. It is free. To stop:",
        )],
        items: &[
            (
                "allez dans votre espace Porteplume sur internet, c’est immédiat",
                "go to your Porteplume space on the internet, it takes effect at once",
            ),
            (
                "ou demandez-le à la structure, elle doit arrêter le mandat aussitôt",
                "or ask the organisation, it must stop the mandate at once",
            ),
        ],
        after: &[
            (
                "Vous pouvez aussi retirer une seule démarche et garder les autres.",
                "You can also take out a single procedure and keep the others.",
            ),
            (
                "Dès que le mandat est arrêté, l’aidant ne peut plus rien faire en votre nom.",
                "As soon as the mandate is stopped, the aidant can do nothing more in your name.",
            ),
        ],
    },
    Fixed {
        id: "declaration",
        title: ("Ce que vous déclarez", "What you declare"),
        before: &[
            (
                "Vous déclarez que vous avez 18\u{a0}ans ou plus.",
                "You declare that you are 18\u{a0}or older.",
            ),
            (
                "Vous déclarez que vous n’êtes pas sous une mesure de protection\u{a0}: tutelle, curatelle, \
                 sauvegarde de justice ou habilitation familiale.",
                "You declare that you are not under a protection measure, such as guardianship, curatorship, \
                 judicial safeguard or family authorisation.",
            ),
        ],
        items: &[],
        after: &[],
    },
    Fixed {
        id: "explications",
        title: ("Ce que l’aidant vous a expliqué", "What the aidant has explained to you"),
        before: &[
            (
                "L’aidant vous a expliqué à quoi sert ce mandat et ce qu’il permet. Vous avez pu poser vos questions.",
                "The aidant has explained what this mandate is for and what it allows. You were able to ask \
                 your questions.",
            ),
            (
                "L’aidant vous a expliqué quelles données sont utilisées\u{a0}: votre identité, et ce que chaque \
                 démarche demande.",
                "The aidant has explained which data are used: your identity, and what each procedure asks for.",
            ),
            (
                "Le mandat et ses preuves sont gardés 6\u{a0}ans après la fin du mandat.",
                "The mandate and its evidence are kept for 6\u{a0}years after the mandate ends.",
            ),
        ],
        items: &[],
        after: &[],
    },
    Fixed {
        id: "devoirs",
        title: ("Les devoirs de l’aidant", "The aidant’s duties"),
        before: &[("L’aidant s’engage à\u{a0}:", "The aidant undertakes to:")],
        items: &[
            ("faire seulement les démarches de la liste", "carry out only the procedures of the list"),
            ("utiliser seulement les données nécessaires", "use only the data that are needed"),
            ("garder le secret sur ce qu’il apprend de vous", "keep confidential what they learn about you"),
            ("ne jamais demander ni garder vos mots de passe", "never ask for or keep your passwords"),
            ("vous rendre compte de ce qu’il fait", "give you an account of what they do"),
        ],
        after: &[],
    },
    Fixed {
        id: "journal",
        title: ("Ce qui est noté", "What is recorded"),
        before: &[
            (
                "Chaque action faite avec ce mandat est notée dans un journal que personne ne peut modifier.",
                "Each action made with this mandate is recorded in a journal that nobody can change.",
            ),
            (
                "Vous pouvez lire dans votre espace qui a fait quoi et quand. Vous pouvez aussi le demander sur \
                 papier à la structure.",
                "You can read in your space who did what and when. You can also ask the organisation for it on \
                 paper.",
            ),
        ],
        items: &[],
        after: &[],
    },
    Fixed {
        id: "fin",
        title: ("Quand le mandat finit avant sa date", "When the mandate ends before its date"),
        before: &[("Le mandat finit plus tôt si\u{a0}:", "The mandate ends earlier if:")],
        items: &[
            ("vous l’arrêtez", "you stop it"),
            ("l’aidant y renonce, et vous prévient", "the aidant renounces it, and tells you"),
            ("la structure y met fin", "the organisation ends it"),
            ("une mesure de protection est décidée pour vous", "a protection measure is decided for you"),
            ("vous décédez", "you die"),
        ],
        after: &[],
    },
    Fixed {
        id: "accords",
        title: ("Les deux accords", "The two agreements"),
        before: &[
            (
                "Le mandat existe quand vous donnez votre accord, puis quand la structure donne le sien. \
                 Personne ne peut donner votre accord à votre place.",
                "The mandate exists when you give your agreement, and then the organisation gives its own. \
                 Nobody can give your agreement in your place.",
            ),
            (
                "Vos noms, le lieu, la date et l’heure des deux accords sont écrits sous ce texte. Vous en \
                 recevez une copie.",
                "The names, the place, the date and the time of the two agreements are written below this text. \
                 You receive a copy.",
            ),
            (
                "Seul le texte en français a une valeur juridique. Une traduction aide seulement à lire.",
                "Only the French text binds. A translation only helps to read.",
            ),
        ],
        items: &[],
        after: &[],
    },
];

/// Every section that does not depend on the mandate, in the order of the text.
pub(super) fn in_order() -> impl Iterator<Item = &'static Fixed> {
    let [object, rest @ ..] = SECTIONS;
    [object, &PROCEDURES, &DURATION].into_iter().chain(rest)
}
