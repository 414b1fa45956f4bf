//! Request bodies of generation routes.

use std::time::Duration;

use claude_code_core::answer::path::MAX_PATH;
use claude_code_core::model::capability::Effort;
use claude_code_core::request::{self, SourceFile};
use claude_code_core::{CacheMode, GenerateRequest, Language, PicoUsd, Tier};
use schemars::JsonSchema;
use serde::de::{Deserializer, Error as _, Unexpected};
use serde::{Deserialize, Serialize};

use crate::http::response::problem::Problem;

/// A model: a family's name, or an id, which is never a word of letters alone.
const MODEL: &str = r"^(haiku|sonnet|opus|fable|mythos|[A-Za-z]*[0-9_:/-](\.?[A-Za-z0-9_:/-])*|[A-Za-z]+\.[A-Za-z0-9_:/-](\.?[A-Za-z0-9_:/-])*)$";
/// Text of a file: anything but a NUL byte.
const TEXT: &str = r"^[^\x00]*$";
/// A language's name, for the API's description; the core decides.
pub(crate) const LANGUAGE: &str = r"^[A-Za-z0-9+#_-][A-Za-z0-9+#._-]{0,31}$";
/// Text that says something, for the API's description.
pub(crate) const NOT_BLANK: &str = r"\S";

/// A whole number, which JSON may write with a point: 3.0 is 3.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    if number.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&number) {
        return Err(D::Error::invalid_value(Unexpected::Float(number), &"a whole number below 2^32"));
    }
    Ok(Some(number as u32))
}

/// A file handed in.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SourceFile")]
pub(crate) struct FileBody {
    /// Its path, as the model shall see it.
    #[schemars(length(min = 1, max = 900), regex(pattern = r"^[^\r\n]*\S[^\r\n]*$"))]
    path: String,
    /// Its text.
    #[schemars(regex(pattern = TEXT))]
    content: String,
}

/// A tier of models.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Tier")]
enum TierBody {
    Simple,
    Medium,
    Complex,
}

/// How hard the model tries.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Effort")]
enum EffortBody {
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

/// How the response cache is used.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "CacheMode")]
enum CacheBody {
    Use,
    Refresh,
    Off,
}

/// What kind of work it is.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Task")]
enum TaskBody {
    Generate,
    Explain,
    Review,
    Test,
    Document,
}

/// What applies to new code and to changes alike.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GenerateRequest", extend("anyOf" = [
    { "properties": { "task": { "enum": ["generate", null] } } },
    { "required": ["task", "files"],
      "properties": { "task": { "enum": ["explain", "review", "test", "document"] }, "files": { "minItems": 1 } } },
]))]
pub(crate) struct GenerateBody {
    /// What is wanted, in plain words.
    #[schemars(length(min = 1), regex(pattern = NOT_BLANK))]
    prompt: String,
    /// What kind of work it is; left out: generate. All others are about `files`; explain and review may answer in words
    /// alone, generate, test and document answer with files.
    task: Option<TaskBody>,
    /// The language; left out: the prompt tells.
    #[schemars(regex(pattern = LANGUAGE))]
    language: Option<String>,
    /// Files to read or change, in this order.
    #[serde(default)]
    files: Vec<FileBody>,
    /// The tier; left out: the classifier's.
    tier: Option<TierBody>,
    /// A model id, or `haiku`, `sonnet`, `opus`; left out: the tier's current model.
    #[schemars(regex(pattern = MODEL), length(max = 256))]
    model: Option<String>,
    /// How hard the model tries.
    effort: Option<EffortBody>,
    /// The longest single answer in tokens.
    #[serde(default, deserialize_with = "whole")]
    #[schemars(range(min = 1, max = 127_999))]
    max_tokens: Option<u32>,
    /// 0 to 1, for models that take it.
    #[schemars(range(min = 0.0, max = 1.0))]
    temperature: Option<f64>,
    /// The most that the request may cost, in dollars as a decimal string.
    #[schemars(regex(pattern = r"^[0-9]{1,7}(\.[0-9]{1,12})?$"))]
    max_usd: Option<String>,
    /// How the response cache is used.
    cache: Option<CacheBody>,
}

/// Changes to given code.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RefactorRequest", extend("anyOf" = [
    { "required": ["files"], "properties": { "files": { "minItems": 1 }, "code": { "type": "null" } } },
    { "required": ["code"], "properties": { "code": { "type": "string" }, "files": { "maxItems": 0 } } },
]))]
pub(crate) struct RefactorBody {
    /// What is to change.
    #[schemars(length(min = 1), regex(pattern = NOT_BLANK))]
    instructions: String,
    /// The files to change.
    #[serde(default)]
    files: Vec<FileBody>,
    /// The code to change, where it is a single unnamed file.
    #[schemars(regex(pattern = TEXT))]
    code: Option<String>,
    /// The language of `code`.
    #[schemars(regex(pattern = LANGUAGE))]
    language: Option<String>,
    /// The tier; left out: the classifier's.
    tier: Option<TierBody>,
    /// A model id, or `haiku`, `sonnet`, `opus`.
    #[schemars(regex(pattern = MODEL), length(max = 256))]
    model: Option<String>,
    /// The most that the request may cost, in dollars as a decimal string.
    #[schemars(regex(pattern = r"^[0-9]{1,7}(\.[0-9]{1,12})?$"))]
    max_usd: Option<String>,
    /// How the response cache is used.
    cache: Option<CacheBody>,
}

/// Work as it was asked for, in the form that jobs keep.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Work {
    /// New code.
    Generate(GenerateBody),
    /// Changes.
    Refactor(RefactorBody),
}

impl Work {
    /// The core's request, within this time. Fails naming the field.
    pub(crate) fn request(self, within: Duration) -> Result<GenerateRequest, Problem> {
        let request = match self {
            Work::Generate(body) => body.request()?,
            Work::Refactor(body) => body.request()?,
        };
        Ok(request.with_timeout(within))
    }
}

impl GenerateBody {
    fn request(self) -> Result<GenerateRequest, Problem> {
        if self.prompt.trim().is_empty() {
            return Err(Problem::field("prompt", "the prompt is empty: say what the code should do"));
        }
        let work = task(self.task);
        if work.needs_files() && self.files.is_empty() {
            let detail = format!("task {} is about given files: give files", work.as_str());
            return Err(Problem::field("files", detail));
        }
        let max_usd = dollars(self.max_usd.as_deref())?;
        Ok(GenerateRequest {
            work,
            language: language(self.language)?,
            files: sources(self.files)?,
            tier: self.tier.map(tier),
            model: self.model,
            effort: self.effort.map(effort),
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            max_usd,
            cache: cache(self.cache),
            ..GenerateRequest::new(self.prompt)
        })
    }
}

impl RefactorBody {
    fn request(self) -> Result<GenerateRequest, Problem> {
        if self.instructions.trim().is_empty() {
            return Err(Problem::field("instructions", "the instructions are empty: say what is to change"));
        }
        let language = language(self.language)?;
        let mut files = sources(self.files)?;
        match (files.is_empty(), self.code) {
            (true, Some(content)) => {
                files.push(SourceFile { path: path_of_code(language.as_deref()), content })
            }
            (true, None) => {
                return Err(Problem::field("files", "give files, or code: there is nothing to change"));
            }
            (false, Some(_)) => return Err(Problem::field("code", "give files or code, not both")),
            (false, None) => {}
        }
        Ok(GenerateRequest {
            language,
            tier: self.tier.map(tier),
            model: self.model,
            max_usd: dollars(self.max_usd.as_deref())?,
            cache: cache(self.cache),
            ..GenerateRequest::refactor(files, self.instructions)
        })
    }
}

/// The request of a line of a batch: the members of POST /generate, or with `instructions` of POST /refactor. Fails with
/// what is wrong.
#[cfg(feature = "cli")]
pub(crate) fn of_line(
    members: serde_json::Map<String, serde_json::Value>,
) -> Result<GenerateRequest, String> {
    let changes = members.contains_key("instructions") && !members.contains_key("prompt");
    let value = serde_json::Value::Object(members);
    let read = |error: serde_json::Error| error.to_string();
    let told = |problem: Problem| problem.told();
    match changes {
        true => serde_json::from_value::<RefactorBody>(value).map_err(read)?.request().map_err(told),
        false => serde_json::from_value::<GenerateBody>(value).map_err(read)?.request().map_err(told),
    }
}

/// The JSON schema of a line of a batch.
#[cfg(feature = "cli")]
pub(crate) fn line_schema() -> serde_json::Value {
    // One generator for both: what they refer to stands at the root.
    let mut types = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let bodies = [GenerateBody::json_schema(&mut types), RefactorBody::json_schema(&mut types)];
    let definitions = types.take_definitions(true);
    let [generate, refactor] = bodies.map(|schema| {
        let mut schema = schema.to_value();
        if let Some(members) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
            members.insert(
                "id".to_owned(),
                serde_json::json!({
                    "description": "A name of yours, which the line of the result has too.",
                    "type": ["string", "number", "null"],
                }),
            );
        }
        schema
    });
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a batch",
        "anyOf": [
            generate,
            refactor,
            { "type": "string", "pattern": "\\S", "description": "The prompt alone." },
        ],
        "$defs": definitions,
    })
}

fn language(name: Option<String>) -> Result<Option<String>, Problem> {
    match &name {
        Some(given) if Language::new(given).is_err() => {
            Err(Problem::field("language", "a language is a short name such as python or typescript"))
        }
        _ => Ok(name),
    }
}

fn sources(files: Vec<FileBody>) -> Result<Vec<SourceFile>, Problem> {
    let is_bad = |path: &str| path.trim().is_empty() || path.len() > MAX_PATH || path.contains(['\n', '\r']);
    let bad = files.iter().position(|file| is_bad(&file.path));
    if let Some(index) = bad {
        let detail = "a path is one line of 1 to 900 bytes: name each file";
        return Err(Problem::field(format!("files[{index}].path"), detail));
    }
    Ok(files.into_iter().map(|FileBody { path, content }| SourceFile { path, content }).collect())
}

fn dollars(text: Option<&str>) -> Result<Option<PicoUsd>, Problem> {
    let refuse = |_| Problem::field("max_usd", "max_usd takes dollars as a decimal string such as \"0.50\"");
    text.map(PicoUsd::from_usd).transpose().map_err(refuse)
}

fn path_of_code(language: Option<&str>) -> String {
    let known = language.and_then(|name| Language::new(name).ok()).unwrap_or_else(Language::text);
    format!("main.{}", known.extension())
}

fn task(body: Option<TaskBody>) -> request::Work {
    match body {
        None | Some(TaskBody::Generate) => request::Work::Generate,
        Some(TaskBody::Explain) => request::Work::Explain,
        Some(TaskBody::Review) => request::Work::Review,
        Some(TaskBody::Test) => request::Work::Test,
        Some(TaskBody::Document) => request::Work::Document,
    }
}

fn tier(body: TierBody) -> Tier {
    match body {
        TierBody::Simple => Tier::Simple,
        TierBody::Medium => Tier::Medium,
        TierBody::Complex => Tier::Complex,
    }
}

fn effort(body: EffortBody) -> Effort {
    match body {
        EffortBody::Low => Effort::Low,
        EffortBody::Medium => Effort::Medium,
        EffortBody::High => Effort::High,
        EffortBody::Xhigh => Effort::Xhigh,
        EffortBody::Max => Effort::Max,
    }
}

fn cache(body: Option<CacheBody>) -> CacheMode {
    match body {
        None | Some(CacheBody::Use) => CacheMode::Use,
        Some(CacheBody::Refresh) => CacheMode::Refresh,
        Some(CacheBody::Off) => CacheMode::Off,
    }
}
