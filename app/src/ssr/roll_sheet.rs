//! "Take the roll": the sheet with an expected list, who of it is missing, and the files of who is here.
//!
//! The server renders the sheet without a list, which never reaches it: `roll-sheet.js` fills it in. Without scripts it
//! is a popover with the files.

use leptos::prelude::*;

use super::BasePath;
use crate::{
    presence::RoomName,
    text::{language::Language, texts::ServerText},
};

/// The id of the sheet; a button that has it as its `popovertarget` opens it.
pub(crate) const SHEET: &str = "roll-sheet";
/// The id of the field for the expected list, of its hint, and of the sheet's title.
const EXPECTED: &str = "expected-names";
const EXPECTED_HINT: &str = "expected-names-hint";
const TITLE: &str = "roll-title";
/// The parts of the roll and their headings, in their order.
const PARTS: [(&str, ServerText); 5] = [
    ("questions", ServerText::PleaseCheck),
    ("missing", ServerText::Missing),
    ("strangers", ServerText::NotOnTheList),
    ("repeated", ServerText::MoreThanOnce),
    ("here", ServerText::ShowHere),
];

/// The sheet; buttons in the page's header and menu open it.
pub(crate) fn roll_sheet(room: &RoomName) -> impl IntoView + use<> {
    let key = ["rollcall-roll-", &BasePath::of_context().room(room)].concat();
    view! {
        <dialog
            id=SHEET
            popover="auto"
            aria-labelledby=TITLE
            data-room=room.to_string()
            data-key=key
        >
            <div class="roll-top">
                <h2 id=TITLE data-roll="title">
                    {ServerText::Roll.get()}
                </h2>
                <button type="button" popovertarget=SHEET popovertargetaction="hide">
                    {ServerText::Close.get()}
                </button>
            </div>
            <div class="roll-body">{expected()} {result()}</div>
            {files(room)}
            <p class="only-heard" role="status" data-roll="said"></p>
        </dialog>
    }
}

/// The expected list. The scripts enable what needs them.
fn expected() -> impl IntoView {
    view! {
        <div class="roll-expected">
            <p class="roll-offer" data-roll="offer" hidden>
                <span data-roll="offer-words"></span>
                {button("use-offer", ServerText::UseThisList)}
                {button("keep-own", ServerText::KeepMyList)}
            </p>
            <label for=EXPECTED>{ServerText::WhoShouldBeHere.get()}</label>
            <textarea
                id=EXPECTED
                data-roll="expected"
                rows="6"
                autocomplete="off"
                autocapitalize="words"
                spellcheck="false"
                dir="auto"
                aria-describedby=EXPECTED_HINT
            ></textarea>
            <p class="hint" id=EXPECTED_HINT>
                {ServerText::ExpectedListHint.get()}
            </p>
            <p class="error" data-roll="not-kept" hidden></p>
            <p class="error" role="status" data-roll="too-many" hidden></p>
            <div class="buttons">
                <label class="button">
                    {ServerText::OpenAFile.get()}
                    <input type="file" class="only-heard" data-roll="file" multiple />
                </label>
                {button("link", ServerText::CopyLinkWithList)}
                {button("clear", ServerText::ClearTheList)}
                <button type="button" data-roll="undo" hidden></button>
            </div>
            <p class="hint" role="status" data-roll="status"></p>
            // The texts of what only scripts show come with theirs.
            <section class="roll-called" data-roll="rolls" hidden>
                <h3 data-roll="rolls-title"></h3>
                <ul role="list"></ul>
                <button type="button" data-roll="delete-rolls"></button>
            </section>
        </div>
    }
}

/// Who of the list is here.
fn result() -> impl IntoView {
    view! {
        <div class="roll-result" data-roll="result" hidden>
            <p class="roll-headline">
                <strong data-roll="headline" tabindex="-1"></strong>
                " "
                <span data-roll="counts"></span>
                " "
                <span class="error" data-roll="stale"></span>
            </p>
            <div class="buttons">
                <button type="button" class="primary" data-roll="call" disabled>
                    {ServerText::CallTheRoll.get()}
                </button>
                {button("resume", ServerText::BackToLive)}
                {button("copy", ServerText::CopyTheRoll)}
                {button("csv", ServerText::DownloadCsv)}
                {button("xlsx", ServerText::DownloadExcel)}
                {button("print", ServerText::PrintTheRoll)}
            </div>
            {PARTS
                .map(|(part, heading)| {
                    view! {
                        <section data-roll=part hidden>
                            <h3>{heading.get()} " " <span class="roll-detail" data-roll="number"></span></h3>
                            // Some browsers don't expose a list without bullets as a list unless it has the role.
                            <ul role="list"></ul>
                        </section>
                    }
                })}
        </div>
    }
}

fn button(part: &'static str, words: ServerText) -> impl IntoView {
    view! {
        <button type="button" data-roll=part disabled>
            {words.get()}
        </button>
    }
}

/// The files of who is here, which work without scripts.
fn files(room: &RoomName) -> impl IntoView + use<> {
    let base = BasePath::of_context();
    let paper = [&*base.room(room), "/print?lang=", Language::of_context().tag()].concat();
    let roll = |kind: &str| base.below(&format!("/api/rooms/{room}/roll.{kind}"));
    view! {
        <div class="roll-files">
            <p class="roll">
                {ServerText::OnlyWhoIsHere.get()} " " <a href=roll("txt") download>
                    {ServerText::Text.get()}
                </a> " " <a href=roll("csv") download>
                    {ServerText::Csv.get()}
                </a> " " <a href=roll("xlsx") download>
                    {ServerText::Excel.get()}
                </a> " " <a href=paper target="_blank">
                    {ServerText::Print.get()}
                </a> " "
                <button
                    type="button"
                    data-source=roll("txt")
                    data-copied=ServerText::RollCopied.get()
                    data-failed=ServerText::DownloadTheFileInstead.get()
                    disabled
                >
                    {ServerText::CopyRoll.get()}
                </button> " " <span role="status"></span>
            </p>
            <p class="hint">{ServerText::FilesHaveNoList.get()}</p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheet_has_the_files_and_leaves_the_list_to_scripts() {
        let html = Owner::new().with(|| roll_sheet(&"team-7".parse().unwrap()).to_html());
        for part in [
            r#"data-key="rollcall-roll-/r/team-7""#,
            r#"data-room="team-7""#,
            r#"href="/api/rooms/team-7/roll.xlsx""#,
            r#"href="/r/team-7/print?lang=en""#,
            r#"popover="auto""#,
            r#"<ul role="list"></ul>"#,
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert!(!html.contains(" style="), "{html}");
    }
}
