//! Stable names of the domain's and this room's enums, as columns hold them.

use crate::mandate::{Role, Standing};

/// Declares an enum with its stable names.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, as stored.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The variant of that stable name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(super) use named;

pub(super) const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Invited => "invited",
        Standing::Active => "active",
        Standing::Suspended => "suspended",
    }
}

pub(super) fn parse_standing(name: &str) -> Option<Standing> {
    [Standing::Invited, Standing::Active, Standing::Suspended].into_iter().find(|s| standing(*s) == name)
}

pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Aidant => "aidant",
        Role::Referent => "referent",
    }
}

pub(super) fn parse_role(name: &str) -> Option<Role> {
    [Role::Aidant, Role::Referent].into_iter().find(|r| role(*r) == name)
}
