//! Templates: text of a language only once an engine has filled it in. The engine's own tags are checked, the code within
//! them, and the YAML or JSON around them where no tag is near.

mod around;
mod code;
mod go;
mod handlebars;
mod jinja;

use std::ops::Range;

use crate::answer::diagnostic::Diagnostic;
use crate::validate::source::Source;
use crate::validate::syntax::{json, toml, yaml};

/// Engines by the manner of their tags.
#[derive(Clone, Copy, PartialEq)]
pub enum Engine {
    /// `{{ if }} … {{ end }}`: Go's text/template, as Helm and Hugo use it.
    Go,
    /// `{% if %} … {% endif %}`: Jinja, Django, Liquid, Twig, Nunjucks.
    Jinja,
    /// `{{#if}} … {{/if}}`
    Handlebars,
    /// `<% if a %> … <% end %>`, with Ruby within.
    Erb,
    /// `<% if (a) { %> … <% } %>`, with JavaScript within.
    Ejs,
    /// Marks of an engine whose tags are not followed: PHP in HTML, ASP, Elixir.
    Other,
}

/// Endings of names that say so whatever is inside.
const GO: [&str; 4] = [".tpl", ".gotmpl", ".tmpl", ".gohtml"];
const JINJA: [&str; 6] = [".j2", ".jinja", ".jinja2", ".njk", ".liquid", ".twig"];
const HANDLEBARS: [&str; 3] = [".hbs", ".mustache", ".handlebars"];

/// Languages whose text templates are made of. Prose writes about tags, too: there only a name tells a template.
const FILLED_IN: [&str; 9] = ["yaml", "html", "sql", "json", "toml", "css", "xml", "bash", "dockerfile"];

/// Words of an error's sentence, and the byte where it is.
type Told = (usize, String);

/// What an engine's reader finds in a text.
#[derive(Default)]
struct Tags {
    /// Where tags stand.
    places: Vec<Range<usize>>,
    /// A tag that is opened and never ended, or ended and never opened.
    fault: Option<Told>,
}

/// The engine that fills a file in; none for files of their language as they are.
pub fn engine(source: &Source) -> Option<Engine> {
    let text = source.text.as_ref();
    match by_name(source.name()) {
        Some(Engine::Go) => return text.contains("{{").then_some(Engine::Go),
        Some(engine) => return Some(engine),
        None if is_helm(source) => return text.contains("{{").then_some(Engine::Go),
        None => {}
    }
    // Terraform's templatefile fills them in.
    if source.language == "terraform"
        && source.path.is_some_and(|path| path.contains("templates/"))
        && text.contains("${")
    {
        return Some(Engine::Other);
    }
    // `Program.template.cs`: code once a tool has filled it in. Templates of CloudFormation are called so, too.
    if source.name().contains(".template.") && !matches!(source.language, "yaml" | "json") {
        return Some(Engine::Other);
    }
    if !FILLED_IN.contains(&source.language) || source.language == "yaml" && is_workflow(source) {
        return None;
    }
    by_tags(source).filter(|_| !is_sound(source))
}

/// The engine whose tags a text has.
fn by_tags(source: &Source) -> Option<Engine> {
    let text = source.text.as_ref();
    if text.contains("{%") && jinja::has_tags(text) {
        return Some(Engine::Jinja);
    }
    if go::has_end(text) {
        return Some(Engine::Go);
    }
    let is_filled = source.language != "html" && text.contains("<%");
    let engine = if source.language == "yaml" { Engine::Erb } else { Engine::Other };
    is_filled.then_some(engine)
}

/// Whether tags are text to the file's own language: scalars of YAML, strings of JSON and TOML.
fn is_sound(source: &Source) -> bool {
    let found = match source.language {
        "yaml" => yaml::check_whole(source),
        "json" => json::check(source),
        "toml" => toml::check(source),
        _ => return false,
    };
    !found.iter().any(Diagnostic::is_error)
}

/// The engine of files with such a name.
pub fn by_name(name: &str) -> Option<Engine> {
    let known = [
        (GO.as_slice(), Engine::Go),
        (&JINJA, Engine::Jinja),
        (&HANDLEBARS, Engine::Handlebars),
        (&[".erb"], Engine::Erb),
        (&[".ejs"], Engine::Ejs),
        (&[".eex", ".heex", ".jsp", ".aspx"], Engine::Other),
    ];
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    known.iter().find(|(endings, _)| ends(endings)).map(|(_, engine)| *engine)
}

/// Templates of a Helm chart lie in its folder `templates`.
fn is_helm(source: &Source) -> bool {
    // Prose may lie in a folder of this name, too: of a chart's texts only the notes are filled in.
    let is_text =
        source.language == "yaml" || source.name() == "NOTES.txt" || source.name().ends_with(".tpl");
    is_text && source.path.is_some_and(|path| path.split('/').any(|part| part == "templates"))
}

/// Workflows and actions are YAML: their expressions are scalars.
fn is_workflow(source: &Source) -> bool {
    let path = source.path.unwrap_or("");
    path.contains(".github/")
        || path.contains(".gitea/")
        || path.contains(".forgejo/")
        || matches!(source.name(), "action.yml" | "action.yaml")
}

/// Tags that are opened and never ended, or ended and never opened; faults of the code in them, and of what is around
/// them.
pub fn check(source: &Source, engine: Engine) -> Vec<Diagnostic> {
    let tags = match engine {
        Engine::Go => go::tags(source),
        Engine::Jinja => jinja::tags(source),
        Engine::Handlebars => handlebars::tags(&source.text),
        Engine::Erb | Engine::Ejs => {
            let (places, found) = code::check(source, engine == Engine::Erb);
            if !found.is_empty() {
                return found;
            }
            Tags { places, fault: None }
        }
        Engine::Other => Tags::default(),
    };
    match tags.fault {
        Some((at, message)) => vec![source.error(at, message)],
        None if tags.places.is_empty() => Vec::new(),
        None => around::check(source, &tags.places),
    }
}

/// The end of a tag, after its mark: strings within it are passed over, and brackets that pair.
fn end_of(text: &str, from: usize, mark: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            _ if depth == 0 && bytes[at..].starts_with(mark.as_bytes()) => return Some(at + mark.len()),
            b'"' | b'\'' | b'`' => at = string_end(bytes, at)?,
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place of the quote that ends a string.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            b'\\' if bytes[start] != b'`' => at += 1,
            _ if byte == bytes[start] => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The end of a tag as its strings tell it, or where its mark comes first if they are no strings but apostrophes. None
/// where another tag begins before.
fn closed(text: &str, from: usize, mark: &str, others: &[&str]) -> Option<usize> {
    let near = &text[..text.ceil_char_boundary(from + MAX_TAG)];
    if let Some(end) = end_of(near, from, mark) {
        return Some(end);
    }
    let end = text[from..].find(mark)? + from;
    let other = others.iter().filter_map(|other| text[from..].find(other)).min();
    other.is_none_or(|other| from + other > end).then_some(end + mark.len())
}

/// Tags longer than this are two of which the first has no end.
const MAX_TAG: usize = 4_000;
