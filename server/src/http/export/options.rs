//! What a visitor may choose of an export: the time zone, and the separator of its columns.

use time::UtcOffset;
use url::form_urlencoded;

/// No place is further from UTC, in minutes.
const MAX_OFFSET_IN_MINUTES: i32 = 14 * 60;

/// The options of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ExportOptions {
    /// The time zone of its times; UTC by default.
    pub(crate) offset: UtcOffset,
    /// Between the columns of CSV.
    pub(crate) separator: Separator,
    /// Who came and went, and not who is here now.
    pub(crate) is_session: bool,
}

/// Between two columns of CSV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Separator {
    /// As RFC 4180 has it.
    #[default]
    Comma,
    /// What spreadsheets expect where a comma is the decimal separator.
    Semicolon,
    /// What every spreadsheet takes when it is pasted.
    Tab,
}

/// An option has a value that it can't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExportOptionsError {
    #[error(
        "`offset` is a number of minutes east of UTC, from -840 to 840, for example `?offset=120`."
    )]
    Offset,
    #[error(
        "`separator` is a comma, a semicolon or the word tab, for example `?separator=;` or `?separator=tab`."
    )]
    Separator,
}

impl ExportOptions {
    /// Reads the query of an address. Other parameters are ignored.
    pub(crate) fn parse(query: &str) -> Result<Self, ExportOptionsError> {
        let separator = Separator::default();
        let mut options = Self { offset: UtcOffset::UTC, separator, is_session: false };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "offset" => options.offset = offset(&value).ok_or(ExportOptionsError::Offset)?,
                "separator" => {
                    options.separator =
                        separator_of(&value).ok_or(ExportOptionsError::Separator)?;
                }
                "session" => options.is_session = true,
                _ => {}
            }
        }
        Ok(options)
    }
}

impl Separator {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Comma => ",",
            Self::Semicolon => ";",
            Self::Tab => "\t",
        }
    }
}

fn offset(minutes: &str) -> Option<UtcOffset> {
    let minutes: i32 = minutes.parse().ok()?;
    let is_valid = (-MAX_OFFSET_IN_MINUTES..=MAX_OFFSET_IN_MINUTES).contains(&minutes);
    is_valid.then(|| UtcOffset::from_whole_seconds(minutes * 60).ok()).flatten()
}

fn separator_of(text: &str) -> Option<Separator> {
    match text {
        "," | "comma" => Some(Separator::Comma),
        ";" | "semicolon" => Some(Separator::Semicolon),
        "\t" | "tab" => Some(Separator::Tab),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_from_the_query() {
        let default = ExportOptions::parse("").unwrap();
        assert_eq!((default.offset, default.separator), (UtcOffset::UTC, Separator::Comma));
        assert!(!default.is_session && ExportOptions::parse("session").unwrap().is_session);
        let options = ExportOptions::parse("x=1&offset=-210&separator=%3B").unwrap();
        assert_eq!(options.offset, UtcOffset::from_hms(-3, -30, 0).unwrap());
        assert_eq!(options.separator, Separator::Semicolon);
        for (text, separator) in [(";", ";"), ("tab", "\t"), ("%09", "\t"), (",", ",")] {
            let options = ExportOptions::parse(&format!("separator={text}")).unwrap();
            assert_eq!(options.separator.as_str(), separator);
        }
    }

    #[test]
    fn an_impossible_value_is_refused() {
        for offset in ["", "841", "-841", "1.5", "Europe/Berlin", "99999999999"] {
            let refused = ExportOptions::parse(&format!("offset={offset}"));
            assert_eq!(refused, Err(ExportOptionsError::Offset), "{offset}");
        }
        for separator in ["", ";;", "|", "Tab"] {
            let refused = ExportOptions::parse(&format!("separator={separator}"));
            assert_eq!(refused, Err(ExportOptionsError::Separator), "{separator}");
        }
    }
}
