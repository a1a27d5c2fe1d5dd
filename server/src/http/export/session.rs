//! Who came and went in a room, as a file in each format.
//!
//! Minutes are rounded down: what somebody was here for less than a minute is 0.

use app::presence::{DepartureReason, RoomName, UserId};
use registry::{hub::attendance::AttendanceReport, presence::attendance::AttendanceRow};
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::{
    csv::{cell, id_cell, text_cell},
    local_time::LocalTime,
    options::ExportOptions,
    text::push_isolated,
    xlsx::{begin_sheet, text_format, time_format, write_time},
};

/// The columns. New ones come last, so that those before keep their places.
///
/// Dates and times also stand alone: no spreadsheet takes a time with an offset for anything but text.
const COLUMNS: [&str; 11] = [
    "name",
    "id",
    "first came",
    "last left",
    "minutes here",
    "times away",
    "reason",
    "date came",
    "time came",
    "date left",
    "time left",
];

/// Those of the text, which people read.
const COLUMNS_OF_TEXT: usize = 7;

/// The columns of a workbook, and the width of each in characters. A date in a workbook has no time zone, so its
/// offset has a column.
const COLUMNS_OF_WORKBOOK: [(&str, f64); 8] = [
    ("name", 32.0),
    ("id", 14.0),
    ("first came", 20.0),
    ("last left", 20.0),
    ("minutes here", 14.0),
    ("times away", 12.0),
    ("reason", 12.0),
    ("UTC offset", 12.0),
];

/// What a row says of a person.
struct Line<'a> {
    name: &'a str,
    id: UserId,
    first_came: LocalTime,
    /// `None` while here, as the reason.
    last_left: Option<LocalTime>,
    reason: &'static str,
    minutes: u64,
    times_away: u64,
}

impl<'a> Line<'a> {
    fn all(
        report: &'a AttendanceReport,
        options: ExportOptions,
    ) -> impl Iterator<Item = Line<'a>> + use<'a> {
        let now = report.now;
        let local = move |seconds| LocalTime::new(seconds, options.offset);
        report.rows.iter().map(move |(id, row): &(UserId, AttendanceRow)| Line {
            name: row.name().as_str(),
            id: *id,
            first_came: local(row.first_came()),
            last_left: row.left_at().map(local),
            reason: row.reason().map_or("", word_of),
            minutes: row.seconds_here(now) / 60,
            times_away: row.times_away(),
        })
    }
}

/// A header and a line for each person.
pub(super) fn as_csv(report: &AttendanceReport, options: ExportOptions) -> String {
    let separator = options.separator.as_str();
    // As in the export of the list.
    let mut table = String::from("\u{feff}");
    table.push_str(&COLUMNS.join(separator));
    table.push_str("\r\n");
    let mut push = |cells: [String; COLUMNS.len()]| {
        table.push_str(&cells.join(separator));
        table.push_str("\r\n");
    };
    for line in Line::all(report, options) {
        let left = |text: fn(LocalTime) -> String| line.last_left.map(text).unwrap_or_default();
        push([
            text_cell(line.name),
            id_cell(line.id.as_str()),
            cell(&line.first_came.to_rfc3339()),
            cell(&left(LocalTime::to_rfc3339)),
            cell(&line.minutes.to_string()),
            cell(&line.times_away.to_string()),
            cell(line.reason),
            cell(&line.first_came.date()),
            cell(&line.first_came.clock()),
            cell(&left(LocalTime::date)),
            cell(&left(LocalTime::clock)),
        ]);
    }
    if let Some(dropped) = dropped(report) {
        // It has no id, which every person has.
        let mut cells = [const { String::new() }; COLUMNS.len()].map(|empty| cell(&empty));
        cells[0] = cell(&dropped);
        push(cells);
    }
    table
}

/// A line with room, number of people and time, and then a line for each person, whose columns a tab separates. No
/// name contains one.
pub(super) fn as_text(
    room: &RoomName,
    report: &AttendanceReport,
    options: ExportOptions,
) -> String {
    let came = match report.rows.len() {
        1 => "1 person came".to_owned(),
        count => format!("{count} people came"),
    };
    let now = LocalTime::new(report.now, options.offset).to_rfc3339();
    let mut text = format!("{room}: {came}, {now}\n");
    if let Some(dropped) = dropped(report) {
        text.push_str(&dropped);
        text.push('\n');
    }
    if !report.rows.is_empty() {
        text.push('\n');
        text.push_str(&COLUMNS[..COLUMNS_OF_TEXT].join("\t"));
        text.push('\n');
    }
    for line in Line::all(report, options) {
        push_isolated(&mut text, line.name);
        let cells = [
            line.id.to_string(),
            line.first_came.to_rfc3339(),
            line.last_left.map(LocalTime::to_rfc3339).unwrap_or_default(),
            line.minutes.to_string(),
            line.times_away.to_string(),
            line.reason.to_owned(),
        ];
        for cell in cells {
            text.push('\t');
            text.push_str(&cell);
        }
        text.push('\n');
    }
    text
}

/// A sheet with a header and a row for each person.
pub(super) fn as_xlsx(
    report: &AttendanceReport,
    options: ExportOptions,
) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = begin_sheet(&mut workbook, "Attendance", &COLUMNS_OF_WORKBOOK)?;
    let text = text_format();
    let time = time_format();
    let mut end = 1;
    for (row, line) in (1..).zip(Line::all(report, options)) {
        sheet.write_string_with_format(row, 0, line.name, &text)?;
        sheet.write_string_with_format(row, 1, line.id.as_str(), &text)?;
        write_time(sheet, (row, 2), line.first_came, &time)?;
        if let Some(last_left) = line.last_left {
            write_time(sheet, (row, 3), last_left, &time)?;
        }
        write_count(sheet, (row, 4), line.minutes)?;
        write_count(sheet, (row, 5), line.times_away)?;
        sheet.write_string(row, 6, line.reason)?;
        sheet.write_string_with_format(row, 7, line.first_came.offset(), &text)?;
        end = row + 1;
    }
    if let Some(dropped) = dropped(report) {
        sheet.write_string(end, 0, dropped)?;
    }
    workbook.save_to_buffer()
}

/// A workbook's numbers have 53 bits, which no count comes near to.
fn write_count(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    count: u64,
) -> Result<(), XlsxError> {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    sheet.write_number(row, column, count).map(drop)
}

/// A sentence, if there was not space for all.
fn dropped(report: &AttendanceReport) -> Option<String> {
    match report.dropped {
        0 => None,
        1 => Some("1 row was dropped for want of space.".to_owned()),
        dropped => Some(format!("{dropped} rows were dropped for want of space.")),
    }
}

/// As in the protocol's frames.
fn word_of(reason: DepartureReason) -> &'static str {
    match reason {
        DepartureReason::Left => "left",
        DepartureReason::Closed => "closed",
        DepartureReason::Lost => "lost",
        DepartureReason::Removed => "removed",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use app::presence::{Name, PresenceState, User};
    use registry::presence::{attendance::Attendance, log::Change};

    use super::*;

    /// 2026-11-24, 12:00:00 UTC.
    const NOON: u64 = 1_795_521_600;

    /// Ana is here, and =1+1 was for 119 s, and away once.
    fn report(dropped: u64) -> AttendanceReport {
        let mut attendance = Attendance::default();
        let mut record = |change: Change, at: u64| attendance.record(&change, at);
        let id = |number: u32| -> UserId { format!("user---{number:04}").parse().unwrap() };
        for (number, name) in [(1, "Ana"), (2, "=1+1")] {
            let (name, joined) = (Name::parse(name).unwrap(), NOON);
            let user = User { id: id(number), name, joined, state: PresenceState::Here };
            record(Change::Joined(user), NOON);
        }
        let (before, after) = (PresenceState::Here, PresenceState::Away);
        record(Change::StateChanged { id: id(2), before, after }, NOON + 60);
        record(Change::Departed { id: id(2), reason: DepartureReason::Lost }, NOON + 119);
        let now = NOON + 600;
        let rows = attendance.rows(Duration::from_hours(1), now);
        let rows = rows.map(|(id, row)| (id, row.clone())).collect();
        AttendanceReport { now, rows, dropped }
    }

    fn options(query: &str) -> ExportOptions {
        ExportOptions::parse(query).unwrap()
    }

    #[test]
    fn table_has_local_times_and_whole_minutes() {
        let table = as_csv(&report(0), options("offset=60&separator=;"));
        let lines: Vec<_> = table.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                r#""Ana";"user---0001";"2026-11-24T13:00:00+01:00";"";"10";"0";"";"2026-11-24";"13:00:00";"";"""#,
                r#""'=1+1";"user---0002";"2026-11-24T13:00:00+01:00";"2026-11-24T13:01:59+01:00";"1";"1";"lost";"2026-11-24";"13:00:00";"2026-11-24";"13:01:59""#,
            ]
        );
    }

    #[test]
    fn files_say_how_many_rows_were_dropped() {
        let table = as_csv(&report(3), options(""));
        let last = table.lines().last().unwrap();
        assert!(last.starts_with(r#""3 rows were dropped for want of space.","","","#), "{last}");
        assert_eq!(last.matches(',').count(), COLUMNS.len() - 1);
        let text = as_text(&"team".parse().unwrap(), &report(1), options(""));
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("team: 2 people came, 2026-11-24T12:10:00Z"));
        assert_eq!(lines.next(), Some("1 row was dropped for want of space."));
        assert_eq!(
            lines.next_back(),
            Some("=1+1\tuser---0002\t2026-11-24T12:00:00Z\t2026-11-24T12:01:59Z\t1\t1\tlost")
        );
        let [with, without] = [report(2), report(0)].map(|report| as_xlsx(&report, options("")));
        assert!(with.unwrap().len() > without.unwrap().len());
    }
}
