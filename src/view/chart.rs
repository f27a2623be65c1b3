//! Charts drawn here, as SVG within the page: columns for what goes with time, rows for what has a name. Each has a
//! title and a description, and its figures stand in a table beside it. Colours come from the stylesheet.

use super::Frame;
use super::dates;
use crate::mandate::{Bilingual, Instant};
use std::collections::BTreeMap;
use time::{Date, Duration, Weekday};

/// Drawing units; the page scales them.
pub(super) const WIDTH: u64 = 720;
/// Height of the columns' ground.
const HEIGHT: u64 = 180;
/// Room that a column's short name takes.
const NAME: u64 = 40;
/// Room above the columns for their figures.
const HEAD: u64 = 24;
/// Room below the columns for their names.
const FOOT: u64 = 28;
/// Height of one row: its name above, its bar below.
const ROW: u64 = 44;
/// Width left of a row for its figure.
const FIGURE: u64 = 80;
/// Longest name of a row, in characters.
const LONGEST: usize = 72;
/// Days are drawn one by one up to so many, then week by week.
const MOST_DAYS: i64 = 31;

/// What a bar stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// A day.
    Day(Date),
    /// The week that begins on that Monday.
    Week(Date),
    /// An hour of the day.
    Hour(u8),
    /// A day of the week, Monday first, from 0.
    Weekday(u8),
    /// Something with a name.
    Named(Bilingual),
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("lundi", "Monday"),
    ("mardi", "Tuesday"),
    ("mercredi", "Wednesday"),
    ("jeudi", "Thursday"),
    ("vendredi", "Friday"),
    ("samedi", "Saturday"),
    ("dimanche", "Sunday"),
];

impl Label {
    /// In full, for the table.
    pub(super) fn text(&self, f: &Frame) -> String {
        match self {
            Self::Day(day) => dates::day(f.language, *day),
            Self::Week(day) => f.t1("semaine du {0}", "week of {0}", dates::day(f.language, *day)),
            Self::Hour(hour) => f.t2("de {0} h à {1} h", "from {0}:00 to {1}:00", hour, hour + 1),
            Self::Weekday(day) => {
                let (fr, en) = WEEKDAYS.get(usize::from(*day)).copied().unwrap_or_default();
                f.t(fr, en)
            }
            Self::Named(name) => f.pick(name),
        }
    }

    /// As short as fits below a column.
    fn short(&self, f: &Frame) -> String {
        match self {
            Self::Day(day) | Self::Week(day) => format!("{}/{}", day.day(), u8::from(day.month())),
            Self::Hour(hour) => hour.to_string(),
            Self::Weekday(_) => self.text(f).chars().take(3).collect(),
            Self::Named(_) => self.text(f),
        }
    }
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it stands for.
    pub label: Label,
    /// How many.
    pub count: u64,
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Side by side.
    Columns,
    /// One below the other.
    Rows,
}

/// A chart with its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Its id on the page.
    pub id: &'static str,
    /// How it is drawn.
    pub shape: Shape,
    /// Its figures, in order.
    pub bars: Vec<Bar>,
}

/// A bar in its place, in drawing units.
pub(super) struct Drawn {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) height: u64,
    /// Short name, and where it stands; empty where there is no room for one.
    pub(super) name: String,
    pub(super) name_at: (u64, u64),
    pub(super) count: u64,
    pub(super) count_at: (u64, u64),
}

impl Chart {
    /// Sums by day (by week beyond a month) over a period, empty ones included; days are those of Paris.
    #[must_use]
    pub fn days(id: &'static str, hours: &BTreeMap<Instant, u64>, (from, until): (Instant, Instant)) -> Self {
        let (first, last) = (dates::paris(from).date(), dates::paris(until.plus(-Duration::SECOND)).date());
        let weekly = (last - first).whole_days() >= MOST_DAYS;
        let slot = |day: Date| {
            let back = i64::from(day.weekday().number_days_from_monday());
            if weekly { day.saturating_sub(Duration::days(back)) } else { day }
        };
        let mut sums: BTreeMap<Date, u64> = BTreeMap::new();
        let mut day = first;
        while day <= last && day < Date::MAX {
            sums.entry(slot(day)).or_default();
            day = day.saturating_add(Duration::DAY);
        }
        for (at, count) in hours {
            *sums.entry(slot(dates::paris(*at).date())).or_default() += count;
        }
        let label = |day| if weekly { Label::Week(day) } else { Label::Day(day) };
        let bars = sums.into_iter().map(|(day, count)| Bar { label: label(day), count }).collect();
        Self { id, shape: Shape::Columns, bars }
    }

    /// Sums by hour of the day, in Paris.
    #[must_use]
    pub fn hours(id: &'static str, hours: &BTreeMap<Instant, u64>) -> Self {
        let mut sums: BTreeMap<u8, u64> = (0..24).map(|hour| (hour, 0)).collect();
        for (at, count) in hours {
            *sums.entry(dates::paris(*at).hour()).or_default() += count;
        }
        let bars = sums.into_iter().map(|(hour, count)| Bar { label: Label::Hour(hour), count }).collect();
        Self { id, shape: Shape::Columns, bars }
    }

    /// Sums by day of the week, in Paris.
    #[must_use]
    pub fn weekdays(id: &'static str, hours: &BTreeMap<Instant, u64>) -> Self {
        let mut sums: BTreeMap<u8, u64> = (0..7).map(|day| (day, 0)).collect();
        for (at, count) in hours {
            let day: Weekday = dates::paris(*at).weekday();
            *sums.entry(day.number_days_from_monday()).or_default() += count;
        }
        let bars = sums.into_iter().map(|(day, count)| Bar { label: Label::Weekday(day), count }).collect();
        Self { id, shape: Shape::Columns, bars }
    }

    /// Figures that have names.
    #[must_use]
    pub fn named(id: &'static str, figures: impl IntoIterator<Item = (Bilingual, u64)>) -> Self {
        let bar = |(name, count)| Bar { label: Label::Named(name), count };
        Self { id, shape: Shape::Rows, bars: figures.into_iter().map(bar).collect() }
    }

    fn highest(&self) -> u64 {
        self.bars.iter().map(|bar| bar.count).max().unwrap_or(0)
    }

    pub(super) fn total(&self) -> u64 {
        self.bars.iter().map(|bar| bar.count).sum()
    }

    /// What the drawing shows, for those who do not see it.
    pub(super) fn described(&self, f: &Frame) -> String {
        let highest = self.bars.iter().max_by_key(|bar| bar.count).filter(|bar| bar.count > 0);
        match highest {
            Some(bar) => {
                let most = format!("{} ({})", bar.label.text(f), bar.count);
                f.t2("Total : {0}. Le plus : {1}.", "Total: {0}. Most: {1}.", self.total(), most)
            }
            None => f.t("Rien dans cette période.", "Nothing in this period."),
        }
    }

    pub(super) fn height(&self) -> u64 {
        match self.shape {
            Shape::Columns => HEAD + HEIGHT + FOOT,
            Shape::Rows => ROW * self.count(),
        }
    }

    fn count(&self) -> u64 {
        u64::try_from(self.bars.len()).unwrap_or(1).max(1)
    }

    /// Where the columns stand on.
    pub(super) fn ground(&self) -> Option<u64> {
        (self.shape == Shape::Columns).then_some(HEAD + HEIGHT)
    }

    pub(super) fn drawn(&self, f: &Frame) -> Vec<Drawn> {
        let highest = self.highest().max(1);
        match self.shape {
            Shape::Columns => self.columns(f, highest),
            Shape::Rows => self.rows(f, highest),
        }
    }

    fn columns(&self, f: &Frame, highest: u64) -> Vec<Drawn> {
        let step = WIDTH / self.count();
        // Every name where they fit, else every second, third …
        let every = NAME.div_ceil(step.max(1));
        let place = |(at, bar): (u64, &Bar)| {
            let height = bar.count.saturating_mul(HEIGHT) / highest;
            let (x, y) = (at * step, HEAD + HEIGHT - height);
            let middle = x + step / 2;
            let name = if at % every == 0 { bar.label.short(f) } else { String::new() };
            Drawn {
                x: x + step / 8,
                y,
                width: step - step / 4,
                height,
                name,
                name_at: (middle, HEAD + HEIGHT + 20),
                count: bar.count,
                count_at: (middle, y.saturating_sub(6)),
            }
        };
        (0..).zip(&self.bars).map(place).collect()
    }

    fn rows(&self, f: &Frame, highest: u64) -> Vec<Drawn> {
        let place = |(at, bar): (u64, &Bar)| {
            let y = at * ROW;
            let mut name: String = bar.label.short(f).chars().take(LONGEST).collect();
            if bar.label.short(f).chars().count() > LONGEST {
                name.push('…');
            }
            let width = bar.count.saturating_mul(WIDTH - FIGURE) / highest;
            Drawn {
                x: 0,
                y: y + 22,
                width,
                height: ROW - 28,
                name,
                name_at: (0, y + 16),
                count: bar.count,
                count_at: (width + 8, y + 36),
            }
        };
        (0..).zip(&self.bars).map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mandate::Language;
    use time::macros::datetime;

    fn at(text: time::OffsetDateTime) -> Instant {
        Instant::from(text)
    }

    fn sums(chart: &Chart) -> Vec<u64> {
        chart.bars.iter().map(|bar| bar.count).collect()
    }

    #[test]
    fn days_hours_and_weekdays_are_those_of_paris() {
        // 23:30 UTC on Sunday is 00:30 on Monday in Paris.
        let hours = BTreeMap::from([
            (at(datetime!(2026-11-22 23:00 UTC)), 3),
            (at(datetime!(2026-11-23 09:00 UTC)), 2),
        ]);
        let period = (at(datetime!(2026-11-21 23:00 UTC)), at(datetime!(2026-11-24 23:00 UTC)));
        assert_eq!(sums(&Chart::days("d", &hours, period)), [0, 5, 0]);
        assert_eq!(sums(&Chart::weekdays("w", &hours)), [5, 0, 0, 0, 0, 0, 0]);
        let by_hour = Chart::hours("h", &hours);
        assert_eq!((by_hour.bars.len(), by_hour.bars[0].count, by_hour.bars[10].count), (24, 3, 2));
    }

    #[test]
    fn the_names_of_columns_never_touch() {
        let f = Frame::new(Language::Fr, "/".to_owned());
        for days in [1, 7, 14, 20, 30, 31, 200] {
            let from = at(datetime!(2026-01-01 12:00 UTC));
            let chart = Chart::days("d", &BTreeMap::new(), (from, from.plus(Duration::days(days))));
            let named: Vec<u64> =
                chart.drawn(&f).iter().filter(|bar| !bar.name.is_empty()).map(|bar| bar.name_at.0).collect();
            assert!(
                !named.is_empty() && named.windows(2).all(|pair| pair[1] - pair[0] >= NAME),
                "{days}: {named:?}"
            );
        }
    }

    #[test]
    fn a_long_period_is_drawn_week_by_week_and_nothing_is_lost() {
        let hours: BTreeMap<Instant, u64> =
            (0..200).map(|day| (at(datetime!(2026-01-01 12:00 UTC)).plus(Duration::days(day)), 1)).collect();
        let period = (at(datetime!(2026-01-01 0:00 UTC)), at(datetime!(2026-07-20 0:00 UTC)));
        let chart = Chart::days("d", &hours, period);
        assert!(chart.bars.len() <= 30 && chart.total() == 200);
        assert!(matches!(chart.bars[1].label, Label::Week(day) if day.weekday() == Weekday::Monday));
    }

    #[test]
    fn bars_stay_within_the_drawing_whatever_their_figures() {
        let f = Frame::new(Language::Fr, "/".to_owned());
        let name = |text: String| Bilingual { fr: text.clone(), en: text };
        for counts in [vec![], vec![0], vec![0, 0], vec![1, u64::from(u32::MAX)], (0..60).collect()] {
            let named = Chart::named("n", counts.iter().map(|n| (name("x".repeat(100)), *n)));
            for chart in [Chart { shape: Shape::Columns, ..named.clone() }, named] {
                for bar in chart.drawn(&f) {
                    assert!(bar.x + bar.width <= WIDTH && bar.y + bar.height <= chart.height());
                }
                assert!(!chart.described(&f).is_empty());
            }
        }
    }
}
