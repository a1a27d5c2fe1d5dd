//! JSON Schemas of types, as both documents need them.

use std::collections::BTreeSet;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// Where both documents keep their schemas.
const PLACE: &str = "/components/schemas";

/// Collects the schemas that a document refers to. A type has one for each direction: what is left out where it is
/// written may be needed where it is read.
pub(super) struct Schemas {
    sent: SchemaGenerator,
    received: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let place = |settings: &mut SchemaSettings| settings.definitions_path = PLACE.into();
        Self {
            sent: SchemaSettings::draft2020_12().for_serialize().with(place).into_generator(),
            received: SchemaSettings::draft2020_12().for_deserialize().with(place).into_generator(),
        }
    }
}

impl Schemas {
    /// What the server sends.
    pub(super) fn sent<T: JsonSchema>(&mut self) -> Value {
        self.sent.subschema_for::<T>().to_value()
    }

    /// The same, whole and not by reference.
    pub(super) fn sent_whole<T: JsonSchema>(&mut self) -> Value {
        T::json_schema(&mut self.sent).to_value()
    }

    /// The variants of what the server sends, each whole.
    pub(super) fn sent_variants<T: JsonSchema>(&mut self) -> Vec<Value> {
        variants::<T>(&mut self.sent)
    }

    /// The variants of what the server receives, each whole.
    pub(super) fn received_variants<T: JsonSchema>(&mut self) -> Vec<Value> {
        variants::<T>(&mut self.received)
    }

    /// The same, whole and not by reference.
    pub(super) fn received_whole<T: JsonSchema>(&mut self) -> Value {
        T::json_schema(&mut self.received).to_value()
    }

    /// Adds the schemas that the document needs to it.
    pub(super) fn complete(mut self, mut document: Value) -> Value {
        let mut all = self.sent.take_definitions(true);
        for (name, schema) in self.received.take_definitions(true) {
            let known = all.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*known, schema, "{name} is read in another form than it is written in");
        }
        let mut used = Map::new();
        let mut wanted = references(&document);
        while let Some(name) = wanted.pop_first() {
            if !used.contains_key(&name) {
                wanted.extend(references(&all[&name]));
                used.insert(name.clone(), all[&name].clone());
            }
        }
        document["components"]["schemas"] = Value::Object(used);
        tidy(&mut document);
        document
    }
}

fn variants<T: JsonSchema>(generator: &mut SchemaGenerator) -> Vec<Value> {
    let whole = T::json_schema(generator).to_value();
    let definitions = generator.definitions();
    let variants = whole["oneOf"].as_array().cloned().unwrap_or_default();
    variants.into_iter().map(|variant| with_target(variant, definitions)).collect()
}

/// The schema with the fields of the one that it refers to.
fn with_target(mut schema: Value, definitions: &Map<String, Value>) -> Value {
    let Some(target) = schema.as_object_mut().and_then(|fields| fields.remove("$ref")) else {
        return schema;
    };
    let target = &definitions[name_of(&target)];
    for (name, field) in target["properties"].as_object().into_iter().flatten() {
        schema["properties"][name] = field.clone();
    }
    let required = target["required"].as_array().cloned().unwrap_or_default();
    schema["required"].as_array_mut().into_iter().for_each(|names| names.extend(required.clone()));
    schema
}

/// The name of the schema that a reference leads to.
fn name_of(reference: &Value) -> &str {
    let path = reference.as_str().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// The names of all schemas that a value refers to.
fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    visit(&mut value.clone(), &mut |fields| {
        let own = fields.get("$ref").filter(|target| {
            target.as_str().is_some_and(|path| path.starts_with(&format!("#{PLACE}/")))
        });
        found.extend(own.map(|target| name_of(target).to_owned()));
    });
    found
}

/// Calls a function with each object, from the outside to the inside.
fn visit(value: &mut Value, call: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            call(fields);
            fields.values_mut().for_each(|field| visit(field, call));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, call)),
        _ => {}
    }
}

/// Turns what is right about Rust's types into what is right about the wire.
fn tidy(document: &mut Value) {
    visit(document, &mut |fields| {
        // Of Rust's types, and no format that is registered.
        if fields.get("format").is_some_and(|format| format == "uint") {
            fields.remove("format");
        }
        if let Some(Value::String(description)) = fields.get_mut("description") {
            *description = without_links(description);
        }
        let required = fields.get("required").cloned().unwrap_or_default();
        let is_required = |name: &str| {
            required.as_array().is_some_and(|names| names.iter().any(|known| known == name))
        };
        if let Some(Value::Object(properties)) = fields.get_mut("properties") {
            let optional = properties.iter_mut().filter(|(name, _)| !is_required(name));
            optional.for_each(|(_, schema)| never_null(schema));
        }
    });
}

/// The links of Rust's documentation lead to variants, which have names of their own on the wire.
fn without_links(description: &str) -> String {
    let (mut text, mut rest) = (String::new(), description);
    while let Some((before, link)) = rest.split_once("[`")
        && let Some((target, after)) = link.split_once("`]")
    {
        let name = target.rsplit("::").next().unwrap_or_default().to_lowercase();
        text.extend([before, "`", &name, "`"]);
        rest = after;
    }
    text + rest
}

/// What is optional is left out, and never null.
fn never_null(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    fields.remove("default");
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(alternatives)) = fields.get_mut("anyOf") {
        alternatives.retain(|one| one["type"] != "null");
        if let [Value::Object(only)] = &alternatives[..] {
            let only = only.clone();
            fields.remove("anyOf");
            fields.extend(only);
        }
    }
}

/// The schemas of `docs/asyncapi.json` are of draft 7, in which nothing counts beside a reference.
pub(super) fn in_draft_7(document: &mut Value) {
    visit(document, &mut |fields| {
        let is_schema_with_more = fields.contains_key("$ref") && fields.len() > 1;
        if let Some(target) = fields.remove("$ref") {
            if is_schema_with_more {
                fields.insert("allOf".to_owned(), json!([{ "$ref": target }]));
            } else {
                fields.insert("$ref".to_owned(), target);
            }
        }
    });
}
