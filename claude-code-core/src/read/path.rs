//! File-name detection: whether a word looks like the name of a file. Whether it may be used is decided by
//! `file::refusal`.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::answer::language::Language;

/// The longest word that is taken for a name: longer than any path that the policy lets pass.
const MAX_NAME: usize = 1024;

/// Names of files without an extension.
const BARE_NAMES: &str = "
    Dockerfile Containerfile Makefile GNUmakefile makefile Rakefile Gemfile Procfile Vagrantfile
    Jenkinsfile Brewfile Pipfile Justfile justfile Caddyfile Tiltfile LICENSE COPYING NOTICE AUTHORS
    CHANGELOG CONTRIBUTING CODEOWNERS README BUILD WORKSPACE
";

/// Extensions of files that are not a language of their own.
const MORE_EXTENSIONS: &str = "
    vue svelte astro scss sass less styl graphql gql proto prisma sol zig nim jl clj cljs erl hrl fs fsx vb
    pas asm ml mli m mm v groovy gradle properties env lock csv tsv ipynb bat cmd psm1 j2 jinja tpl tmpl
    ejs hbs pug mod sum cmake sln csproj fsproj vbproj service rst adoc mdx diff patch log http plist
    example sample template dist jsonl ndjson json5 rb erb gemspec podspec kts bicep nix dockerignore cast
    pem crt key pth exe dll ttf cob f90 s ld rego cue wsdl raml avsc feature robot vim
";

/// Frameworks whose names look like files.
const FRAMEWORKS: &str = "
    node.js vue.js next.js nuxt.js express.js react.js three.js d3.js chart.js angular.js ember.js
    backbone.js p5.js discord.js nest.js moment.js day.js alpine.js electron.js solid.js preact.js
    tensorflow.js handlebars.js passport.js socket.io asp.net
";

/// First directories of a Unix system: an absolute path without an extension is else taken for a web route.
const UNIX_ROOTS: &[&str] = &["etc", "tmp", "usr", "var", "home", "root", "bin", "opt", "dev", "proc", "sys"];

/// Whether a word that was expressly given as a name (`title="…"`, `python:…`) can be one.
pub(super) fn is_told(word: &str) -> bool {
    let marked = word.contains(['.', '/', '\\']) || is_bare_name(word);
    marked
        && word.len() <= MAX_NAME
        && word.trim() == word
        && !word.contains("://")
        && !word.contains(['\n', '"'])
}

/// Whether a word that stands where names often stand looks like one.
pub(super) fn is_shown(word: &str) -> bool {
    if word.is_empty() || word.len() > MAX_NAME || !word.chars().all(is_path_char) {
        return false;
    }
    if word.match_indices(':').any(|(at, _)| at != 1) || word.contains("//") {
        return false;
    }
    let last = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let has_directory = last.len() < word.len();
    if is_bare_name(last) {
        return true;
    }
    if let Some(name) = last.strip_prefix('.') {
        return is_dot_name(name, has_directory) || (has_directory && is_hostile(word));
    }
    match last.rsplit_once('.') {
        // `Dockerfile.dev`, `Makefile.am`.
        Some((stem, _)) if last.split('.').next().is_some_and(is_kind_name) && !stem.is_empty() => true,
        Some((stem, extension)) if !stem.is_empty() => {
            (is_extension(extension, has_directory) && (has_directory || !is_framework(word)))
                || (has_directory && is_hostile(word))
        }
        _ => has_directory && is_hostile(word),
    }
}

/// Whether a fence of this language can hold that file. Commands that use a file do not become the file.
pub(super) fn fits(language: Option<&Language>, path: &str) -> bool {
    let (Some(fence), Some(file)) = (language, Language::from_path(path)) else {
        return true;
    };
    let is_command = matches!(
        fence.as_str(),
        "bash" | "console" | "terminal" | "powershell" | "cmd" | "bat" | "shell-session"
    );
    !is_command
        || *fence == file
        || matches!(file.as_str(), "dockerfile" | "makefile" | "ini" | "text" | "toml")
}

/// Whether a path names a Markdown file.
pub(super) fn is_markdown(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    matches!(extension.as_str(), "md" | "markdown" | "mdx")
}

/// The words of a list that are separated by blanks.
fn words(list: &'static str) -> HashSet<&'static str> {
    list.split_ascii_whitespace().collect()
}

fn is_path_char(c: char) -> bool {
    c.is_alphanumeric() || "._-/\\~:@+()[]$".contains(c)
}

fn is_bare_name(word: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| words(BARE_NAMES));
    NAMES.contains(word)
}

/// Names that have a variant behind a dot.
fn is_kind_name(word: &str) -> bool {
    matches!(
        word,
        "Dockerfile"
            | "Containerfile"
            | "Makefile"
            | "GNUmakefile"
            | "Jenkinsfile"
            | "Vagrantfile"
            | "Procfile"
            | "Caddyfile"
    )
}

/// Whether some words, marked as a name, are one with blanks in it.
pub(super) fn is_spaced(words: &str) -> bool {
    let mut parts = words.split(' ');
    let Some(last) = parts.next_back() else { return false };
    let others: Vec<&str> = parts.collect();
    (1..=4).contains(&others.len())
        && is_shown(last)
        && others.iter().all(|part| !part.is_empty() && part.chars().all(|c| is_path_char(c) && c != ':'))
        && others.iter().all(|part| !is_shown(part))
}

fn is_dot_name(name: &str, has_directory: bool) -> bool {
    // An extension alone names no file.
    if Language::known(name).is_some() {
        return false;
    }
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let known = ["env", "rc", "ignore", "config", "attributes", "profile", "modules", "version", "keep"];
    plain
        && (has_directory
            || name
                .split('.')
                .any(|part| known.iter().any(|k| part.ends_with(k)) || is_extension(part, false)))
}

fn is_extension(extension: &str, has_directory: bool) -> bool {
    static MORE: LazyLock<HashSet<&str>> = LazyLock::new(|| words(MORE_EXTENSIONS));
    let plain = (1..=14).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    let lower = extension.to_ascii_lowercase();
    let known = Language::known(&lower).is_some_and(|l| l.extension() == lower || lower.len() <= 6);
    plain
        && (known
            || MORE.contains(lower.as_str())
            || (has_directory && lower.bytes().any(|b| b.is_ascii_alphabetic())))
}

fn is_framework(word: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| words(FRAMEWORKS));
    NAMES.contains(word.to_ascii_lowercase().as_str())
}

/// Paths without an extension that nobody would write but as a path.
fn is_hostile(word: &str) -> bool {
    let root = word.strip_prefix('/').and_then(|r| r.split_once('/'));
    word.starts_with("../")
        || word.starts_with("..\\")
        || word.starts_with("~/")
        || word.starts_with(".git/")
        || word.as_bytes().get(1) == Some(&b':')
        || root.is_some_and(|(first, _)| UNIX_ROOTS.contains(&first))
}
