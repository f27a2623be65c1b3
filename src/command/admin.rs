//! `organisation|aidant|auditor|client add|list|suspend|reinstate`.

mod grants;

use super::{Configured, Refused, say};
use crate::mandate::{AidantId, AuditorId, ClientId, InvalidId, OrganisationId, Role, Standing, Whereabouts};
use crate::provider::{ClientDraft, IdTokenAlg};
use crate::service::manage::{self, Answer, Invited, Manager, Party};
use crate::service::{App, Caller};
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum OrganisationAct {
    /// Register an organisation. Example: porteplume organisation add --name "Mairie" --siret 21750001600019
    /// --address "1, place de la Mairie, 01000 Exemple" --town Exemple --telephone "04 00 00 00 00"
    Add {
        /// Its name.
        #[arg(long)]
        name: String,
        /// Its SIRET, 14 digits.
        #[arg(long)]
        siret: String,
        /// Its address on one line: printed on its mandates.
        #[arg(long)]
        address: String,
        /// Its town: where its mandates are made.
        #[arg(long)]
        town: String,
        /// Its telephone number, for whoever wants to end a mandate.
        #[arg(long)]
        telephone: Option<String>,
        #[command(flatten)]
        configured: Configured,
    },
    /// List the organisations. Example: porteplume organisation list
    List(Configured),
    /// Suspend one: none of its mandates can be used meanwhile. Example: porteplume organisation suspend ID
    Suspend(One),
    /// Reinstate one. Example: porteplume organisation reinstate ID
    Reinstate(One),
}

/// One registered party.
#[derive(clap::Args)]
pub(super) struct One {
    /// Its identifier, as `list` writes it.
    id: String,
    #[command(flatten)]
    configured: Configured,
}

/// A role on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    /// Records mandates and carries out procedures.
    Aidant,
    /// Also manages the organisation's aidants.
    Referent,
}

#[derive(Subcommand)]
pub(super) enum AidantAct {
    /// Invite an aidant. Example: porteplume aidant add --organisation ID --given-name Ana --family-name Petit --email ana@mairie.example
    Add {
        /// The organisation's identifier.
        #[arg(long)]
        organisation: String,
        /// First name.
        #[arg(long)]
        given_name: String,
        /// Name in use.
        #[arg(long)]
        family_name: String,
        /// The address their provider asserts.
        #[arg(long)]
        email: String,
        /// Role.
        #[arg(long, value_enum, default_value = "aidant")]
        role: RoleName,
        #[command(flatten)]
        configured: Configured,
    },
    /// List an organisation's aidants. Example: porteplume aidant list --organisation ID
    List {
        /// The organisation's identifier.
        #[arg(long)]
        organisation: String,
        #[command(flatten)]
        configured: Configured,
    },
    /// Confirm that an aidant's new account is theirs, where no other referent can. Example: porteplume aidant confirm ID CODE
    Confirm {
        /// The aidant's identifier.
        id: String,
        /// The code that the person read when they signed in.
        code: String,
        #[command(flatten)]
        configured: Configured,
    },
    /// Deny an aidant's new account: everything stays as it was. Example: porteplume aidant deny ID
    Deny(One),
    /// Suspend an aidant. Example: porteplume aidant suspend ID
    Suspend(One),
    /// Reinstate an aidant. Example: porteplume aidant reinstate ID
    Reinstate(One),
}

#[derive(Subcommand)]
pub(super) enum AuditorAct {
    /// Register an auditor. Example: porteplume auditor add --given-name Léa --family-name Roux --email lea@audit.example
    Add {
        /// First name.
        #[arg(long)]
        given_name: String,
        /// Name in use.
        #[arg(long)]
        family_name: String,
        /// The address their provider asserts.
        #[arg(long)]
        email: String,
        #[command(flatten)]
        configured: Configured,
    },
    /// List the auditors. Example: porteplume auditor list
    List(Configured),
    /// Give an auditor something to read. Example: porteplume auditor grant AUDITOR --organisation ID --days 30
    Grant(grants::Give),
    /// List what an auditor was given to read. Example: porteplume auditor grants AUDITOR
    Grants(One),
    /// Take a grant back. Example: porteplume auditor revoke GRANT
    Revoke(One),
    /// Suspend an auditor. Example: porteplume auditor suspend ID
    Suspend(One),
    /// Reinstate an auditor. Example: porteplume auditor reinstate ID
    Reinstate(One),
}

#[derive(Subcommand)]
pub(super) enum ClientAct {
    /// Register a service from a TOML file; prints its secret, once. Example: porteplume client add --file caisse.toml
    ///
    /// `profile` says how strict the service's requests must be: `fapi2` (it signs with its own key) or `oidc` (plain
    /// OpenID Connect). What would be weaker than the profile promises is not registered.
    #[command(verbatim_doc_comment)]
    Add {
        /// The registration: id, name, profile, redirect_uris, auth_method, claims, procedures … (docs/operator.md, "Services").
        #[arg(long)]
        file: PathBuf,
        #[command(flatten)]
        configured: Configured,
    },
    /// List the services. Example: porteplume client list
    List(Configured),
    /// Suspend a service. Example: porteplume client suspend caisse-de-demonstration
    Suspend(One),
    /// Reinstate a service. Example: porteplume client reinstate caisse-de-demonstration
    Reinstate(One),
}

fn id<T>(text: &str, parse: impl Fn(&str) -> Result<T, InvalidId>) -> Result<T, Refused> {
    parse(text).map_err(|_| Refused::other(format!("{text:?} is no identifier: copy it from `list`")))
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Invited => "invited",
        Standing::Active => "active",
        Standing::Suspended => "suspended",
    }
}

/// Suspends or reinstates, and waits until it is in the journal.
async fn change(one: &One, suspend: bool, party: Party) -> Result<(), Refused> {
    let app = one.configured.open().await?;
    let (manager, caller) = (Manager::Operator, Caller::default());
    let done = if suspend {
        manage::suspend(&app, &manager, &caller, &party).await
    } else {
        manage::reinstate(&app, &manager, &caller, &party).await
    };
    close(app).await;
    done?;
    say(if suspend { "suspended: every check refuses from now on" } else { "reinstated" });
    Ok(())
}

async fn close(app: App) {
    app.store.close().await;
}

pub(super) async fn organisation(act: OrganisationAct) -> Result<(), Refused> {
    match act {
        OrganisationAct::Add { name, siret, address, town, telephone, configured } => {
            let app = configured.open().await?;
            let at = Whereabouts { address, town, telephone };
            let added = manage::add_organisation(&app, &name, &siret, &at).await;
            close(app).await;
            say(added?.as_str());
            Ok(())
        }
        OrganisationAct::List(configured) => {
            let app = configured.open().await?;
            let listed = manage::organisations_list(&app).await;
            close(app).await;
            for row in listed? {
                say(&format!("{}  {}  {}  {}", row.id, standing(row.standing), row.siret, row.name));
            }
            Ok(())
        }
        OrganisationAct::Suspend(one) => {
            let party = Party::Organisation(id(&one.id, OrganisationId::parse)?);
            change(&one, true, party).await
        }
        OrganisationAct::Reinstate(one) => {
            let party = Party::Organisation(id(&one.id, OrganisationId::parse)?);
            change(&one, false, party).await
        }
    }
}

pub(super) async fn aidant(act: AidantAct) -> Result<(), Refused> {
    match act {
        AidantAct::Add { organisation, given_name, family_name, email, role, configured } => {
            let organisation = id(&organisation, OrganisationId::parse)?;
            let role = match role {
                RoleName::Aidant => Role::Aidant,
                RoleName::Referent => Role::Referent,
            };
            let app = configured.open().await?;
            let invited = Invited { given_name: &given_name, family_name: &family_name, email: &email, role };
            let caller = Caller::default();
            let added =
                manage::invite_aidant(&app, &Manager::Operator, &caller, &organisation, invited).await;
            close(app).await;
            say(added?.as_str());
            Ok(())
        }
        AidantAct::List { organisation, configured } => {
            let organisation = id(&organisation, OrganisationId::parse)?;
            let app = configured.open().await?;
            let listed = manage::aidants_of(&app, &organisation).await;
            close(app).await;
            for aidant in listed? {
                let role = if aidant.role == Role::Referent { "referent" } else { "aidant" };
                say(&format!("{}  {}  {role}  {}", aidant.id, standing(aidant.standing), aidant.name));
            }
            Ok(())
        }
        AidantAct::Confirm { id, code, configured } => {
            let told = "the new account replaces the former one from now on";
            account((&id, &configured), Answer::Same(code), told).await
        }
        AidantAct::Deny(one) => {
            account((&one.id, &one.configured), Answer::Another, "denied: everything stays as it was").await
        }
        AidantAct::Suspend(one) => {
            let party = Party::Aidant(id(&one.id, AidantId::parse)?);
            change(&one, true, party).await
        }
        AidantAct::Reinstate(one) => {
            let party = Party::Aidant(id(&one.id, AidantId::parse)?);
            change(&one, false, party).await
        }
    }
}

/// Answers whether an aidant's other sign-in is theirs.
async fn account(of: (&str, &Configured), answer: Answer, told: &str) -> Result<(), Refused> {
    let aidant = id(of.0, AidantId::parse)?;
    let app = of.1.open().await?;
    let done = manage::other_sign_in(&app, &Manager::Operator, &Caller::default(), &aidant, answer).await;
    close(app).await;
    done?;
    say(told);
    Ok(())
}

pub(super) async fn auditor(act: AuditorAct) -> Result<(), Refused> {
    match act {
        AuditorAct::Add { given_name, family_name, email, configured } => {
            let app = configured.open().await?;
            let added = manage::add_auditor(&app, &given_name, &family_name, &email).await;
            close(app).await;
            say(added?.as_str());
            Ok(())
        }
        AuditorAct::List(configured) => {
            let app = configured.open().await?;
            let listed = manage::auditors_list(&app).await;
            close(app).await;
            for (id, name, state) in listed? {
                say(&format!("{id}  {}  {name}", standing(state)));
            }
            Ok(())
        }
        AuditorAct::Grant(give) => give.run().await,
        AuditorAct::Grants(one) => grants::list(&one).await,
        AuditorAct::Revoke(one) => grants::revoke(&one).await,
        AuditorAct::Suspend(one) => {
            let party = Party::Auditor(id(&one.id, AuditorId::parse)?);
            change(&one, true, party).await
        }
        AuditorAct::Reinstate(one) => {
            let party = Party::Auditor(id(&one.id, AuditorId::parse)?);
            change(&one, false, party).await
        }
    }
}

pub(super) async fn client(act: ClientAct) -> Result<(), Refused> {
    match act {
        ClientAct::Add { file, configured } => {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| Refused::other(format!("{} cannot be read: {error}", file.display())))?;
            let draft: ClientDraft = toml::from_str(&text)
                .map_err(|error| Refused::other(format!("{}: {}", file.display(), error.message())))?;
            let app = configured.open().await?;
            let (profile, alg) = (draft.profile, draft.id_token_alg);
            let added = manage::add_client(&app, draft).await;
            close(app).await;
            let added = added?;
            say(&format!("profile {}: {}", profile.as_str(), profile.demands()));
            if alg == IdTokenAlg::Hs256 {
                say(IdTokenAlg::WHY_NOT_HS256);
            }
            match added {
                Some(secret) => {
                    say(&format!("client_secret {}", secret.expose()));
                    say("registered; the secret above is shown this once only");
                }
                None => say("registered; it proves itself by its own key"),
            }
            Ok(())
        }
        ClientAct::List(configured) => {
            let app = configured.open().await?;
            let listed = manage::clients_list(&app).await;
            close(app).await;
            for row in listed? {
                say(&format!("{}  {}  {}", row.id, standing(row.standing), row.name));
            }
            Ok(())
        }
        ClientAct::Suspend(one) => {
            let party = Party::Client(id(&one.id, ClientId::parse)?);
            change(&one, true, party).await
        }
        ClientAct::Reinstate(one) => {
            let party = Party::Client(id(&one.id, ClientId::parse)?);
            change(&one, false, party).await
        }
    }
}
