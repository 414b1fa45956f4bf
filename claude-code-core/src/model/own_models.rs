//! A catalogue of one's own: the built-in models with some added and some prices corrected, from JSON.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::model::catalogue::{BUILTIN, Catalogue, ModelCard};

/// Keys of a user's catalogue file.
const KEYS: [&str; 4] = ["as_of", "tiers", "families", "models"];

impl Catalogue {
    /// The built-in catalogue with the changes of a JSON text, such as
    /// `{"models": [{"api_id": "claude-sonnet-5-5", "prices": {"global": {"input": "1.80"}}}]}`. A model that is known by its
    /// `api_id` or `bedrock_id` is changed field by field; any other is new and says which known model it is `like`. What is
    /// left out stays as it is, except that a new model has no prices but its own. Receipts name the table by `as_of`.
    ///
    /// Equal texts give the same catalogue, which is kept until the process ends.
    pub fn with_changes(json: &str) -> Result<&'static Catalogue> {
        static KEPT: Mutex<Option<HashMap<String, &'static Catalogue>>> = Mutex::new(None);
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_or_insert_default();
        if let Some(catalogue) = kept.get(json) {
            return Ok(catalogue);
        }
        let text = changed(json)?.to_string();
        let catalogue = Box::leak(Box::new(Catalogue::parse(Box::leak(text.into_boxed_str()))?));
        kept.insert(json.to_owned(), catalogue);
        Ok(catalogue)
    }
}

/// The whole catalogue as JSON, with the changes made.
fn changed(json: &str) -> Result<Value> {
    let own: Map<String, Value> = serde_json::from_str(json)
        .map_err(|error| Error::invalid(format!("no JSON object that is a catalogue: {error}")))?;
    if let Some(key) = own.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(Error::invalid(format!("unknown field {key:?}: a catalogue has {}", KEYS.join(", "))));
    }
    let mut all: Value = serde_json::from_str(BUILTIN).map_err(|error| Error::invalid(error.to_string()))?;
    let known = known_fields(&all["models"]);
    let no_models = json!([]);
    let models = own.get("models").unwrap_or(&no_models);
    let models = models.as_array().ok_or_else(|| Error::invalid("models is no list"))?;
    for (at, model) in models.iter().enumerate() {
        change(&mut all, model, &known)
            .map_err(|what| Error::invalid(format!("model {}: {what}", name(model, at))))?;
    }
    let day = all["as_of"].as_str().unwrap_or_default();
    let table = own.get("as_of").cloned().unwrap_or_else(|| format!("{day}+own").into());
    for key in ["tiers", "families"] {
        merge(&mut all[key], own.get(key).unwrap_or(&json!({})));
    }
    all["as_of"] = table;
    Ok(all)
}

/// Changes a model, or adds one.
fn change(all: &mut Value, own: &Value, known: &BTreeSet<String>) -> std::result::Result<(), String> {
    let own = own.as_object().ok_or("it is no object")?;
    let ids = ["api_id", "bedrock_id"].map(|key| own.get(key).and_then(Value::as_str));
    let Some(id) = ids[0].or(ids[1]) else { return Err("it has neither api_id nor bedrock_id".into()) };
    for (path, value) in fields(own) {
        if !known.contains(&path) && path != "like" {
            return Err(format!("unknown field {path}"));
        }
        if path.starts_with("prices.") && value.is_number() && !path.ends_with(".above") {
            return Err(format!(
                "{path} is the number {value}: write dollars per million tokens as \"{value}\""
            ));
        }
    }
    let models = all["models"].as_array_mut().ok_or("the built-in models are no list")?;
    let is = |model: &Value, id: &str| model["api_id"] == id || model["bedrock_id"] == id;
    let found = models.iter().position(|model| ids.into_iter().flatten().any(|id| is(model, id)));
    let mut model = match (found, own.get("like").and_then(Value::as_str)) {
        (Some(at), _) => models[at].clone(),
        (None, None) => return Err("it is new: say with \"like\" which known model it is like".into()),
        (None, Some(like)) => {
            let like =
                models.iter().find(|model| is(model, like)).ok_or(format!("no model {like:?} is known"))?;
            let mut new = like.clone();
            merge(&mut new, &json!({ "name": id, "api_id": id, "bedrock_id": id, "released": null }));
            new["lifecycle"] = json!({ "status": "active" });
            (new["profiles"], new["prices"]) = (json!([]), json!({}));
            new
        }
    };
    merge(&mut model, &Value::Object(own.clone()));
    if let Some(fields) = model.as_object_mut() {
        fields.remove("like");
    }
    // A model that is not on Bedrock has one price, wherever it runs: its id names no place.
    let is_bedrocks = model["bedrock_id"].as_str().is_some_and(|id| id.starts_with("anthropic."));
    if found.is_none() && !is_bedrocks && model["prices"]["regional"].is_null() {
        let everywhere = model["prices"]["global"].clone();
        merge(&mut model["prices"], &json!({ "regional": everywhere }));
    }
    // Read alone, so that an error is about this model.
    let text: &'static str = Box::leak(model.to_string().into_boxed_str());
    serde_json::from_str::<ModelCard>(text).map_err(|error| {
        let told = error.to_string();
        told.split(" at line ").next().unwrap_or_default().to_owned()
    })?;
    match found {
        Some(at) => models[at] = model,
        None => models.push(model),
    }
    Ok(())
}

/// Changes field by field; null takes a field away.
fn merge(base: &mut Value, own: &Value) {
    let (Value::Object(fields), Value::Object(own)) = (&mut *base, own) else {
        *base = own.clone();
        return;
    };
    for (key, value) in own {
        match value {
            Value::Null => drop(fields.remove(key)),
            _ => merge(fields.entry(key.clone()).or_insert(Value::Null), value),
        }
    }
}

/// The fields that built-in models have: another one is a slip of the pen.
fn known_fields(models: &Value) -> BTreeSet<String> {
    let models = models.as_array().into_iter().flatten().filter_map(Value::as_object);
    models.flat_map(fields).map(|(path, _)| path).collect()
}

/// Every field with its path, such as `prices.global.input`.
fn fields(object: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (key, value) in object {
        found.push((key.clone(), value));
        let below = value.as_object().map(fields).unwrap_or_default();
        found.extend(below.into_iter().map(|(path, value)| (format!("{key}.{path}"), value)));
    }
    found
}

/// A model by its id, or by its place in the list, from 1.
fn name(model: &Value, at: usize) -> String {
    let id = ["api_id", "bedrock_id"].into_iter().find_map(|key| model[key].as_str());
    id.map_or_else(|| (at + 1).to_string(), |id| id.chars().filter(char::is_ascii_graphic).take(80).collect())
}
