//! Colours on a terminal: NO_COLOR turns them off, CLICOLOR_FORCE on where there is no terminal, CLICOLOR=0 and TERM=dumb
//! off where there is one.

use std::io::IsTerminal;

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const CYAN: &str = "\u{1b}[36m";
const BOLD: &str = "\u{1b}[1m";
const END: &str = "\u{1b}[0m";

/// Where a text goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// Whether this stream gets colours.
pub(crate) fn wanted(stream: Stream) -> bool {
    let is_terminal = match stream {
        Stream::Out => std::io::stdout().is_terminal(),
        Stream::Err => std::io::stderr().is_terminal(),
    };
    decide(is_terminal, |name| std::env::var(name).ok())
}

/// By the variables that the trade agrees on (no-color.org, bixense.com/clicolors).
fn decide(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    let off =
        set("CLICOLOR").is_some_and(|value| value == "0") || set("TERM").is_some_and(|term| term == "dumb");
    is_terminal && !off
}

/// A unified diff: what goes is red, what comes is green. The text has no escape sequences of its own.
pub(crate) fn diff(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let colour = match body {
            _ if body.starts_with("+++") || body.starts_with("---") => BOLD,
            _ if body.starts_with("@@") => CYAN,
            _ if body.starts_with('+') => GREEN,
            _ if body.starts_with('-') => RED,
            _ => "",
        };
        match colour {
            "" => out.push_str(line),
            colour => out.extend([colour, body, END, end]),
        }
    }
    out
}

/// A line of stderr: errors red, warnings bold, the rest as it is.
pub(crate) fn line(text: &str) -> String {
    match text.split_once(": ") {
        Some(("error", rest)) => format!("{RED}{BOLD}error{END}: {rest}"),
        Some(("warning", rest)) => format!("{BOLD}warning{END}: {rest}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_decide_in_their_order() {
        type Case<'a> = (bool, &'a [(&'a str, &'a str)], bool);
        let cases: [Case<'_>; 9] = [
            (true, &[], true),
            (false, &[], false),
            (true, &[("NO_COLOR", "1")], false),
            (true, &[("NO_COLOR", "")], true),
            (false, &[("CLICOLOR_FORCE", "1")], true),
            (false, &[("CLICOLOR_FORCE", "0")], false),
            (true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
            (true, &[("CLICOLOR", "0")], false),
            (true, &[("TERM", "dumb")], false),
        ];
        for (is_terminal, variables, expected) in cases {
            let variable = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(decide(is_terminal, variable), expected, "{is_terminal} {variables:?}");
        }
    }

    #[test]
    fn a_diff_without_its_colours_is_the_diff() {
        let text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same";
        let coloured = diff(text);
        assert!(
            coloured.contains("\u{1b}[31m-old\u{1b}[0m\n") && coloured.contains("\u{1b}[32m+new"),
            "{coloured:?}"
        );
        assert_eq!(super::super::plain::plain(&coloured), text);
    }
}
