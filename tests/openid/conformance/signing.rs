//! FAPI 2.0 Message Signing Final: every module of the security profile again, by services that sign their requests and
//! have their answers signed.

use super::*;

const ONE: Service = Service { signs: true, ..super::ONE };
const TWO: Service = Service { signs: true, ..super::TWO };

/// A town with two services that sign.
async fn fapi_town(database: TestDatabase) -> Town {
    town_of(database, [&ONE, &TWO]).await
}

macro_rules! again {
    ($($name:ident in $file:literal;)*) => {
        $(
            #[path = $file]
            #[expect(clippy::duplicate_mod, reason = "the same modules, by other services")]
            mod $name;
        )*
    };
}

again! {
    fapi2_assertions in "fapi2_assertions.rs";
    fapi2_dpop in "fapi2_dpop.rs";
    fapi2_par in "fapi2_par.rs";
    fapi2_requests in "fapi2_requests.rs";
    refresh in "refresh.rs";
}
