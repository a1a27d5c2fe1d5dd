//! Shortens the names by which the WASM and its script know each other.
//!
//! wasm-bindgen names each of the 140 functions that the WASM imports by what it does and 16 hexadecimal digits, in
//! both files. Only these two files use the names. Shorter ones save 2 % of what a first visit loads.

use std::fs;
use std::path::Path;

use crate::output::failure::{Context, Failure, Outcome};

/// To be increased with every change of the names, so that builds are made again.
pub(crate) const VERSION: u32 = 1;

/// What a WASM file begins with: its magic number and its version.
const HEADER: &[u8; 8] = b"\0asm\x01\0\0\0";
/// The number of the section with the imports.
const IMPORTS: u8 = 2;
/// The kind of an import that is a function.
const FUNCTION: u8 = 0;
/// In the script, each name stands before a function.
const BEFORE_FUNCTION: &str = ": function(";

/// Shortens the names in a WASM file and in the script beside it.
pub(crate) fn shorten(wasm: &Path) -> Outcome {
    let script = wasm.with_extension("js");
    let could_not = || format!("Could not shorten the names of imports in {}", wasm.display());
    let bytes = fs::read(wasm).with_context(could_not)?;
    let text = fs::read_to_string(&script).with_context(could_not)?;
    let (bytes, text) = shortened(&bytes, &text).ok_or_else(|| {
        Failure::new(format!(
            "{}: wasm-bindgen writes imports in another form than import_names.rs knows.",
            could_not()
        ))
    })?;
    fs::write(wasm, bytes).with_context(could_not)?;
    fs::write(script, text).with_context(could_not)
}

/// The WASM and the script with short names; none if either is not of the expected form.
fn shortened(wasm: &[u8], script: &str) -> Option<(Vec<u8>, String)> {
    let mut rest = wasm.strip_prefix(HEADER)?;
    let mut output = HEADER.to_vec();
    let mut script = script.to_owned();
    while let [number, after @ ..] = rest {
        rest = after;
        let length = read_number(&mut rest)?;
        let (content, after) = rest.split_at_checked(length)?;
        rest = after;
        let content =
            if *number == IMPORTS { imports(content, &mut script)? } else { content.to_vec() };
        output.push(*number);
        write_number(&mut output, content.len());
        output.extend(content);
    }
    Some((output, script))
}

/// The section of imports with short names, which replace the long ones in the script.
fn imports(mut section: &[u8], script: &mut String) -> Option<Vec<u8>> {
    let count = read_number(&mut section)?;
    let mut output = Vec::new();
    write_number(&mut output, count);
    for number in 0..count {
        let module = read_name(&mut section)?;
        let name = read_name(&mut section)?;
        let [FUNCTION, after @ ..] = section else { return None };
        section = after;
        let function_type = read_number(&mut section)?;
        let long = format!("{name}{BEFORE_FUNCTION}");
        // Exactly one: otherwise the name means something else as well.
        if script.matches(&long).count() != 1 {
            return None;
        }
        let short = short_name(number);
        *script = script.replace(&long, &format!("{short}{BEFORE_FUNCTION}"));
        for text in [module, &*short] {
            write_number(&mut output, text.len());
            output.extend(text.bytes());
        }
        output.push(FUNCTION);
        write_number(&mut output, function_type);
    }
    section.is_empty().then_some(output)
}

/// `a`, `b`, …, `z`, `aa`, `ab`, …
fn short_name(number: usize) -> String {
    let letter = char::from(b"abcdefghijklmnopqrstuvwxyz"[number % 26]);
    let before = (number / 26).checked_sub(1).map(short_name).unwrap_or_default();
    format!("{before}{letter}")
}

fn read_name<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = read_number(bytes)?;
    let (name, after) = bytes.split_at_checked(length)?;
    *bytes = after;
    str::from_utf8(name).ok()
}

/// Reads an unsigned number in LEB128.
fn read_number(bytes: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (byte, after) = bytes.split_first()?;
        *bytes = after;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Writes an unsigned number in LEB128.
fn write_number(output: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        output.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WASM of two imported functions of type 0, and a custom section.
    fn wasm(names: [&str; 2]) -> Vec<u8> {
        let mut section = vec![2];
        for name in names {
            section.extend([1, b'm', u8::try_from(name.len()).unwrap()]);
            section.extend(name.bytes());
            section.extend([FUNCTION, 0]);
        }
        let mut wasm = HEADER.to_vec();
        wasm.extend([IMPORTS, u8::try_from(section.len()).unwrap()]);
        wasm.extend(section);
        wasm.extend([0, 2, 1, b'x']);
        wasm
    }

    #[test]
    fn both_files_get_the_same_short_names() {
        let script = "{ __wbg_now_0123: function() {}, __wbg_log_4567: function(a) { log(a); }, };";
        let (bytes, script) =
            shortened(&wasm(["__wbg_now_0123", "__wbg_log_4567"]), script).unwrap();
        assert_eq!(bytes, wasm(["a", "b"]));
        assert_eq!(script, "{ a: function() {}, b: function(a) { log(a); }, };");
    }

    #[test]
    fn an_unknown_form_is_no_reason_to_guess() {
        let names = ["now", "log"];
        for script in ["{ now: function() {} }", "{ now: () => {}, log: function() {} }"] {
            assert_eq!(shortened(&wasm(names), script), None, "{script}");
        }
        let twice = "{ now: function() {}, log: function() {}, x: { log: function() {} } }";
        assert_eq!(shortened(&wasm(names), twice), None);
        let script = "{ now: function() {}, log: function() {} }";
        let mut memory = wasm(names);
        // The kind of the first import.
        memory[HEADER.len() + 2 + 1 + 2 + 4] = 2;
        assert_eq!(shortened(&memory, script), None);
        assert_eq!(shortened(&wasm(names)[..20], script), None);
    }

    #[test]
    fn names_are_short_and_differ() {
        let names = [0, 1, 25, 26, 27, 51, 52, 701, 702].map(short_name);
        assert_eq!(names, ["a", "b", "z", "aa", "ab", "az", "ba", "zz", "aaa"]);
    }
}
