//! The list as a workbook (Office Open XML, ECMA-376), in which every cell has a type.

use app::presence::ExistingUsers;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{local_time::LocalTime, options::ExportOptions};

/// The header and the width of each column, in characters.
///
/// A date in a workbook has no time zone, so its offset has a column.
const COLUMNS: [(&str, f64); 5] =
    [("name", 32.0), ("state", 14.0), ("here since", 20.0), ("UTC offset", 12.0), ("id", 14.0)];

/// A sheet with a header and a row for each person.
pub(super) fn as_xlsx(list: &ExistingUsers, options: ExportOptions) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = begin_sheet(&mut workbook, "Roll", &COLUMNS)?;
    let text = text_format();
    let time = time_format();
    for (row, user) in (1..).zip(&list.users) {
        let since = LocalTime::new(user.joined, options.offset);
        sheet.write_string_with_format(row, 0, user.name.as_str(), &text)?;
        sheet.write_string(row, 1, user.state.as_str())?;
        write_time(sheet, (row, 2), since, &time)?;
        sheet.write_string_with_format(row, 3, since.offset(), &text)?;
        sheet.write_string_with_format(row, 4, user.id.as_str(), &text)?;
    }
    workbook.save_to_buffer()
}

/// A sheet with a header, which stays in sight; `columns` has the title and the width of each column.
pub(super) fn begin_sheet<'a>(
    workbook: &'a mut Workbook,
    name: &str,
    columns: &[(&str, f64)],
) -> Result<&'a mut Worksheet, XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.set_name(name)?;
    sheet.set_freeze_panes(1, 0)?;
    let header = Format::new().set_bold();
    for (column, (title, width)) in (0..).zip(columns) {
        sheet.write_string_with_format(0, column, *title, &header)?;
        sheet.set_column_width(column, *width)?;
    }
    Ok(sheet)
}

/// A cell that stays text when somebody edits it: `@` is the format of text.
pub(super) fn text_format() -> Format {
    Format::new().set_num_format("@")
}

/// A date and a time.
pub(super) fn time_format() -> Format {
    Format::new().set_num_format("yyyy-mm-dd hh:mm:ss")
}

/// Writes a time as the visitor's clock shows it.
pub(super) fn write_time(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    time: LocalTime,
    format: &Format,
) -> Result<(), XlsxError> {
    let clock = ExcelDateTime::from_timestamp(time.clock_seconds())?;
    sheet.write_datetime_with_format(row, column, clock, format).map(drop)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::{super::tests::list, *};

    /// A file of the workbook.
    fn part(workbook: &[u8], name: &str) -> String {
        let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn names_are_text_and_times_are_dates() {
        let names = ["=1+1", "007", "<b>Ana</b> & Bo", "李小龍"].map(str::to_owned);
        let workbook = as_xlsx(&list(&names), ExportOptions::parse("offset=90").unwrap()).unwrap();
        let sheet = part(&workbook, "xl/worksheets/sheet1.xml");
        let texts = part(&workbook, "xl/sharedStrings.xml");
        for text in
            ["=1+1", "007", "&lt;b&gt;Ana&lt;/b&gt; &amp; Bo", "李小龍", "user---0002", "+01:30"]
        {
            assert!(texts.contains(&format!("<t>{text}</t>")), "{text}: {texts}");
        }
        assert!(!sheet.contains("<f>"), "{sheet}");
        for row in 2..=5 {
            for column in ["A", "B", "D", "E"] {
                let cell = sheet.split(&format!("<c r=\"{column}{row}\"")).nth(1).unwrap();
                assert!(cell.split('>').next().unwrap().contains("t=\"s\""), "{cell}");
            }
            // Days since 1900-01-00: 45244 is 2023-11-14, and 0.988… is 23:43:20, at UTC+01:30.
            let cell = sheet.split(&format!("<c r=\"C{row}\"")).nth(1).unwrap();
            assert!(cell.contains("><v>45244.988"), "{cell}");
        }
        assert!(part(&workbook, "xl/styles.xml").contains("yyyy-mm-dd hh:mm:ss"));
    }
}
