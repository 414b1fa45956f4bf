//! Notebook card of a result: one piece of HTML without network access. All that a model or a user wrote stands escaped
//! in `<pre>`, or as base64 behind a button. The only script is the copy button's, the same in every card.

use std::fmt::Write;

use claude_code_aws::{Generation, Severity, answer::file};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::notebook::code::{escape, lines};
use crate::notebook::tally::Tally;

/// Lines of a file that are shown; the rest is counted.
const LINES: usize = 400;
/// Bytes of a file that its buttons hold: a notebook's file has them a second time.
const COPIED: usize = 256 << 10;
/// Copies what the download has. Where a page may not, the shown text is selected instead.
const COPY: &str = "var b=this,t=new TextDecoder().decode(Uint8Array.from(atob(b.nextElementSibling.href.split(',')[1]),\
function(c){return c.charCodeAt(0)}));\
(navigator.clipboard?navigator.clipboard.writeText(t):Promise.reject()).then(function(){b.textContent='copied'},\
function(){getSelection().selectAllChildren(b.parentNode.nextElementSibling)})";

/// Greys that stand on light and dark ground alike; colours are middle tones for the same reason.
const STYLE: &str = "<style>\
.ccg{border:1px solid rgba(127,127,127,.4);border-radius:6px;padding:.5em .8em;font-size:13px;line-height:1.45;\
max-width:70em;color:inherit}\
.ccg .f,.ccg .q{color:inherit;opacity:.75}.ccg .f{border-top:1px solid rgba(127,127,127,.3);margin-top:.5em;\
padding-top:.35em}\
.ccg .ok{color:#2f9e57;font-weight:600}.ccg .no{color:#d9534f;font-weight:600}.ccg .w{color:#c98a1b}\
.ccg details{margin-top:.4em}.ccg summary{cursor:pointer;font-family:monospace}\
.ccg b{font-weight:inherit}.ccg b,.ccg b code{white-space:nowrap}\
.ccg pre,.ccg pre span,.ccg code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}\
.ccg pre{margin:.3em 0;padding:.6em;overflow:auto;max-height:32em;background:rgba(127,127,127,.09);\
border-radius:4px;color:inherit;font-size:12px;line-height:1.4;white-space:pre}\
.ccg .l{display:block;min-width:max-content}\
.ccg .m{counter-reset:n}.ccg .m .l{counter-increment:n}\
.ccg .m .l::before{content:counter(n);display:inline-block;min-width:2.2em;margin-right:1em;text-align:right;opacity:.5}\
.ccg details{position:relative}.ccg .t{position:absolute;right:0;top:0}\
.ccg .t>*{font:inherit;font-size:11px;padding:.1em .5em;margin-left:.3em;border:1px solid rgba(127,127,127,.4);\
border-radius:4px;background:none;color:inherit;text-decoration:none;cursor:pointer}\
.ccg .t>*:focus-visible{outline:2px solid #4f86d9}\
.ccg .k{color:#a55fd0}.ccg .s{color:#3f9a58}.ccg .c{color:#8b8f96;font-style:italic}.ccg .n{color:#c4742b}\
.ccg .i{background:rgba(47,158,87,.18)}.ccg .d{background:rgba(217,83,79,.18)}.ccg .h{color:#4f86d9}\
</style>";

/// The card of a result.
pub(crate) fn card(py: Python<'_>, generation: &Generation, tally: Tally) -> String {
    let mut html = format!("<div class=\"ccg\">{STYLE}");
    head(&mut html, generation);
    findings(&mut html, generation);
    if let Some(diff) = generation.diff.as_deref().filter(|diff| !diff.is_empty()) {
        section(&mut html, "changes", "", true, &plain(&marked(diff)));
    }
    let names = file::names(&generation.files);
    for (name, file) in names.iter().zip(&generation.files) {
        let open = generation.diff.is_none() && names.len() == 1;
        let note = if file.complete {
            file.language.to_string()
        } else {
            format!("{}, not complete", file.language)
        };
        let body = numbered(&shown(py, &file.content, file.language.as_str()));
        section(&mut html, name, &note, open, &format!("{}{body}", buttons(py, name, &file.content)));
    }
    if generation.files.is_empty() && !generation.text.is_empty() {
        section(&mut html, "answer", "no file", true, &plain(&shown(py, &generation.text, "text")));
    }
    costs(&mut html, generation);
    foot(&mut html, tally);
    html.push_str("</div>");
    html
}

fn head(html: &mut String, generation: &Generation) {
    let (class, verdict) = if generation.accepted { ("ok", "accepted") } else { ("no", "not accepted") };
    let files = generation.files.len();
    let usage = generation.usage;
    let mut parts = vec![
        format!("<span class=\"{class}\">{verdict}</span>"),
        format!("{files} {}", if files == 1 { "file" } else { "files" }),
        escape(generation.language.as_str()),
        escape(&generation.model),
        format!("{} tokens in, {} out", usage.prompt_tokens(), usage.output_tokens),
        escape(&generation.receipt.total().to_string()),
    ];
    for (why, done) in [("resume", "resumed"), ("repair", "repaired"), ("escalate", "asked a stronger model")]
    {
        match generation.attempts.iter().filter(|attempt| attempt.why == why).count() {
            0 => {}
            1 => parts.push(format!("{done} once")),
            times => parts.push(format!("{done} {times} times")),
        }
    }
    if let Some(cached) = generation.cached {
        parts.push(format!("cached {} s ago", cached.age_seconds));
    }
    if generation.sample {
        parts.push("sample answer".to_owned());
    }
    if generation.stored {
        parts.push(format!("stored <code>{}</code>", escape(&generation.id)));
    }
    // A part never breaks in its middle.
    let parts: Vec<String> = parts.into_iter().map(|part| format!("<b>{part}</b>")).collect();
    let _ = write!(html, "<div>{}</div>", parts.join(" · "));
}

fn findings(html: &mut String, generation: &Generation) {
    for finding in &generation.diagnostics {
        let class = if finding.severity == Severity::Error { "no" } else { "w" };
        let _ = write!(html, "<div class=\"{class}\">{}</div>", escape(&finding.to_string()));
    }
    for warning in generation.warnings.iter().chain(&generation.stored_problem) {
        let _ = write!(html, "<div class=\"w\">{}</div>", escape(warning));
    }
}

fn section(html: &mut String, title: &str, note: &str, open: bool, body: &str) {
    let open = if open { " open" } else { "" };
    let (title, note) = (escape(title), escape(note));
    let _ = write!(
        html,
        "<details{open}><summary>{title} <span class=\"q\">{note}</span></summary>{body}</details>"
    );
}

fn plain(html: &str) -> String {
    format!("<pre>{html}</pre>")
}

fn numbered(html: &str) -> String {
    format!("<pre class=\"m\">{html}</pre>")
}

/// A button that copies a file as the model wrote it, and a link that saves it; none for a long one.
fn buttons(py: Python<'_>, name: &str, content: &str) -> String {
    if content.len() > COPIED {
        return String::new();
    }
    let encoded = || -> PyResult<String> {
        let options = PyDict::new(py);
        options.set_item("newline", false)?;
        let bytes = (PyBytes::new(py, content.as_bytes()),);
        py.import("binascii")?
            .call_method("b2a_base64", bytes, Some(&options))?
            .call_method0("decode")?
            .extract()
    };
    let Ok(encoded) = encoded() else { return String::new() };
    let name = escape(name.rsplit('/').next().unwrap_or(name));
    format!(
        "<div class=\"t\"><button type=\"button\" onclick=\"{COPY}\">copy</button>\
         <a download=\"{name}\" href=\"data:application/octet-stream;base64,{encoded}\">download</a></div>"
    )
}

/// The lines of the receipt.
fn costs(html: &mut String, generation: &Generation) {
    let receipt = &generation.receipt;
    if receipt.items.is_empty() {
        return;
    }
    let mut rows = String::new();
    for item in &receipt.items {
        let tokens = item.tokens.map_or_else(String::new, |tokens| format!("{tokens} tokens"));
        let usd = item.usd.map_or_else(|| "unpriced".to_owned(), |usd| format!("${usd}"));
        let _ = writeln!(rows, "{:<24}{tokens:>18}  {usd:>14}  {}", item.what.to_string(), item.model);
    }
    let total = receipt.total().to_string();
    section(html, "cost", &total, false, &plain(&escape(&rows)));
}

fn shown(py: Python<'_>, text: &str, language: &str) -> String {
    let end = text.match_indices('\n').nth(LINES - 1).map_or(text.len(), |(at, _)| at + 1);
    let left = text[end..].lines().count();
    let mut html = lines(py, &text[..end], language);
    if left > 0 {
        let _ = write!(html, "<span class=\"c\">… {left} more lines</span>");
    }
    html
}

/// A unified diff with its lines marked over their whole width.
fn marked(diff: &str) -> String {
    let mut html = String::new();
    for line in diff.lines() {
        let class = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] | [b'@', ..] => "l h",
            [b'+', ..] => "l i",
            [b'-', ..] => "l d",
            _ => "l",
        };
        // A line without anything would have no height.
        let text = if line.is_empty() { " " } else { line };
        let _ = write!(html, "<span class=\"{class}\">{}</span>", escape(text));
    }
    html
}

fn foot(html: &mut String, tally: Tally) {
    let Tally { results, spent, saved, is_lower_bound } = tally;
    let at_least = if is_lower_bound { "at least " } else { "" };
    let results = if results == 1 { "1 result".to_owned() } else { format!("{results} results") };
    let _ = write!(
        html,
        "<div class=\"f\">this notebook: {results}, {at_least}${spent} spent, ${saved} saved</div>"
    );
}
