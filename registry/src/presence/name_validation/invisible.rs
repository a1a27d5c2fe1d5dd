//! Detects characters that are invisible and have no visible effect.

use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};

/// The most marks on one letter (UTS #39, section 5.4): more of them cover the lines above and below.
const MOST_MARKS: usize = 4;

/// Letters, marks and symbols that are blank.
const BLANKS: [char; 14] = [
    '\u{34f}',
    '\u{115f}',
    '\u{1160}',
    '\u{17b4}',
    '\u{17b5}',
    '\u{180e}',
    '\u{2800}',
    '\u{3164}',
    '\u{ffa0}',
    '\u{fffc}',
    '\u{fffd}',
    '\u{13441}',
    '\u{13442}',
    '\u{1d159}',
];

/// The canonical combining class of viramas, after which a joiner chooses between two forms (RFC 5892, A.1).
const VIRAMA: u8 = 9;

/// What a name may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A mark without a letter, one too many on a letter, or the same one twice.
    Mark,
    /// Anything else that is invisible and has no visible effect.
    Invisible,
}

/// The first fault. Without one, every character is visible or has a visible effect: it joins emoji, selects the form
/// of a letter in scripts with several, or marks a letter.
pub(super) fn first_fault(text: &str) -> Option<Fault> {
    let mut context = Context::default();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if !context.admits(character, rest.peek().copied()) {
            return Some(if is_visible_mark(character) { Fault::Mark } else { Fault::Invisible });
        }
        context.push(character);
    }
    None
}

/// The text without joiners, non-joiners and variation selectors that have no effect.
pub(super) fn without_idle_characters(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut context = Context::default();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        // The combining grapheme joiner never has a visible effect.
        let may_be_idle = matches!(character, '\u{200c}' | '\u{200d}' | '\u{34f}')
            || is_variation_selector(character);
        if !may_be_idle || context.admits(character, rest.peek().copied()) {
            context.push(character);
            kept.push(character);
        }
    }
    kept
}

/// What precedes a character.
#[derive(Default)]
struct Context {
    /// The last letter, digit, symbol or emoji of this word.
    base: Option<char>,
    /// The number of marks on it.
    marks: usize,
    last: Option<char>,
}

impl Context {
    fn admits(&self, character: char, next: Option<char>) -> bool {
        match character {
            '\u{200d}' => {
                self.joins_emoji(next) || self.follows_a_virama() || self.keeps_a_ra_whole(next)
            }
            '\u{200c}' => self.follows_a_virama() || self.keeps_arabic_letters_apart(next),
            '\u{e0020}'..='\u{e007f}' => self.continues_a_flag(character, next),
            _ if is_variation_selector(character) => self.has_variant(character),
            _ if BLANKS.contains(&character) => false,
            _ => match character.general_category() {
                GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark => {
                    self.base.is_some() && self.marks < MOST_MARKS && self.last != Some(character)
                }
                GeneralCategory::SpacingMark => self.base.is_some(),
                GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::PrivateUse
                | GeneralCategory::Surrogate
                | GeneralCategory::Unassigned => false,
                _ => true,
            },
        }
    }

    fn push(&mut self, character: char) {
        match character.general_category() {
            GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark => self.marks += 1,
            GeneralCategory::SpacingMark | GeneralCategory::Format => {}
            GeneralCategory::SpaceSeparator => *self = Self::default(),
            _ => (self.base, self.marks) = (Some(character), 0),
        }
        self.last = Some(character);
    }

    fn joins_emoji(&self, next: Option<char>) -> bool {
        let is_after_emoji = self.last == self.base || self.last == Some('\u{fe0f}');
        is_after_emoji && self.base.is_some_and(is_emoji) && next.is_some_and(is_emoji)
    }

    fn follows_a_virama(&self) -> bool {
        self.last.is_some_and(|last| canonical_combining_class(last) == VIRAMA)
    }

    /// In Bengali, Telugu and Kannada, where the joiner before a virama keeps the form of the letter ra
    /// (The Unicode Standard, section 12.2).
    fn keeps_a_ra_whole(&self, next: Option<char>) -> bool {
        matches!(self.last, Some('\u{9b0}' | '\u{9f0}' | '\u{c30}' | '\u{cb0}'))
            && next.is_some_and(|next| canonical_combining_class(next) == VIRAMA)
    }

    /// As in Persian, where it separates the parts of a word.
    fn keeps_arabic_letters_apart(&self, next: Option<char>) -> bool {
        self.base.is_some_and(is_arabic) && next.is_some_and(is_arabic)
    }

    /// A flag of a subdivision (UTS #51, ED-14a): a black flag, tags, and the cancel tag.
    fn continues_a_flag(&self, tag: char, next: Option<char>) -> bool {
        let is_tag = |character| matches!(character, '\u{e0020}'..='\u{e007f}');
        let is_after_flag_or_tag =
            self.last.is_some_and(|last| last == '🏴' || is_tag(last) && last != '\u{e007f}');
        is_after_flag_or_tag && (tag == '\u{e007f}' || next.is_some_and(is_tag))
    }

    fn has_variant(&self, selector: char) -> bool {
        self.last == self.base
            && self.base.is_some_and(|base| match selector {
                '\u{fe0e}' | '\u{fe0f}' => base.is_emoji_char(),
                '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => is_ideograph(base),
                _ => matches!(base, '\u{1800}'..='\u{18af}'),
            })
    }
}

fn is_visible_mark(character: char) -> bool {
    let is_mark = matches!(
        character.general_category(),
        GeneralCategory::NonspacingMark
            | GeneralCategory::EnclosingMark
            | GeneralCategory::SpacingMark
    );
    is_mark && !is_variation_selector(character) && !BLANKS.contains(&character)
}

fn is_variation_selector(character: char) -> bool {
    matches!(
        character,
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180d}' | '\u{180f}'
    )
}

/// Digits, # and * have the property Emoji as well.
fn is_emoji(character: char) -> bool {
    character.is_emoji_char() && !character.is_ascii()
}

/// Arabic, and Syriac, whose letters join as well.
fn is_arabic(character: char) -> bool {
    matches!(character, '\u{600}'..='\u{77f}' | '\u{870}'..='\u{8ff}')
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
