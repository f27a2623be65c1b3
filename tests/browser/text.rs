//! Granting and ending in a text browser: no script, no picture, no style, one column.

use super::world::World;
use crate::support::text_browser::TextBrowser;
use porteplume::storage::Engine;

/// The key of the code application, as the page writes it: eight groups of four.
fn key(screen: &str) -> String {
    let is_key = |line: &&str| {
        let groups: Vec<&str> = line.split_whitespace().collect();
        groups.len() == 8 && groups.iter().all(|group| group.len() == 4)
    };
    screen.lines().find(is_key).expect("a key").split_whitespace().collect()
}

#[test]
fn a_mandate_is_granted_and_ended_in_a_text_browser() {
    let world = World::on(Engine::Sqlite);
    let desk = TextBrowser::at(&world.service("/"));
    desk.says("Vous gardez la main.");
    desk.press("Entrer comme aidant", "Se connecter – Porteplume");
    desk.press("identifier avec", "Se connecter – Identité");
    desk.press("Samir Haddad", "Enregistrer votre application de codes");
    let phone = world.phone(&key(&desk.screen()));
    desk.fill("Six chiffres", &phone.code());
    desk.press("Enregistrer$", "Vos codes de secours");
    desk.press("Je les ai mis", "Aujourd’hui");

    // What is wrong is said at the top.
    desk.press("rer un nouveau mandat", "Nouveau mandat : les démarches");
    desk.press("^Continuer", "Erreur");
    desk.says("Choisissez au moins une démarche.");
    desk.tick("Demander un acte de naissance");
    desk.says("[*] Demander un acte de naissance");
    desk.press("^Continuer", "Nouveau mandat : la durée");
    desk.tick("1.mois");
    desk.says("(*) 1");
    desk.press("^Continuer", "Nouveau mandat : relire ensemble");

    desk.press("^Confier l", "Ce qu’on vous propose");
    desk.says("Vous avez le droit de dire non.");
    desk.press("identifier avec", "Se connecter – Identité");
    desk.press("Rose Yv", "Est-ce bien vous ?");
    desk.press("^Oui, c", "Votre décision");
    desk.says("Seul le texte en français a une valeur juridique.");
    desk.tick("Non, je d");
    desk.says("(*)Non, je déclare");
    desk.press("^Oui, je donne", "Déconnexion");
    desk.press("^Continuer", "Votre réponse");
    desk.says("Merci. Votre accord est enregistré.");

    desk.press("^Pour l.aidant", "Écran verrouillé");
    desk.fill("Les six chiffres", &phone.code());
    desk.press("verrouiller$", "Accepter le mandat");
    desk.press("^Accepter le mandat", "Un mandat");
    desk.says("Le mandat est en vigueur.");

    let home = TextBrowser::at(&world.service("/"));
    home.says("Vous gardez la main.");
    home.press("Ouvrir mon espace", "Se connecter – Porteplume");
    home.press("identifier avec", "Se connecter – Identité");
    home.press("Rose Yv", "Mon espace");
    home.says("préparé avec Samir Haddad");
    home.press("ter ce mandat", "Arrêter ?");
    home.press("^Oui, arr", "C’est arrêté");
    home.says("plus agir en votre nom avec ce mandat.");
    home.says("Votre reçu");
}
