//! A courier in the test's hands, and what persons chose.

use crate::mandates::world::{Browser, World};
use crate::space::world::{at_home, usager_of};
use crate::support::app::TestApp;
use crate::support::database::TestDatabase;
use porteplume::courier::{Courier, Couriers, Handing, Letter, NotTaken, Replies};
use porteplume::mandate::{Channel, MandateId, NoticeId};
use porteplume::service::notices;
use sqlx::Row as _;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

/// What a postman does with the next letters: the same seed gives the same faults.
#[derive(Default)]
struct Mood {
    /// Faults in a hundred.
    faults: u64,
    seed: u64,
    always: Option<NotTaken>,
}

/// Takes letters over as one who knows a letter again by its identifier, or does not.
#[derive(Clone, Default)]
pub(crate) struct Postman {
    mood: Arc<Mutex<Mood>>,
    /// Every letter taken over, as often as it was.
    taken: Arc<Mutex<Vec<Letter>>>,
}

impl Postman {
    pub(crate) fn always(&self, answer: Option<NotTaken>) {
        self.mood.lock().unwrap().always = answer;
    }

    /// So many of a hundred handings over fail, half of them after the letter was taken.
    pub(crate) fn fails(&self, faults: u64, seed: u64) {
        let mut mood = self.mood.lock().unwrap();
        (mood.faults, mood.seed) = (faults, seed);
    }

    /// Everything taken over, a repetition once: what reaches the person.
    pub(crate) fn brought(&self) -> Vec<Letter> {
        let mut seen = std::collections::BTreeSet::new();
        let taken = self.taken.lock().unwrap().clone();
        taken.into_iter().filter(|letter| seen.insert(letter.id.to_string())).collect()
    }

    /// How often each was taken over.
    pub(crate) fn repetitions(&self) -> BTreeMap<NoticeId, usize> {
        let mut count = BTreeMap::new();
        for letter in self.taken.lock().unwrap().iter() {
            *count.entry(letter.id.clone()).or_insert(0) += 1;
        }
        count
    }

    fn take(&self, letter: &Letter) -> Result<(), NotTaken> {
        let mut mood = self.mood.lock().unwrap();
        if let Some(refusal) = mood.always {
            return Err(refusal);
        }
        // A linear congruential generator (Knuth, MMIX).
        mood.seed = mood.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = (mood.seed >> 33) % 100;
        if drawn < mood.faults / 2 {
            return Err(NotTaken::Later("smtp_unavailable"));
        }
        self.taken.lock().unwrap().push(letter.clone());
        // The connection breaks after the last byte: nobody knows.
        if drawn < mood.faults { Err(NotTaken::Later("timeout")) } else { Ok(()) }
    }
}

impl Courier for Postman {
    fn hand<'a>(&'a self, letter: &'a Letter) -> Handing<'a> {
        Box::pin(async move { self.take(letter) })
    }

    fn answers(&self) -> Handing<'_> {
        Box::pin(async { Ok(()) })
    }
}

/// A world whose messages that postman carries, by every way.
pub(crate) async fn world(database: TestDatabase) -> (World, Postman) {
    let postman = Postman::default();
    let by = || -> Option<Arc<dyn Courier>> { Some(Arc::new(postman.clone())) };
    let couriers = Couriers { email: by(), sms: by(), voice: by(), replies: None };
    (World::of(TestApp::over(database).await.carried_by(couriers)).await, postman)
}

/// The secret under which replies come in.
pub(crate) const SECRET: &str = "un secret connu des deux côtés, assez long";

/// The same, where replies to text messages come in.
pub(crate) async fn answered(database: TestDatabase) -> (World, Postman) {
    let postman = Postman::default();
    let by = || -> Option<Arc<dyn Courier>> { Some(Arc::new(postman.clone())) };
    let replies = Some(Arc::new(Replies::new(SECRET)));
    let couriers = Couriers { email: by(), sms: by(), voice: by(), replies };
    (World::of(TestApp::over(database).await.carried_by(couriers)).await, postman)
}

/// The fields of a choice.
pub(crate) fn choice(channel: Channel) -> [(&'static str, &'static str); 4] {
    [
        ("channel", channel.as_str()),
        ("email", "marie.lefevre@exemple.fr"),
        ("telephone", "06 12 34 56 78"),
        ("language", "fr"),
    ]
}

/// The space of whoever granted that mandate, where they chose that way.
pub(crate) async fn chosen<'w>(world: &'w World, mandate: &MandateId, channel: Channel) -> Browser<'w> {
    let home = at_home(world, &usager_of(world, mandate).await).await;
    let answer = home.post("/usager/contact", &choice(channel)).await;
    assert_eq!((answer.status, answer.location.as_str()), (303, "/usager"), "{}", answer.body);
    home
}

/// Hands over what is due now, and waits for what comes of it.
pub(crate) async fn send(world: &World) {
    let mut under_way = JoinSet::new();
    notices::send_due(&world.app, &mut under_way).await.unwrap();
    while let Some(done) = under_way.join_next().await {
        done.unwrap();
    }
}

/// Every notice: kind, way, state and code, in the order they were written to each person.
pub(crate) async fn notices_of(world: &World) -> Vec<String> {
    let mut raw = world.test.database.raw().await;
    let text = "SELECT kind || ' ' || channel || ' ' || state || ' ' || COALESCE(code, '-') AS said FROM notice \
                ORDER BY usager_id, number";
    sqlx::query(text).fetch_all(&mut raw).await.unwrap().iter().map(|row| row.get("said")).collect()
}

/// How many still wait.
pub(crate) async fn waiting(world: &World) -> i64 {
    let mut raw = world.test.database.raw().await;
    sqlx::query("SELECT count(*) AS n FROM notice_queue").fetch_one(&mut raw).await.unwrap().get("n")
}
