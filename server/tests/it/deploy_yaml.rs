//! The YAML files in `deploy` must be readable, and set up containers with settings of this program only.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Map, Value};
use server::config::{
    Config, all_settings, cli::CommandLine, environment::Environment, setting::Setting,
};

/// What a file says about one container.
#[derive(Debug, Default)]
struct Container {
    image: String,
    /// Names, and values where the file has them.
    variables: Vec<(String, Option<String>)>,
    arguments: Vec<String>,
}

/// The containers of a file of Compose or Kubernetes, or why it can't be used.
fn containers(text: &str) -> Result<Vec<Container>, String> {
    let documents =
        serde_saphyr::from_multiple::<Value>(text).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for document in &documents {
        search(document, &mut found)?;
    }
    Ok(found)
}

/// Everything with an image is a container: a service of Compose, an entry of `containers` of Kubernetes.
fn search(value: &Value, found: &mut Vec<Container>) -> Result<(), String> {
    match value {
        Value::Object(map) => {
            if map.get("image").is_some_and(Value::is_string) {
                found.push(container(map)?);
            }
            map.values().try_for_each(|inner| search(inner, found))
        }
        Value::Array(list) => list.iter().try_for_each(|inner| search(inner, found)),
        _ => Ok(()),
    }
}

fn container(map: &Map<String, Value>) -> Result<Container, String> {
    let image = text(&map["image"]).unwrap_or_default();
    let mut container = Container { image, ..Container::default() };
    // Compose has a map or lines like `NAME=value`, Kubernetes a list of names with values or their sources.
    let environment = map.get("environment").or_else(|| map.get("env"));
    match environment {
        None => {}
        Some(Value::Object(variables)) => {
            container.variables =
                variables.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        }
        Some(Value::Array(variables)) => {
            for variable in variables {
                container.variables.push(variable_in_a_list(variable)?);
            }
        }
        Some(other) => return Err(format!("{other} is no environment")),
    }
    for key in ["command", "args"] {
        match map.get(key) {
            Some(Value::Array(words)) => container.arguments.extend(words.iter().filter_map(text)),
            Some(Value::String(words)) => {
                container.arguments.extend(words.split_whitespace().map(str::to_owned));
            }
            _ => {}
        }
    }
    Ok(container)
}

fn variable_in_a_list(variable: &Value) -> Result<(String, Option<String>), String> {
    if let Some(line) = variable.as_str() {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        return Ok((name.to_owned(), Some(value.to_owned())));
    }
    let name = variable.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| format!("{variable} has no name"))?;
    match variable.get("value") {
        None => Ok((name.to_owned(), None)),
        Some(Value::String(value)) => Ok((name.to_owned(), Some(value.clone()))),
        Some(other) => Err(format!("{name}: Kubernetes refuses {other} without quotes")),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// How many settings of Rollcall the file has, or which one is wrong.
fn check(file: &str) -> Result<usize, String> {
    let known: BTreeSet<_> = all_settings::all().map(Setting::variable).collect();
    let mut settings = 0;
    for container in containers(file)? {
        let is_a_setting =
            |name: &str| name.starts_with("ROLLCALL_") || name.starts_with("LEPTOS_");
        // Set by the image; see the Containerfile.
        let mut values = vec![("ROLLCALL_STATE_DIR", "/state")];
        for (name, value) in container.variables.iter().filter(|(name, _)| is_a_setting(name)) {
            if !known.contains(name) {
                return Err(format!("{}: {name} is no setting", container.image));
            }
            settings += 1;
            // What Compose or Kubernetes inserts is known to them alone.
            if let Some(value) = value.as_deref().filter(|value| !value.contains('$')) {
                values.push((name.as_str(), value));
            }
        }
        if is_of_rollcall(&container.image) {
            let flags = container.arguments.iter().skip_while(|word| !word.starts_with("--"));
            settings += flags.clone().filter(|word| word.starts_with("--")).count();
            let words = ["rollcall"].into_iter().chain(flags.map(String::as_str));
            load(words, &values).map_err(|error| format!("{}: {error}", container.image))?;
        }
    }
    Ok(settings)
}

/// Whether an image like `ghcr.io/rollcall/rollcall:1` is the program's.
fn is_of_rollcall(image: &str) -> bool {
    image.rsplit('/').next().is_some_and(|name| name.starts_with("rollcall"))
}

/// As the program reads them in a container, where there is no file.
fn load<'a>(
    words: impl IntoIterator<Item = &'a str>,
    variables: &[(&str, &str)],
) -> Result<Config, String> {
    let environment = Environment::of(variables);
    let line = CommandLine::parse(words, environment).map_err(|error| error.to_string())?;
    Config::load(line.sources).map_err(|error| error.to_string())
}

#[test]
fn yaml_files_set_up_containers_with_existing_settings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_yaml = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
    };
    for path in paths.filter(is_yaml) {
        let settings = check(&fs::read_to_string(&path).unwrap());
        assert!(settings.as_ref().is_ok_and(|number| *number > 0), "{path:?}: {settings:?}");
    }
}

const COMPOSE: &str = r#"
x-rollcall: &rollcall
  image: ghcr.io/example/rollcall:1
  environment: &environment
    ROLLCALL_CLUSTER_ENGINE: redis://valkey:6379
    ROLLCALL_PERSON_KEY_FILE: /run/secrets/person-key
    ROLLCALL_PUBLIC_URL: ${PUBLIC_URL:?set it}
services:
  valkey:
    image: valkey/valkey:9
    command: valkey-server --save "" --appendonly no
  one:
    <<: *rollcall
    command: ["--cluster-lease", "2s"]
"#;

const KUBERNETES: &str = r#"
kind: Service
---
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: rollcall
          image: rollcall
          args: ["--cluster-lease=2s"]
          env:
            - name: LEPTOS_SITE_ADDR
              value: "0.0.0.0:3000"
            - name: ROLLCALL_PERSON_KEY_FILE
              valueFrom: { secretKeyRef: { name: rollcall, key: file } }
"#;

#[test]
fn mistakes_in_yaml_files_are_found() {
    // Three settings of the template, and of the service that is made from it, with a flag.
    assert_eq!(check(COMPOSE), Ok(7));
    assert_eq!(check(KUBERNETES), Ok(3));
    for (file, right, wrong, named) in [
        (COMPOSE, "ROLLCALL_CLUSTER_ENGINE", "ROLLCALL_CLUSTER_ENGNE", "ROLLCALL_CLUSTER_ENGNE"),
        (COMPOSE, "redis://valkey:6379", "http://valkey", "cluster-engine"),
        (COMPOSE, "    ROLLCALL_PERSON_KEY_FILE: /run/secrets/person-key\n", "", "person-key-file"),
        (COMPOSE, "--cluster-lease", "--cluster-leas", "--cluster-leas"),
        (COMPOSE, "services:", "services: [", "line"),
        (KUBERNETES, "LEPTOS_SITE_ADDR", "LEPTOS_SITE_ADR", "LEPTOS_SITE_ADR"),
        (KUBERNETES, "\"0.0.0.0:3000\"", "3000", "without quotes"),
        (KUBERNETES, "lease=2s", "lease=2 hours", "cluster-lease"),
    ] {
        assert!(file.contains(right), "{right}");
        let error = check(&file.replacen(right, wrong, 1)).expect_err(wrong);
        assert!(error.contains(named), "{wrong}: {error}");
    }
}
