//! JSON Schemas of the domain's texts: what the types check when they are read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Digest, LONGEST_NAME_IN_BYTES, Name, OpaqueId, RoomName, UserId};

/// A text that matches a regular expression, which is anchored on both sides.
macro_rules! text {
    ($type:ty, $name:expr, $pattern:expr, $description:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": $pattern,
                    "description": $description,
                })
            }
        }
    };
}

text!(
    UserId,
    "UserId",
    format!("^[A-Za-z0-9_-]{{{}}}$", Self::LENGTH),
    "The public id of a person in one room. It proves nothing."
);
text!(
    RoomName,
    "RoomName",
    format!("^[a-z0-9]([a-z0-9-]{{0,{}}}[a-z0-9])?$", Self::LONGEST - 2),
    "The name of a room, as in its address."
);
text!(
    OpaqueId<32>,
    "Epoch",
    "^[A-Za-z0-9_-]{1,32}$",
    "Identifies one sequence of a room's `seq`. Numbers of another epoch are not valid."
);
text!(
    OpaqueId<64>,
    "TabId",
    "^[A-Za-z0-9_-]{1,64}$",
    "Identifies one page instance of a person; chosen by the client."
);
text!(
    Digest,
    "Digest",
    "^[0-9a-f]{16}$",
    "Proves that two lists have the same rows: the sum of their hashes."
);

impl JsonSchema for Name {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Name")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            // A character takes at least one byte.
            "maxLength": LONGEST_NAME_IN_BYTES,
            "description": "A text that a person chose: show it as text, never as markup.",
        })
    }
}
