//! JavaScript, JSX, TypeScript and TSX, by oxc's parser.

use std::collections::HashSet;

use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;
use oxc_syntax::module_record::{ImportImportName, ModuleRecord};

use super::nesting::{self, Ends, Need};
use super::{Fault, Verdict, brackets, grammar, lowered};
use crate::answer::diagnostic::Diagnostic;
use crate::validate::source::Source;

const NEED: Need = Need { ends: Ends::Line, frame: 1_200 };

/// Syntax errors; none in files of Flow, whose types no parser here reads.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    if source.language == "javascript" && is_flow(&source.text) {
        return Vec::new();
    }
    let judged = || {
        nesting::within(&source.text, NEED, || {
            let (verdict, module) = read(&source.text, &kinds(source));
            module.into_iter().for_each(|module| source.keep_script(module));
            verdict
        })
    };
    match if nesting::has_open_angles(&source.text) { None } else { judged() } {
        None | Some(Verdict::Unknown) => grammar::check(source),
        Some(Verdict::Sound) => Vec::new(),
        Some(Verdict::Faulty(faults)) => {
            let unpaired = source.tree().map(|tree| {
                brackets::places(source.language, &source.text, &brackets::of_tree(tree.root_node()))
            });
            let all = unpaired.into_iter().flatten().chain(faults);
            all.map(|fault| source.error(fault.at, fault.message)).collect()
        }
    }
}

/// The ways in which a file may be meant, the likeliest first.
fn kinds(source: &Source) -> Vec<SourceType> {
    let path = source.path.unwrap_or("");
    let is = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    match source.language {
        _ if is(&[".d.ts", ".d.mts", ".d.cts"]) => vec![SourceType::d_ts()],
        "tsx" => vec![SourceType::tsx()],
        // A block without a name may hold TSX, or declarations only.
        "typescript" if source.path.is_none() => {
            vec![SourceType::ts(), SourceType::tsx(), SourceType::d_ts()]
        }
        "typescript" => vec![SourceType::ts(), SourceType::ts().with_script(true)],
        _ => {
            let jsx = SourceType::mjs().with_jsx(true);
            vec![jsx, jsx.with_commonjs(true), jsx.with_script(true)]
        }
    }
}

/// The verdict on a text as any of these kinds; the faults are those of the first.
pub fn judge(text: &str, kinds: &[SourceType]) -> Verdict {
    read(text, kinds).0
}

/// The verdict, and the imports and exports of a text that is sound as the first kind.
fn read(text: &str, kinds: &[SourceType]) -> (Verdict, Option<Module>) {
    let mut first = None;
    for kind in kinds {
        let allocator = Allocator::default();
        let options =
            ParseOptions { allow_return_outside_function: kind.is_javascript(), ..ParseOptions::default() };
        let parsed = Parser::new(&allocator, text, *kind).with_options(options).parse();
        if parsed.is_flow_language {
            return (Verdict::Unknown, None);
        }
        // Declarations that a tool made may have values: no compiler reads them that passes over libraries.
        let is_value =
            |said: &oxc_diagnostics::OxcDiagnostic| said.message.starts_with("Initializers are not allowed");
        if parsed.diagnostics.iter().all(|said| kind.is_typescript_definition() && is_value(said)) {
            let is_read = first.is_none() && parsed.diagnostics.is_empty();
            return (Verdict::Sound, is_read.then(|| Module::new(&parsed.module_record)));
        }
        let fault = |said: &oxc_diagnostics::OxcDiagnostic| Fault {
            at: said.labels.first().map_or(0, |label| label.offset() as usize),
            message: lowered(&said.message),
        };
        let faults = || parsed.diagnostics.iter().map(fault).collect();
        first.get_or_insert_with(faults);
    }
    (Verdict::Faulty(first.unwrap_or_default()), None)
}

/// Whether a comment at the head of a file says that it is of Flow.
fn is_flow(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(2_000)];
    head.lines().take_while(|line| is_comment(line)).any(|line| line.contains("@flow"))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty()
        || ["//", "/*", "*", "#!", "'use strict'", "\"use strict\""].iter().any(|mark| line.starts_with(mark))
}

/// The verdict on an expression.
pub fn expression(text: &str) -> Verdict {
    nesting::within(text, NEED, || judge(text, &[SourceType::script()])).unwrap_or(Verdict::Unknown)
}

/// What a module takes from others and offers to them.
#[derive(Default)]
pub struct Module {
    /// Each module that it names, with the place of the first mention.
    pub sources: Vec<(String, usize)>,
    /// Names taken from a module, with the module and the place of the name.
    pub taken: Vec<(String, String, usize)>,
    pub offered: HashSet<String>,
    /// `export *`: names that are not here.
    pub is_open: bool,
}

impl Module {
    fn new(record: &ModuleRecord<'_>) -> Self {
        let mut module = Module { is_open: !record.star_export_entries.is_empty(), ..Module::default() };
        for (name, requests) in &record.requested_modules {
            if let Some(first) = requests.first() {
                module.sources.push((name.to_string(), first.span.start as usize));
            }
        }
        module.sources.sort_by_key(|(_, at)| *at);
        for entry in &record.import_entries {
            let (name, span) = match &entry.import_name {
                ImportImportName::Name(name) => (name.name.to_string(), name.span),
                ImportImportName::Default(span) => ("default".to_owned(), *span),
                ImportImportName::NamespaceObject => continue,
            };
            module.taken.push((entry.module_request.name.to_string(), name, span.start as usize));
        }
        module.offered.extend(record.exported_bindings.iter().map(|(name, _)| name.to_string()));
        let entries = record.local_export_entries.iter().chain(record.indirect_export_entries.iter());
        if entries.into_iter().any(|entry| entry.export_name.is_default()) {
            module.offered.insert("default".to_owned());
        }
        module
    }
}
