//! The texts of the page, by key. Their words are in `app/languages`, one file a language.
//!
//! The server knows all languages; each page is sent with the words of its visitor's language. The browser's program
//! has no words in it: it gets them with the page, as one line for each [`Text`].

use super::format::{number, plural_category};

/// Defines the keys of a section of the language files: the variant `HereNow` is the key `here-now`.
macro_rules! texts {
    ($(#[$doc:meta])* $name:ident: $($key:ident)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($key),* }

        impl $name {
            /// The names of the variants, in order.
            #[cfg(feature = "ssr")]
            pub(crate) const KEYS: &[&str] = &[$(stringify!($key)),*];
        }
    };
}

texts! {
    /// A text that the browser's program shows; the server shows many of them as well.
    Text:
    YourName ExampleName EveryoneSeesYourName Join OnTheList ChangeName Leave NewName EveryoneSeesTheChange Save Cancel
    JoinUnderAnotherName
    HereNow AndAway Found NoMatch AndMore You Away Reconnecting HereSince More NewAbove
    ConnectionLost YouAreOffline ListFrom RetryingIn RetryingNow RetryNow ConnectedAgain
    Joined Left Disconnected WasRemoved Renamed YouJoined YouLeft TwoNames NameAndOthers People
    WhileYouWereOffline Comma FullStop Dismiss YouLeftInAnotherTab HostRemovedYou
    NameIsTaken EnterYourName NameTooLong NameTooManyBytes NameNotAllowed NotListed RoomFull RoomClosed TooManyTabs TooFast
}

#[cfg(feature = "ssr")]
texts! {
    /// A text that only the server shows.
    ServerText:
    Description WhoIsHere ShowAll ShowHere ShowAway FindAName NobodyIsHere JustYou
    SkipToTheList JoinRoom NewestFirst Announce InviteToTheRoom LinkToThisRoom Copy Copied Share
    ShowOnYourSite OnlyOnThisComputer ShowAllActivity Live Connecting Offline
    Activity NoActivity Invite Close CopyTheAddressInstead
    NewRoom WithoutScripts WithoutCookies NotLoaded Reload
    And NobodyHereYet NotLive TriesAgain ServerBusy NetworkBusy TooManyPages ServersUnreachable NotLiveWithoutScripts ScanToJoin Welcome QrCodeOfTheAddress AnyoneCanJoin OpenWallScreen
    Roll WhoShouldBeHere ExpectedListHint OpenAFile CopyLinkWithList ClearTheList UseThisList KeepMyList
    CallTheRoll BackToLive CopyTheRoll DownloadCsv DownloadExcel PrintTheRoll Missing PleaseCheck NotOnTheList MoreThanOnce
    OnlyWhoIsHere FilesHaveNoList
    Text Csv Excel Print Number Name State HereSince Here PartlyPrinted CopyRoll RollCopied
    DownloadTheFileInstead
    Privacy WhatOthersSee WhatIsKept WhatStaysInTheBrowser PrivacyList PrivacyChanges PrivacyActivity PrivacyWebhooks PrivacyFile PrivacyChangesOfSeveralServers PrivacyEngine PrivacyBrowser
    PrivacyHost PrivacyAccount
    PageNotFound NoPageHere RoomNamesAreLowerCase RoomNameLength RoomNameCharacters CheckTheAddress GoToTheLobby
    GoToTheRoom JoinTheRoom PeopleAreHere NobodyIsHereYet
    LastMinute LastMinutes LastHour UpToAtOnce NobodyInSpan Language
    RoomTitle RoomTitleExample RoomTitleHint CreateRoom YourRoom LinkForEverybody LinkForEverybodyHint
    HostLink HostLinkHint CopyTheTextInstead OpenTheRoom ForTheHostOnly ForTheHostOnlyHint Host OnlyHostsSeeThis
    CopyHostLink RemoveSomebody NobodyToRemove RemoveQuestion Remove PersonWasRemoved ClearTheRoom ClearQuestion
    RoomWasCleared CloseTheRoom CloseQuestion RoomIsClosed OpenTheRoomAgain RoomIsOpen ServerCannotBeReached
    AttendanceIsKept PrivacyAttendance PrivacyAttendanceInEngine ForMinutes ForHours ForDays
}

impl Text {
    /// The words; of a plural text all its forms, of which [`Self::form`] chooses one.
    pub(crate) fn get(self) -> &'static str {
        #[expect(clippy::as_conversions, reason = "the number of a variant")]
        line(self as usize)
    }

    /// The form of a plural text for this number.
    pub(crate) fn form(self, count: usize) -> &'static str {
        form(self.get(), count)
    }

    /// The form for this number, with the number in place of its first placeholder.
    pub(crate) fn count(self, count: usize) -> String {
        fill(self.form(count), &[&number(count)])
    }

    /// The words with these values in place of its placeholders, in the order of the English text.
    pub(crate) fn fill(self, values: &[&str]) -> String {
        fill(self.get(), values)
    }
}

#[cfg(feature = "ssr")]
impl ServerText {
    /// The words.
    pub(crate) fn get(self) -> &'static str {
        #[expect(clippy::as_conversions, reason = "the number of a variant")]
        super::catalog::Catalog::of_context().server_line(self as usize)
    }

    /// The form for this number, with the number in place of its first placeholder.
    pub(crate) fn count(self, count: usize) -> String {
        self.count_and_fill(count, &[&number(count)])
    }

    /// The form for this number, with these values in place of its placeholders.
    pub(crate) fn count_and_fill(self, count: usize, values: &[&str]) -> String {
        fill(form(self.get(), count), values)
    }

    /// The words with these values in place of its placeholders, in the order of the English text.
    pub(crate) fn fill(self, values: &[&str]) -> String {
        fill(self.get(), values)
    }
}

/// Separates the forms of a plural text: one for each category of CLDR, in the order of [`plural_category`], empty
/// where the language has none.
pub(super) const FORM_SEPARATOR: char = '|';

fn form(words: &'static str, count: usize) -> &'static str {
    let mut forms = words.split(FORM_SEPARATOR);
    match forms.clone().nth(plural_category(count)) {
        Some(form) if !form.is_empty() => form,
        _ => forms.next_back().unwrap_or_default(),
    }
}

/// Replaces `{0}`, `{1}` and so on by the values.
fn fill(words: &str, values: &[&str]) -> String {
    let mut filled = String::new();
    for piece in pieces(words) {
        filled.push_str(match piece {
            Piece::Words(words) => words,
            Piece::Value(index) => values.get(index).copied().unwrap_or_default(),
        });
    }
    filled
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'text> {
    /// Words to be shown as they are.
    Words(&'text str),
    /// The place of the value with this index.
    Value(usize),
}

/// The words and the placeholders of a text, in their order.
pub(crate) fn pieces(words: &str) -> impl Iterator<Item = Piece<'_>> {
    // "{0} of {1}" is cut into "", "0} of " and "1}".
    words
        .split('{')
        .flat_map(|part| {
            let (value, words) = match part.as_bytes() {
                [digit @ b'0'..=b'9', b'}', ..] => (Some(usize::from(digit - b'0')), &part[2..]),
                _ => (None, part),
            };
            [value.map(Piece::Value), (!words.is_empty()).then_some(Piece::Words(words))]
        })
        .flatten()
}

#[cfg(feature = "ssr")]
fn line(index: usize) -> &'static str {
    super::catalog::Catalog::of_context().page_line(index)
}

#[cfg(all(feature = "hydrate", not(feature = "ssr")))]
use self::in_browser::line;
#[cfg(feature = "hydrate")]
pub(crate) use self::in_browser::set_texts;

/// The words in the browser: set once, before anything is rendered.
#[cfg(feature = "hydrate")]
mod in_browser {
    use std::cell::RefCell;

    thread_local! {
        static LINES: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    }

    /// Sets the words: one line for each [`super::Text`], in order. They are kept as long as the page.
    pub(crate) fn set_texts(lines: &str) {
        LINES.set(Box::leak(Box::<str>::from(lines)).split('\n').collect());
    }

    pub(super) fn line(index: usize) -> &'static str {
        LINES.with_borrow(|lines| lines.get(index).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_places_of_their_placeholders() {
        assert_eq!(fill("{1} of {0}{1}", &["a", "b"]), "b of ab");
        assert_eq!(fill("no placeholder", &["a"]), "no placeholder");
        assert_eq!(fill("{0} {x} {", &["a"]), "a x} ");
    }

    #[test]
    fn the_form_of_the_numbers_category_is_taken() {
        let forms = "|{0} person||||{0} people";
        assert_eq!(
            [0, 1, 2].map(|count| form(forms, count)),
            ["{0} people", "{0} person", "{0} people"]
        );
        assert_eq!(form("one form", 1), "one form");
    }
}
