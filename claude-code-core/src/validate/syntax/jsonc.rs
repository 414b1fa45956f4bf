//! JSON with comments: which files are read so, and the JSON beneath.

use std::borrow::Cow;

use crate::validate::source::Source;

/// Folders of editors and tools that read their settings as JSON with comments.
const FOLDERS: [&str; 8] = [
    ".vscode/",
    ".devcontainer/",
    ".zed/",
    ".cursor/",
    ".config/",
    ".sublime/",
    "config/rush/",
    ".azuredevops/",
];

/// Beginnings of names of files whose reader takes comments: each by the documentation of its tool.
const STARTS: [&str; 16] = [
    "tsconfig",
    "jsconfig",
    ".eslintrc",
    "appsettings",
    "api-extractor",
    "typedoc",
    ".markdownlint",
    ".jshintrc",
    ".babelrc",
    "babel.config",
    ".swcrc",
    ".mocharc",
    ".nycrc",
    ".oxlintrc",
    ".luarc",
    "renovate",
];

/// Whole names of such files.
const NAMES: [&str; 44] = [
    "devcontainer.json",
    ".devcontainer.json",
    "devcontainer-feature.json",
    "devcontainer-template.json",
    "deno.json",
    "import_map.json",
    "jsr.json",
    "bun.lock",
    "tslint.json",
    "biome.json",
    "turbo.json",
    "nx.json",
    "project.json",
    "workspace.json",
    "angular.json",
    "rush.json",
    "wrangler.json",
    "dprint.json",
    ".dprint.json",
    ".prettierrc",
    ".prettierrc.json",
    ".jscsrc",
    ".jsbeautifyrc",
    ".hintrc",
    ".ember-cli",
    ".renovaterc",
    ".renovaterc.json",
    "launchSettings.json",
    "host.json",
    "local.settings.json",
    "global.json",
    "pyrightconfig.json",
    "firebase.json",
    "database.rules.json",
    "language-configuration.json",
    "keybindings.json",
    "settings.json",
    "launch.json",
    "tasks.json",
    "extensions.json",
    "c_cpp_properties.json",
    "vcpkg.json",
    "cspell.json",
    "manifest.json",
];

/// Endings of such files.
const ENDINGS: [&str; 8] = [
    ".jsonc",
    ".code-workspace",
    ".code-snippets",
    ".tsconfig.json",
    ".eslintrc.json",
    ".sublime-settings",
    ".sublime-project",
    "-color-theme.json",
];

/// Whether the tool that reads a file takes comments in it, and commas before a closing bracket.
pub fn is_read_so(source: &Source) -> bool {
    let (name, path) = (source.name(), source.path.unwrap_or(""));
    FOLDERS.iter().any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")))
        || path.split('/').any(|part| part.starts_with("tsconfig"))
        || STARTS.iter().any(|start| name.starts_with(start))
        || NAMES.contains(&name)
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The text with its comments and last commas blanked, byte for byte in place. A comment that does not end stays.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains("//") && !text.contains("/*") && !text.contains(',') {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    let mut at = 0;
    let mut comma = None;
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).copied();
        match (byte, next) {
            (b'"', _) => {
                comma = None;
                at = string_end(&bytes, at);
                continue;
            }
            (b'/', Some(b'/')) => {
                let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
                blank(&mut bytes[at..end]);
                at = end;
                continue;
            }
            (b'/', Some(b'*')) => {
                let Some(length) = text[at + 2..].find("*/") else { break };
                let end = at + 2 + length + 2;
                blank(&mut bytes[at..end]);
                at = end;
                continue;
            }
            (b',', _) => comma = Some(at),
            (b']' | b'}', _) => {
                if let Some(comma) = comma.take() {
                    bytes[comma] = b' ';
                }
            }
            _ if !byte.is_ascii_whitespace() => comma = None,
            _ => {}
        }
        at += 1;
    }
    // Only whole comments and ASCII commas were replaced, so it is text as before.
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Where a string ends that begins at a quote.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| !matches!(**byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
}
