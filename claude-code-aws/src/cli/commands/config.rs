//! `config`: which settings hold, and where each comes from.

use claude_code_core::Result;

use crate::cli::args::{ConfigCommand, Global};
use crate::cli::output::exit;
use crate::cli::output::json;
use crate::cli::output::plain;
use crate::cli::output::show;
use crate::cli::settings_file::{self, NAMES, PREFIX, SERVE_TOKEN, SettingsFile};

pub(crate) fn run(global: Global, command: ConfigCommand) -> Result<u8> {
    match command {
        ConfigCommand::Show => show_all(global),
        ConfigCommand::Path => {
            let path = settings_file::path().map_or_else(String::new, |path| path.display().to_string());
            show::out(&format!("{path}\n"))?;
            Ok(exit::OK)
        }
    }
}

/// A setting with its value and its source.
#[derive(serde::Serialize)]
struct Setting {
    name: String,
    value: Option<String>,
    from: &'static str,
}

fn show_all(global: Global) -> Result<u8> {
    let file = SettingsFile::read()?;
    let settings: Vec<Setting> = NAMES.iter().map(|name| setting(name, &file)).collect();
    if global.json {
        show::out(&json::text(&settings)?)?;
        return Ok(exit::OK);
    }
    let row = |setting: Setting| {
        let value = setting.value.map_or_else(|| "-".to_owned(), |value| plain::line(&value));
        vec![setting.name, value, setting.from.to_owned()]
    };
    show::out(&show::headed(["setting", "value", "from"], settings.into_iter().map(row).collect()))?;
    if let Some(path) = settings_file::path() {
        show::remark(&format!("the file is {}; the environment wins", path.display()));
    }
    Ok(exit::OK)
}

fn setting(name: &str, file: &SettingsFile) -> Setting {
    let variable = format!("{PREFIX}{name}");
    let set = std::env::var_os(&variable).filter(|value| !value.is_empty());
    let (value, from) = match (set, file.get(&variable)) {
        (Some(value), _) => (Some(value.to_string_lossy().into_owned()), "environment"),
        (None, Some(value)) => (Some(value.to_owned()), "file"),
        (None, None) => (None, "default"),
    };
    // A secret is told to be there, never shown.
    let value = value.map(|value| if name == SERVE_TOKEN { "(set)".to_owned() } else { value });
    Setting { name: name.to_lowercase(), value, from }
}
