//! Programming languages by name: an open set, with what is known of the common ones.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::error::{Error, Result};

/// Facts of a language: its name, the extension of its files, other names, file names of its own.
struct Known {
    name: &'static str,
    extension: &'static str,
    aliases: &'static [&'static str],
}

const fn known(name: &'static str, extension: &'static str, aliases: &'static [&'static str]) -> Known {
    Known { name, extension, aliases }
}

/// Aliases are other names in info strings and other extensions; both are looked up alike.
const KNOWN: &[Known] = &[
    known("python", "py", &["python3", "py3", "pyi"]),
    known("javascript", "js", &["node", "jsx", "mjs", "cjs"]),
    known("typescript", "ts", &["mts", "cts"]),
    known("tsx", "tsx", &[]),
    known("java", "java", &[]),
    known("go", "go", &["golang"]),
    known("rust", "rs", &[]),
    known("c", "c", &["h"]),
    known("cpp", "cpp", &["c++", "cc", "cxx", "hpp", "hh"]),
    known("csharp", "cs", &["c#"]),
    known("ruby", "rb", &[]),
    known("php", "php", &[]),
    known("bash", "sh", &["shell", "zsh", "shellscript"]),
    known("sql", "sql", &["postgresql", "postgres", "mysql", "sqlite", "plpgsql"]),
    known("terraform", "tf", &["hcl", "tfvars"]),
    known("html", "html", &["htm"]),
    known("css", "css", &[]),
    known("json", "json", &["jsonc", "json5", "jsonl", "ndjson", "geojson", "webmanifest", "ipynb"]),
    known("yaml", "yaml", &["yml"]),
    known("toml", "toml", &[]),
    known("markdown", "md", &[]),
    known("xml", "xml", &["xsd", "svg"]),
    known("kotlin", "kt", &["kts"]),
    known("swift", "swift", &[]),
    known("scala", "scala", &[]),
    known("r", "r", &[]),
    known("perl", "pl", &[]),
    known("lua", "lua", &[]),
    known("elixir", "ex", &["exs"]),
    known("haskell", "hs", &[]),
    known("dart", "dart", &[]),
    known("dockerfile", "dockerfile", &["docker", "containerfile"]),
    known("makefile", "mk", &["make"]),
    known("powershell", "ps1", &["pwsh"]),
    known("ini", "ini", &["cfg", "conf"]),
    known("text", "txt", &["plaintext", "plain"]),
];

/// How lines of code begin, in languages that people hand over without a name; some are whole lines.
const OPENINGS: &[(&str, &[&str])] = &[
    ("python", &["def ", "class ", "import ", "from ", "async def ", "elif ", "@", "print(", "if __name__"]),
    ("rust", &["fn ", "pub fn ", "use ", "impl ", "let mut ", "pub struct ", "struct ", "mod ", "#["]),
    ("go", &["package ", "func ", "import (", "type ", "defer "]),
    ("typescript", &["interface ", "export interface ", "export type ", "import type ", "declare ", "enum "]),
    ("javascript", &["function ", "const ", "let ", "var ", "export ", "async function ", "import {", "});"]),
    ("java", &["public class ", "package ", "import java", "private ", "public ", "@Override"]),
    ("c", &["#include <std", "#include \"", "#define ", "int main(", "typedef ", "static "]),
    (
        "cpp",
        &["#include <iostream", "#include <vector", "using namespace ", "template", "std::", "namespace "],
    ),
    ("csharp", &["using System", "namespace ", "public class ", "internal "]),
    ("ruby", &["require ", "module ", "end\n", "attr_", "puts "]),
    ("php", &["<?php"]),
    ("bash", &["#!/bin/bash", "#!/bin/sh", "#!/usr/bin/env bash", "echo ", "fi\n", "done\n", "set -"]),
    ("sql", &["SELECT ", "CREATE TABLE ", "INSERT INTO ", "UPDATE ", "FROM ", "WHERE ", "ALTER TABLE "]),
    ("terraform", &["resource \"", "variable \"", "provider \"", "output \"", "module \"", "data \""]),
    ("html", &["<!DOCTYPE html", "<!doctype html", "<html", "<head", "<body", "<div"]),
];

/// The longest name that is taken.
const MAX_NAME: usize = 32;

/// A programming language. The set is open: an unknown one is stored as `.txt` and not validated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Language(Cow<'static, str>);

impl Language {
    /// The language with this name, alias or extension. Fails on an empty name, one of over 32 bytes, or one
    /// with a character outside `[a-z0-9+#._-]` (it becomes a part of an object key).
    pub fn new(name: &str) -> Result<Self> {
        let name = name.trim().to_ascii_lowercase();
        if let Some(known) = lookup(&name) {
            return Ok(Language(Cow::Borrowed(known.name)));
        }
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"+#._-".contains(&c);
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(allowed) || name.starts_with('.') {
            return Err(Error::invalid(format!(
                "language {:?} is not a name of 1 to {MAX_NAME} characters of a-z 0-9 + # . _ -",
                name.chars().take(MAX_NAME).collect::<String>()
            )));
        }
        Ok(Language(Cow::Owned(name)))
    }

    /// The known language of a name, alias or extension, or none.
    pub fn known(name: &str) -> Option<Self> {
        lookup(&name.to_ascii_lowercase()).map(|k| Language(Cow::Borrowed(k.name)))
    }

    /// Every known language, the common ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        KNOWN.iter().map(|known| Language(Cow::Borrowed(known.name)))
    }

    /// The language that a path's extension (or its whole name: Dockerfile, Makefile) tells.
    pub fn from_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.rsplit_once('.') {
            // `LICENSE.python` is about Python, and not of it.
            Some(("LICENSE" | "LICENCE" | "COPYING" | "NOTICE", _)) => None,
            Some((_, extension)) => Language::known(extension),
            None => {
                matches!(name, "Dockerfile" | "Makefile" | "Containerfile").then(|| Language::known(name))?
            }
        }
    }

    /// The language that most lines of a text begin like; none where no line does, or where two languages have as many.
    pub fn from_code(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.split_inclusive('\n').map(str::trim_start).collect();
        let alike = |openings: &[&str]| {
            lines.iter().filter(|line| openings.iter().any(|opening| line.starts_with(opening))).count()
        };
        let mut counts: Vec<(usize, &'static str)> =
            OPENINGS.iter().map(|(name, openings)| (alike(openings), *name)).collect();
        counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        match counts.as_slice() {
            [(most, "javascript"), (next, _), ..] if most > next && is_typed(text) => {
                Language::known("typescript")
            }
            [(most, name), (next, _), ..] if most > next => Some(Language(Cow::Borrowed(name))),
            _ => None,
        }
    }

    /// Plain text: what is stored as `.txt`.
    pub fn text() -> Self {
        Language(Cow::Borrowed("text"))
    }

    /// The name, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this crate knows it. An unknown language is a notice, never an error.
    pub fn is_known(&self) -> bool {
        lookup(&self.0).is_some()
    }

    /// The extension of its files without the dot: `py`, `rs`; `txt` when unknown.
    pub fn extension(&self) -> &'static str {
        lookup(&self.0).map_or("txt", |k| k.extension)
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Language {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <Cow<'de, str>>::deserialize(deserializer)?;
        Language::new(&name).map_err(serde::de::Error::custom)
    }
}

/// Whether a script says the types of its values.
fn is_typed(text: &str) -> bool {
    [": string", ": number", ": boolean", ": void", "<string", "<number"]
        .iter()
        .any(|word| text.contains(word))
}

fn lookup(lower: &str) -> Option<&'static Known> {
    static BY_NAME: LazyLock<HashMap<&str, &Known>> = LazyLock::new(by_name);
    BY_NAME.get(lower).copied()
}

/// The languages by name, extension and alias; of two with the same the first counts.
fn by_name() -> HashMap<&'static str, &'static Known> {
    let mut by_name = HashMap::new();
    for known in KNOWN {
        for name in [known.name, known.extension].iter().chain(known.aliases) {
            by_name.entry(*name).or_insert(known);
        }
    }
    by_name
}
