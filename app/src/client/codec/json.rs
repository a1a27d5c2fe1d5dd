//! A JSON parser for as much of JSON as the frames need.
//!
//! Every byte of WASM delays the live page, and a fourth of `serde_json`'s bytes are error messages
//! for numbers that no frame has. This parser has one error, without a message.

use std::fmt;

use serde::{
    Deserialize,
    de::{
        self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
        Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

/// Parses a value from a JSON text.
pub(crate) fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, ParseError> {
    let mut parser = Parser { rest: text };
    let value = T::deserialize(&mut parser)?;
    if parser.peek().is_none() { Ok(value) } else { Err(ParseError) }
}

/// The text is not JSON, or not what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError;

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("invalid JSON, or not the expected value")
    }
}

impl std::error::Error for ParseError {}

impl de::Error for ParseError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    // Serde's default messages for these would be most of the parser's size.
    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

/// The text that is not parsed yet.
struct Parser<'de> {
    rest: &'de str,
}

impl Parser<'_> {
    /// The next byte after white space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.bytes().next()
    }

    /// Consumes this text, or fails.
    fn expect(&mut self, text: &str) -> Result<(), ParseError> {
        self.peek();
        self.rest = self.rest.strip_prefix(text).ok_or(ParseError)?;
        Ok(())
    }

    /// Consumes this text if it comes next.
    fn accept(&mut self, text: &str) -> bool {
        self.expect(text).is_ok()
    }

    /// A string literal.
    fn string(&mut self) -> Result<String, ParseError> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            let end = self.rest.find(['"', '\\']).ok_or(ParseError)?;
            let (plain, rest) = self.rest.split_at_checked(end).ok_or(ParseError)?;
            text.push_str(plain);
            self.rest = rest;
            if let Some(rest) = rest.strip_prefix('"') {
                self.rest = rest;
                return Ok(text);
            }
            text.push(self.escaped()?);
        }
    }

    /// The character of an escape sequence.
    fn escaped(&mut self) -> Result<char, ParseError> {
        let mut characters = self.rest.chars();
        let (_backslash, kind) = (characters.next(), characters.next().ok_or(ParseError)?);
        self.rest = characters.as_str();
        Ok(match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.code_point(),
            _ => return Err(ParseError),
        })
    }

    /// A `\u` escape, or a UTF-16 surrogate pair of two; a lone surrogate becomes U+FFFD.
    fn code_point(&mut self) -> Result<char, ParseError> {
        let first = self.four_digits()?;
        if (0xd800..0xdc00).contains(&first)
            && let Some(rest) = self.rest.strip_prefix("\\u")
        {
            let before = std::mem::replace(&mut self.rest, rest);
            let second = self.four_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let number = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(number).ok_or(ParseError);
            }
            self.rest = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_digits(&mut self) -> Result<u32, ParseError> {
        let (digits, rest) = self.rest.split_at_checked(4).ok_or(ParseError)?;
        self.rest = rest;
        digits
            .chars()
            .try_fold(0, |number, digit| Some(number * 16 + digit.to_digit(16)?))
            .ok_or(ParseError)
    }

    /// A non-negative integer; any other number is consumed and ignored, as frames have none.
    fn number(&mut self) -> Option<u64> {
        let is_part = |character: char| {
            character.is_ascii_digit() || matches!(character, '-' | '+' | '.' | 'e' | 'E')
        };
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        number.parse().ok()
    }
}

/// Expected types are parsed directly, and `deserialize_any` only serves ignored values: each visitor
/// type that reaches it would compile all its branches once more.
impl<'de> Deserializer<'de> for &mut Parser<'de> {
    type Error = ParseError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        match self.peek().ok_or(ParseError)? {
            b'"' => self.deserialize_string(visitor),
            b'{' => self.deserialize_map(visitor),
            b'[' => self.deserialize_seq(visitor),
            b'-' | b'0'..=b'9' => match self.number() {
                Some(number) => visitor.visit_u64(number),
                None => visitor.visit_unit(),
            },
            b't' | b'f' => self.deserialize_bool(visitor),
            _ => {
                self.expect("null")?;
                visitor.visit_unit()
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        let is_true = self.accept("true");
        if !is_true {
            self.expect("false")?;
        }
        visitor.visit_bool(is_true)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        self.peek();
        visitor.visit_u64(self.number().ok_or(ParseError)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        visitor.visit_string(self.string()?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        visitor.visit_str(&self.string()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        self.expect("[")?;
        visitor.visit_seq(Members { parser: self, is_first: true })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        self.expect("{")?;
        visitor.visit_map(Members { parser: self, is_first: true })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParseError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        if self.accept("null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParseError> {
        visitor.visit_enum(Variant(self.string()?))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char str bytes byte_buf unit
        unit_struct newtype_struct tuple tuple_struct ignored_any
    }
}

/// The members of an object or an array.
struct Members<'parser, 'de> {
    parser: &'parser mut Parser<'de>,
    is_first: bool,
}

impl Members<'_, '_> {
    /// Whether another member comes before the closing bracket `end`.
    fn has_next(&mut self, end: &str) -> Result<bool, ParseError> {
        if self.parser.accept(end) {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.is_first, false) {
            self.parser.expect(",")?;
        }
        Ok(true)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = ParseError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ParseError> {
        if self.has_next("}")? { seed.deserialize(&mut *self.parser).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ParseError> {
        self.parser.expect(":")?;
        seed.deserialize(&mut *self.parser)
    }
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = ParseError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ParseError> {
        if self.has_next("]")? { seed.deserialize(&mut *self.parser).map(Some) } else { Ok(None) }
    }
}

/// The name of a unit variant; frames have no other kind.
struct Variant(String);

impl<'de> EnumAccess<'de> for Variant {
    type Error = ParseError;
    type Variant = UnitOnly;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, UnitOnly), ParseError> {
        let name: StrDeserializer<'_, ParseError> = self.0.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, UnitOnly))
    }
}

struct UnitOnly;

impl<'de> de::VariantAccess<'de> for UnitOnly {
    type Error = ParseError;

    fn unit_variant(self) -> Result<(), ParseError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, ParseError> {
        Err(ParseError)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ParseError> {
        Err(ParseError)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ParseError> {
        Err(ParseError)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Any value that a frame may have.
    fn any_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(
            from_str(r#""\"\\\/\b\f\n\r\t\u00e9""#),
            Ok("\"\\/\u{8}\u{c}\n\r\té".to_owned())
        );
        assert_eq!(from_str(r#""\ud83d\ude42!""#), Ok("🙂!".to_owned()));
        assert_eq!(from_str(r#""\ud83d\u0041\udc00""#), Ok("\u{fffd}A\u{fffd}".to_owned()));
        for text in [r#""\x""#, r#""\u12""#, r#""\u+123""#, r#""open"#, r#""\"#] {
            assert_eq!(from_str::<String>(text), Err(ParseError), "{text}");
        }
    }

    #[test]
    fn negative_and_fractional_numbers_are_rejected_or_ignored() {
        assert_eq!(from_str("[0, 18446744073709551615]"), Ok(vec![0, u64::MAX]));
        for text in ["-1", "1.5", "1e3", "18446744073709551616"] {
            assert_eq!(from_str::<u64>(text), Err(ParseError), "{text}");
            assert_eq!(from_str::<de::IgnoredAny>(text), Ok(de::IgnoredAny), "{text}");
        }
    }

    #[test]
    fn trailing_and_missing_characters_are_rejected() {
        assert_eq!(from_str(" [ ] "), Ok(Vec::<u64>::new()));
        for text in ["[]]", "[1 2]", "[,1]", "[1,]", "{\"a\":1,}", "{\"a\"}"] {
            assert!(from_str::<serde_json::Value>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_parser_reads_what_serde_json_writes(value in any_value(), is_pretty in any::<bool>()) {
            let text = if is_pretty { format!("{value:#}") } else { value.to_string() };
            prop_assert_eq!(from_str(&text), Ok(value));
        }

        #[test]
        fn the_parser_reads_maps_and_options(map in any::<BTreeMap<String, Option<u64>>>()) {
            prop_assert_eq!(from_str(&serde_json::to_string(&map).unwrap()), Ok(map));
        }
    }
}
