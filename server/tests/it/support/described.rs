//! Holds what servers send in tests to docs/openapi.json and docs/asyncapi.json: nothing else is sent.

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use app::presence::ClientEvent;
use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::{Value, json};

/// The description of HTTP.
pub static OPENAPI: LazyLock<Value> = LazyLock::new(|| document("openapi.json"));

/// The description of frames.
pub static ASYNCAPI: LazyLock<Value> = LazyLock::new(|| document("asyncapi.json"));

fn document(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// By the name of their message.
static MESSAGES: LazyLock<Validators<String>> = LazyLock::new(|| {
    let messages = ASYNCAPI["components"]["messages"].as_object().unwrap();
    let payloads = messages.iter().map(|(name, message)| (name.clone(), &message["payload"]));
    Validators::new(Draft::V7, &ASYNCAPI, payloads)
});

/// What an answer is described by: path, method, status and media type.
type AnswerKey = (String, String, u16, String);

/// Every answer in JSON.
static ANSWERS: LazyLock<Validators<AnswerKey>> = LazyLock::new(|| {
    let mut answers = Vec::new();
    for (path, operations) in OPENAPI["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                let content = resolved(response)["content"].as_object().into_iter().flatten();
                for (media_type, content) in content.filter(|(name, _)| name.ends_with("json")) {
                    let status = status.parse().unwrap();
                    let key = (path.clone(), method.to_uppercase(), status, media_type.clone());
                    answers.push((key, &content["schema"]));
                }
            }
        }
    }
    Validators::new(Draft::V2020_12, &OPENAPI, answers)
});

/// Schemas of a document, without what they leave open for later versions.
struct Validators<Key> {
    schemas: Schemas,
    by_key: BTreeMap<Key, SchemaIndex>,
}

impl<Key: Ord> Validators<Key> {
    fn new<'schema>(
        draft: Draft,
        document: &Value,
        schemas: impl IntoIterator<Item = (Key, &'schema Value)>,
    ) -> Self {
        let (keys, described): (Vec<_>, Vec<_>) = schemas.into_iter().unzip();
        let mut whole = json!({ "components": document["components"], "described": described });
        close(&mut whole);
        let mut compiler = Compiler::new();
        compiler.set_default_draft(draft);
        compiler.enable_format_assertions();
        compiler.add_resource("described.json", whole).unwrap();
        let mut schemas = Schemas::new();
        let indexes = keys.into_iter().enumerate().map(|(place, key)| {
            let location = format!("described.json#/described/{place}");
            (key, compiler.compile(&location, &mut schemas).unwrap())
        });
        let by_key = indexes.collect();
        Self { schemas, by_key }
    }

    /// What is wrong about a value; none if it is as described.
    fn problem(&self, key: &Key, value: &Value) -> Option<String> {
        let Some(index) = self.by_key.get(key) else { return Some("nothing is described".into()) };
        self.schemas.validate(value, *index).err().map(|error| error.to_string())
    }
}

/// No object has a field that is not described.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// What a reference within docs/openapi.json leads to.
fn resolved(value: &Value) -> &Value {
    let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.map_or(value, |target| OPENAPI.pointer(target).unwrap())
}

/// What is wrong about a frame, an event of a stream or a webhook, by the name of its message.
pub fn problem_of_message(name: &str, value: &Value) -> Option<String> {
    MESSAGES.problem(&name.to_owned(), value)
}

/// A frame, an event of a stream or a webhook is as the message of this name.
pub fn assert_is_message(name: &str, text: &str) {
    let problem = problem_of_message(name, &serde_json::from_str(text).unwrap());
    assert_eq!(problem, None, "docs/asyncapi.json has another {name} than {text}");
}

/// A frame that a server sent through a WebSocket.
pub fn assert_is_frame(text: &str) {
    let frame: Value = serde_json::from_str(text).unwrap();
    assert_is_message(frame["event"].as_str().unwrap(), text);
}

/// A frame that a client sends, if it is one, as the types write it.
pub fn assert_is_sent_frame(text: &str) {
    if let Ok(event) = serde_json::from_str::<ClientEvent>(text) {
        assert_is_frame(&serde_json::to_string(&event).unwrap());
    }
}

/// The answer to a request below `/api/`, or for a socket, is as described, if it has a body in JSON.
pub fn assert_is_answer(method: &str, target: &str, answer: &str) {
    let path = target.split('?').next().unwrap();
    // Some servers are below this path as well.
    let path = path.strip_prefix("/rollcall").unwrap_or(path);
    let is_described = path.starts_with("/api/") || path.ends_with("/socket");
    // An answer to HEAD has no body.
    if !is_described || method == "HEAD" {
        return;
    }
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let is_header = |name: &str| head.lines().any(|line| line.starts_with(name));
    let media_type = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    let Some(media_type) = media_type.filter(|name| name.ends_with("json")) else { return };
    if is_header("content-encoding: ") || is_header("transfer-encoding: ") {
        return;
    }
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    let templates = [path.to_owned(), template(path)];
    // Methods that an address does not have are no operations. A key is asked for before a method is refused.
    let is_operation =
        ANSWERS.by_key.keys().any(|key| templates.contains(&key.0) && key.1 == method);
    if matches!(status, 401 | 405) && !is_operation {
        return;
    }
    let key = |path: &String| (path.clone(), method.to_owned(), status, media_type.to_owned());
    let known = templates.iter().map(key).find(|key| ANSWERS.by_key.contains_key(key));
    let known = known.unwrap_or_else(|| key(&templates[1]));
    let problem = ANSWERS.problem(&known, &serde_json::from_str(body).unwrap());
    assert_eq!(problem, None, "docs/openapi.json has another answer: {known:?} {answer}");
}

/// The path with names in the place of a room and of a user's id.
fn template(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    match &mut parts[..] {
        ["", "api", "rooms", room, "users", id] => (*room, *id) = ("{room}", "{id}"),
        ["", "api", "rooms", room] | ["", "api", "rooms", room, _] | ["", "r", room, "socket"] => {
            *room = "{room}";
        }
        _ => {}
    }
    parts.join("/")
}
