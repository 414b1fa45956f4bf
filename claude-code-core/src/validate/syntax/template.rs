//! Templates: text of a language only once an engine has filled it in. Only the engine's own tags are checked.

use crate::answer::diagnostic::Diagnostic;
use crate::validate::source::Source;

/// Engines by the manner of their tags.
#[derive(Clone, Copy, PartialEq)]
pub enum Engine {
    /// `{{ if }} … {{ end }}`: Go's text/template, as Helm and Hugo use it.
    Go,
    /// `{% if %} … {% endif %}`: Jinja, Django, Liquid, Twig, Nunjucks.
    Jinja,
    /// Marks of an engine whose tags are not followed: ERB, EJS, PHP in HTML, Handlebars.
    Other,
}

/// Endings of names that say so whatever is inside.
const GO: [&str; 4] = [".tpl", ".gotmpl", ".tmpl", ".gohtml"];
const JINJA: [&str; 6] = [".j2", ".jinja", ".jinja2", ".njk", ".liquid", ".twig"];
const OTHER: [&str; 6] = [".erb", ".ejs", ".hbs", ".mustache", ".handlebars", ".eex"];

/// Languages whose text templates are made of.
const FILLED_IN: [&str; 11] =
    ["yaml", "html", "sql", "json", "toml", "css", "xml", "text", "markdown", "bash", "dockerfile"];

/// Words of Go's tags that an `end` closes.
const OPEN_IN_GO: [&str; 5] = ["if", "range", "with", "define", "block"];
/// Tags of Jinja's manner that always have an end; others may stand alone.
const CLOSED_IN_JINJA: [&str; 9] =
    ["if", "for", "macro", "filter", "autoescape", "unless", "spaceless", "verbatim", "raw"];

/// The engine that fills a file in; none for files of their language as they are.
pub fn engine(source: &Source) -> Option<Engine> {
    let name = source.name();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let text = source.text.as_ref();
    if ends(&JINJA) {
        return Some(Engine::Jinja);
    }
    if ends(&OTHER) {
        return Some(Engine::Other);
    }
    if ends(&GO) || is_helm(source) {
        return text.contains("{{").then_some(Engine::Go);
    }
    // Terraform's templatefile fills them in.
    if source.language == "terraform"
        && source.path.is_some_and(|path| path.contains("templates/"))
        && text.contains("${")
    {
        return Some(Engine::Other);
    }
    if !FILLED_IN.contains(&source.language) || source.language == "yaml" && is_workflow(source) {
        return None;
    }
    if text.contains("{%") && jinja_tags(text).next().is_some() {
        return Some(Engine::Jinja);
    }
    let is_go = go_tags(text).any(|(_, word)| word == "end");
    let is_filled = source.language != "html" && (text.contains("<%") || is_go);
    is_go.then_some(Engine::Go).or(is_filled.then_some(Engine::Other))
}

/// Templates of a Helm chart lie in its folder `templates`.
fn is_helm(source: &Source) -> bool {
    let is_text = matches!(source.language, "yaml" | "text") || source.name().ends_with(".txt");
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

/// Tags that are opened and never ended, or ended and never opened.
pub fn check(source: &Source, engine: Engine) -> Vec<Diagnostic> {
    let fault = match engine {
        Engine::Go => go(&source.text),
        Engine::Jinja => jinja(&source.text),
        Engine::Other => None,
    };
    fault.into_iter().map(|(at, message)| source.error(at, message)).collect()
}

fn go(text: &str) -> Option<(usize, String)> {
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (at, word) in go_tags(text) {
        if OPEN_IN_GO.contains(&word) {
            open.push((at, word));
        } else if word == "end" && open.pop().is_none() {
            return Some((at, "`{{ end }}` ends nothing".to_owned()));
        }
    }
    open.last().map(|(at, word)| (*at, format!("the `{{{{ {word} }}}}` here has no `{{{{ end }}}}`")))
}

/// The first word of each tag of Go's manner, with the tag's place; comments are left out.
fn go_tags(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("{{").filter_map(|(at, _)| {
        let inner = text[at + 2..].trim_start_matches('-').trim_start();
        let end = inner.find(|c: char| !c.is_alphanumeric()).unwrap_or(inner.len());
        // `range(…)` is a function of Jinja.
        let is_word = !inner.starts_with("/*") && !inner[end..].starts_with('(');
        is_word.then_some((at, &inner[..end]))
    })
}

fn jinja(text: &str) -> Option<(usize, String)> {
    // Tornado ends every block with the same word.
    if jinja_tags(text).any(|(_, word)| word == "end") {
        return None;
    }
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut raw: Option<&str> = None;
    for (at, word) in jinja_tags(text) {
        if let Some(until) = raw {
            if word.strip_prefix("end") != Some(until) {
                continue;
            }
            raw = None;
        }
        if matches!(word, "raw" | "verbatim" | "comment") {
            raw = Some(word);
        }
        if let Some(ended) = word.strip_prefix("end").filter(|ended| !ended.is_empty()) {
            let Some(start) = open.iter().rposition(|(_, word)| *word == ended) else {
                if CLOSED_IN_JINJA.contains(&ended) {
                    return Some((at, format!("`{{% {word} %}}` ends nothing")));
                }
                continue;
            };
            if let Some(inner) = unended(&open[start + 1..]) {
                return Some(inner);
            }
            open.truncate(start);
        } else {
            open.push((at, word));
        }
    }
    unended(&open)
}

fn unended(open: &[(usize, &str)]) -> Option<(usize, String)> {
    let (at, word) = open.iter().find(|(_, word)| CLOSED_IN_JINJA.contains(word))?;
    Some((*at, format!("the `{{% {word} %}}` here has no `{{% end{word} %}}`")))
}

/// The first word of each tag of Jinja's manner, with its place.
fn jinja_tags(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("{%").filter_map(|(at, _)| {
        let inner = text[at + 2..].trim_start_matches(['-', '+']).trim_start();
        let end = inner.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inner.len());
        (end > 0).then_some((at, &inner[..end]))
    })
}
