//! Where documents lie: files and URLs, what is relative to what, and which of them may be read.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use claude_code_aws::{Error, Result};

use crate::document::decoded;

/// A file or a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    File(PathBuf),
    Url(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Url(url) => f.write_str(url),
        }
    }
}

impl Place {
    /// What a person names.
    pub(crate) fn of(given: &str) -> Self {
        if is_url(given) { Place::Url(joined(given, given)) } else { Place::File(normal(Path::new(given))) }
    }

    /// What a document here means by a reference.
    pub(crate) fn join(&self, reference: &str) -> Self {
        if is_url(reference) {
            return Place::of(reference);
        }
        match self {
            Place::File(path) => {
                let name = decoded(reference.strip_prefix("file://").unwrap_or(reference));
                Place::File(normal(&path.parent().unwrap_or(Path::new("")).join(name)))
            }
            Place::Url(url) => Place::Url(joined(url, reference)),
        }
    }

    /// The name without its folders and endings.
    pub(crate) fn stem(&self) -> String {
        let whole = self.to_string();
        let name = whole.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default().to_owned()
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Without `.` and, where that is possible, without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

fn joined(base: &str, reference: &str) -> String {
    let (scheme, rest) = base.split_once("://").unwrap_or(("https", base));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let reference = if reference == base { format!("/{path}") } else { reference.to_owned() };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if let Some(other) = reference.strip_prefix("//") {
        return format!("{scheme}://{other}");
    }
    let (target, query) = reference.split_once('?').unwrap_or((&reference, ""));
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => path.rsplit_once('/').map_or_else(Vec::new, |(folder, _)| folder.split('/').collect()),
    };
    for part in target.trim_start_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    format!("{scheme}://{host}/{}{query}", parts.join("/"))
}

/// The folders and URLs below which other documents are read.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    folders: Vec<PathBuf>,
    urls: Vec<String>,
}

impl Allowed {
    /// The folder of a document that is a file, and what a person names. Fails for a folder that is not there.
    pub(crate) fn new(root: &Place, named: &[String]) -> Result<Self> {
        let mut allowed = Allowed { folders: Vec::new(), urls: Vec::new() };
        if let Place::File(path) = root {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            allowed.folders.extend(folder.unwrap_or(Path::new(".")).canonicalize());
        }
        for given in named {
            if is_url(given) {
                allowed.urls.push(given.trim_end_matches('/').to_owned());
                continue;
            }
            let folder = Path::new(given).canonicalize();
            let wrong = |error| Error::invalid(format!("--refs {given} cannot be read: {error}"));
            allowed.folders.push(folder.map_err(wrong)?);
        }
        Ok(allowed)
    }

    /// Why a place may not be read; none if it may.
    pub(crate) fn refusal(&self, place: &Place) -> Option<String> {
        match place {
            Place::File(path) => match path.canonicalize() {
                Err(error) => Some(format!("{}: {error}", path.display())),
                Ok(real) if self.folders.iter().any(|folder| real.starts_with(folder)) => None,
                Ok(real) => {
                    let folder = real.parent().unwrap_or(Path::new("/"));
                    Some(format!("--refs {} allows it", folder.display()))
                }
            },
            Place::Url(url) => {
                let is_below = |allowed: &String| {
                    url.strip_prefix(allowed.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
                };
                let folder = url.rsplit_once('/').map_or(url.as_str(), |(folder, _)| folder);
                (!self.urls.iter().any(is_below)).then(|| format!("--refs {folder} allows it"))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_relative_is_relative_to_the_document_that_says_it() {
        let joins = [
            ("api/openapi.yaml", "schemas/task.yaml", "api/schemas/task.yaml"),
            ("api/schemas/task.yaml", "../common/id.yaml", "api/common/id.yaml"),
            ("api/a.yaml", "b%20c.yaml", "api/b c.yaml"),
            ("https://a.example/v1/openapi.yaml?x=1", "../b/c.yaml", "https://a.example/b/c.yaml"),
            ("https://a.example/v1/openapi.yaml", "/c.yaml", "https://a.example/c.yaml"),
            ("https://a.example/v1/openapi.yaml", "../../../c.yaml", "https://a.example/c.yaml"),
            ("https://a.example", "c.yaml?v=2", "https://a.example/c.yaml?v=2"),
            ("https://a.example/v1/", "//b.example/c.yaml", "https://b.example/c.yaml"),
            ("a.yaml", "https://b.example/c.yaml", "https://b.example/c.yaml"),
            ("a.yaml", "https://b.example/v1/../c.yaml?x=1", "https://b.example/c.yaml?x=1"),
        ];
        for (base, reference, place) in joins {
            assert_eq!(Place::of(base).join(reference).to_string(), place);
        }
    }

    #[test]
    fn a_host_whose_name_only_begins_so_is_another_one() {
        let root = Place::of("https://a.example/openapi.yaml");
        let allowed = Allowed::new(&root, &["https://a.example/v1/".to_owned()]).unwrap();
        assert_eq!(allowed.refusal(&Place::of("https://a.example/v1/b.yaml")), None);
        assert!(allowed.refusal(&Place::of("https://a.example/v10/b.yaml")).is_some());
        let allowed = Allowed::new(&root, &["https://a.example".to_owned()]).unwrap();
        assert!(allowed.refusal(&Place::of("https://a.example.evil/b.yaml")).is_some());
    }
}
