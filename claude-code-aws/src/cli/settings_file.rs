//! Configuration file of this user, below the environment: `~/.config/claude-code-aws/config.toml`. There is none of a
//! working directory: a folder that somebody sent must not decide where prompts go.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use claude_code_core::{Error, Result};

/// What the names of variables begin with; in the file they stand without it, in lower case.
pub(super) const PREFIX: &str = "CLAUDE_CODE_AWS_";

/// The settings that there are, as docs/reference/environment.md has them.
pub(super) const NAMES: [&str; 40] = [
    "PROVIDER",
    "MODEL_ID",
    "CATALOGUE",
    "PROFILE_SCOPE",
    "MAX_TOKENS",
    "FAILOVER_REGIONS",
    "FAILOVER_URLS",
    "ANTHROPIC_SECRET_ARN",
    "GUARDRAIL",
    "SERVICE_TIER",
    "REQUEST_METADATA",
    "MAX_USD_PER_REQUEST",
    "MAX_USD_PER_DAY",
    "MAX_USD_PER_DAY_PER_SCOPE",
    "DOWNGRADE",
    "MAX_SENDS",
    "TIMEOUT_SECONDS",
    "FIRST_EVENT_SECONDS",
    "IDLE_SECONDS",
    "RECONNECT_SECONDS",
    "BATCH_ROLE_ARN",
    "BATCH_BUCKET",
    "CA_BUNDLE",
    "AUTHORIZER_CLAIM",
    "STORE",
    "LOCAL_DIR",
    "TABLE_NAME",
    "BUCKET_NAME",
    "STATE_TABLE",
    "SERVICE_TABLE",
    "SERVICE_BUCKET",
    "CACHE_TTL_SECONDS",
    SERVE_TOKEN,
    "EMF",
    "LOG",
    "USAGE_COUNTERS",
    "ALLOWED_ORIGINS",
    "JOBS_QUEUE_URL",
    "RESPONSE_STREAMING",
    "ALLOW_ENDPOINT_OVERRIDE",
];

/// The one setting that is a secret: it is never shown.
pub(super) const SERVE_TOKEN: &str = "SERVE_TOKEN";

/// What the file says, by the names of the variables.
#[derive(Debug, Default)]
pub(super) struct SettingsFile {
    values: BTreeMap<String, String>,
}

/// Where the file is; none without a home directory.
pub(super) fn path() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| std::env::home_dir().map(|home| home.join(".config")))?;
    Some(base.join("claude-code-aws").join("config.toml"))
}

impl SettingsFile {
    /// Reads the file, if it is there. Fails naming the file, and the key that cannot be used.
    pub(super) fn read() -> Result<Self> {
        let Some(path) = path() else { return Ok(SettingsFile::default()) };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(SettingsFile::default()),
            Err(error) => return Err(Error::invalid(format!("cannot read {}: {error}", path.display()))),
        };
        SettingsFile::parse(&text)
            .map_err(|error| Error::invalid(format!("{}: {}", path.display(), error.message())))
    }

    fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line =
                error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            Error::invalid(format!("line {line} is not TOML: {}", error.message()))
        })?;
        let read = |(key, value): (String, toml::Value)| -> Result<(String, String)> {
            let name = NAMES.iter().find(|name| name.eq_ignore_ascii_case(&key)).ok_or_else(|| {
                Error::invalid(format!(
                    "there is no setting {key:?}: `claude-code-aws config show` lists them"
                ))
            })?;
            let text = word(&value).ok_or_else(|| {
                Error::invalid(format!("{key} takes a text, a number, true or false, or a list of texts"))
            })?;
            Ok((format!("{PREFIX}{name}"), text))
        };
        Ok(SettingsFile { values: table.into_iter().map(read).collect::<Result<_>>()? })
    }

    /// The value of a variable.
    pub(super) fn get(&self, variable: &str) -> Option<&str> {
        self.values.get(variable).map(String::as_str)
    }

    /// The environment, with the file's values for what is not set there.
    pub(super) fn below(self, env: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
        let mut all: Vec<_> = env.filter(|(_, value)| !value.is_empty()).collect();
        for (name, value) in self.values {
            if !all.iter().any(|(known, _)| known.to_str() == Some(&name)) {
                all.push((name.into(), value.into()));
            }
        }
        all
    }
}

/// A value as a variable has it.
fn word(value: &toml::Value) -> Option<String> {
    Some(match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => u8::from(*flag).to_string(),
        toml::Value::Array(items) => {
            items.iter().map(|item| item.as_str()).collect::<Option<Vec<_>>>()?.join(",")
        }
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_the_reference_can_stand_in_the_file() {
        let page = include_str!("../../../docs/reference/environment.md");
        let (tables, _) = page.split_once("## Other variables").unwrap();
        let rows = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
        let mut seen = 0;
        for (names, _) in rows {
            // OpenTelemetry's own variables are the environment's alone.
            let names =
                names.split(", ").map(|name| name.trim_matches('`')).filter(|name| !name.contains("OTEL"));
            for name in names.filter(|name| name.starts_with(|first: char| first.is_ascii_uppercase())) {
                assert!(NAMES.contains(&name), "{name}");
                seen += 1;
            }
        }
        assert!(seen > 30, "{seen}");
    }

    #[test]
    fn values_become_the_text_of_a_variable_and_the_environment_comes_first() {
        let file = SettingsFile::parse(
            "model_id = \"haiku\"\nmax_sends = 3\nMAX_USD_PER_DAY = 2.5\ndowngrade = true\nfailover_regions = [\"us-west-2\", \"eu-west-1\"]",
        )
        .unwrap();
        let env = [("CLAUDE_CODE_AWS_MODEL_ID", "opus"), ("CLAUDE_CODE_AWS_MAX_SENDS", "")];
        let all = file.below(env.map(|(name, value)| (name.into(), value.into())).into_iter());
        let of = |name: &str| {
            let found = all.iter().find(|(known, _)| known.to_str() == Some(&format!("{PREFIX}{name}")));
            found.map(|(_, value)| value.to_str().unwrap().to_owned())
        };
        assert_eq!(of("MODEL_ID").as_deref(), Some("opus"));
        assert_eq!(of("MAX_SENDS").as_deref(), Some("3"), "empty is unset");
        assert_eq!(of("MAX_USD_PER_DAY").as_deref(), Some("2.5"));
        assert_eq!(of("DOWNGRADE").as_deref(), Some("1"));
        assert_eq!(of("FAILOVER_REGIONS").as_deref(), Some("us-west-2,eu-west-1"));
    }

    #[test]
    fn what_the_file_cannot_mean_is_told_by_line_or_key() {
        for (text, part) in [
            ("model_id = haiku", "line 1 is not TOML"),
            ("a = 1\n[b", "line 2 is not TOML"),
            ("modle_id = \"haiku\"", "there is no setting \"modle_id\""),
            ("[model_id]\nx = 1", "model_id takes a text"),
            ("failover_urls = [1]", "failover_urls takes a text"),
        ] {
            let error = SettingsFile::parse(text).unwrap_err();
            assert!(error.message().contains(part), "{text:?}: {error}");
        }
    }
}
