//! AWS files: where `~/.aws/config` and `~/.aws/credentials` are, and their text in the form that the SDK reads.
//!
//! The AWS command line and boto3 read more than the SDK does: indented properties, colons, remarks behind a section's name.
//! The SDK takes a file with one of them for an empty one.

use std::path::{Path, PathBuf};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_types::DateTime;

/// When the files were last written, and how long they are.
pub(super) type Stamps = Vec<Option<(DateTime, u64)>>;

/// The files that credentials are read from.
#[derive(Clone, Debug)]
pub(super) struct Files(Vec<PathBuf>);

/// In the order in which the SDK reads them: the later one wins.
const KINDS: [EnvConfigFileKind; 2] = [EnvConfigFileKind::Config, EnvConfigFileKind::Credentials];

impl Files {
    pub(super) fn of_env() -> Self {
        let home = std::env::home_dir().unwrap_or_default();
        let file = |name: &str, own: &str| {
            let named = std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
            let path = named.unwrap_or_else(|| Path::new("~/.aws").join(own));
            path.strip_prefix("~").map(|rest| home.join(rest)).unwrap_or(path)
        };
        Files(vec![file("AWS_CONFIG_FILE", "config"), file("AWS_SHARED_CREDENTIALS_FILE", "credentials")])
    }

    #[cfg(test)]
    pub(super) fn over(paths: Vec<PathBuf>) -> Self {
        Files(paths)
    }

    /// What to do about the first file that is not UTF-8.
    pub(super) fn not_utf8(&self) -> Option<String> {
        let is_broken =
            |path: &&PathBuf| std::fs::read(path).is_ok_and(|bytes| String::from_utf8(bytes).is_err());
        self.0.iter().find(is_broken).map(|path| format!("{} is not UTF-8: save it as UTF-8", path.display()))
    }

    pub(super) fn stamps(&self) -> Stamps {
        let stamp = |path: &PathBuf| {
            let meta = std::fs::metadata(path).ok()?;
            Some((DateTime::from(meta.modified().ok()?), meta.len()))
        };
        self.0.iter().map(stamp).collect()
    }

    /// The files as the SDK reads them; one that is not there has nothing in it.
    pub(super) fn for_sdk(&self) -> EnvConfigFiles {
        let all =
            self.each().fold(EnvConfigFiles::builder(), |all, (_, kind, text)| all.with_contents(kind, text));
        all.build()
    }

    /// Each file alone, by its path.
    pub(super) fn alone(&self) -> impl Iterator<Item = (&Path, EnvConfigFiles)> {
        self.each()
            .map(|(path, kind, text)| (path, EnvConfigFiles::builder().with_contents(kind, text).build()))
    }

    fn each(&self) -> impl Iterator<Item = (&Path, EnvConfigFileKind, String)> {
        self.0.iter().zip(KINDS).map(|(path, kind)| {
            (path.as_path(), kind, plain(&std::fs::read_to_string(path).unwrap_or_default()))
        })
    }
}

/// The environment's files as the SDK reads them.
pub(in crate::connect) fn files_of_env() -> EnvConfigFiles {
    Files::of_env().for_sdk()
}

/// The same settings in the SDK's grammar, line by line: properties begin their line and have an equals sign, what is
/// nested under one is indented, and comments are gone.
fn plain(text: &str) -> String {
    let mut level = None;
    let line = |line: &str| {
        let own = line.trim();
        let indent = line.len() - line.trim_start().len();
        if own.is_empty() || own.starts_with(['#', ';']) {
            return String::new();
        }
        if let (true, Some(end)) = (own.starts_with('['), own.find(']')) {
            level = None;
            return own[..=end].to_owned();
        }
        if level.is_some_and(|level| indent > level) {
            return format!("    {own}");
        }
        level = Some(indent);
        match own.find([':', '=']) {
            Some(at) if own[at..].starts_with(':') => format!("{} ={}", &own[..at], &own[at + 1..]),
            _ => own.to_owned(),
        }
    };
    let lines: Vec<String> = text.trim_start_matches('\u{feff}').lines().map(line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_the_aws_command_line_reads_is_in_the_sdks_grammar() {
        for (text, wanted) in [
            ("[default]\n region = a\n output = b\n", "[default]\nregion = a\noutput = b"),
            ("[default]\n\tregion = a\r\n", "[default]\nregion = a"),
            ("[profile x] /* team */\nregion = a\n", "[profile x]\nregion = a"),
            ("[default]\nregion: a\nurl = https://b\n", "[default]\nregion = a\nurl = https://b"),
            (
                "[default]\nregion = a\n  # a remark\n; one more\nb = c#d\n",
                "[default]\nregion = a\n\n\nb = c#d",
            ),
            ("\u{feff}[default]\n", "[default]"),
            (
                "[default]\ns3 =\n    a = 1\n  b = c:d\ne = 2\n",
                "[default]\ns3 =\n    a = 1\n    b = c:d\ne = 2",
            ),
            ("[a]\n  s3 =\n    b = 1\n  c = 2\n[d]\ne = 3\n", "[a]\ns3 =\n    b = 1\nc = 2\n[d]\ne = 3"),
        ] {
            assert_eq!(plain(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn what_is_damaged_stays_damaged_on_its_line() {
        for text in ["[default\nregion = a", "[default]\n\nregion", "region = a\n[default]"] {
            assert_eq!(plain(text), text);
        }
    }
}
