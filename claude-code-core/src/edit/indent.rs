//! How the indentation of a file stands to that of a text which means the same lines.

/// For each indentation of the text the one that the file has in its place, by width. Empty: they are the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Indents {
    pairs: Vec<(String, String)>,
}

impl Indents {
    /// What the lines of a file have in the place of these; none if one indentation stands for two, or two for one.
    pub fn between(have: &[&str], wanted: &[&str]) -> Option<Self> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (have, wanted) in have.iter().zip(wanted).filter(|(_, wanted)| !wanted.trim().is_empty()) {
            let (have, wanted) = (indent(have), indent(wanted));
            match pairs.iter().find(|(known, theirs)| known == wanted || theirs == have) {
                Some((known, theirs)) if known != wanted || theirs != have => return None,
                Some(_) => {}
                None => pairs.push((wanted.to_owned(), have.to_owned())),
            }
        }
        pairs.sort_by_key(|(wanted, _)| width(wanted));
        let is_ordered = pairs.windows(2).all(|pair| width(&pair[0].1) < width(&pair[1].1));
        if !is_ordered {
            return None;
        }
        let indents = Indents { pairs };
        (indents.is_shift() || indents.step().is_some()).then_some(indents)
    }

    /// A line of the text with the file's indentation. An indentation that stood on no line is made of the steps between
    /// those that did.
    pub fn applied(&self, line: &str) -> String {
        let own = indent(line);
        let rest = &line[own.len()..];
        if self.pairs.is_empty() || rest.trim().is_empty() {
            return line.to_owned();
        }
        let known = self.pairs.iter().find(|(wanted, _)| wanted == own).map(|(_, have)| have.clone());
        let new = known.or_else(|| self.shifted(own)).or_else(|| self.stepped(own));
        format!("{}{rest}", new.unwrap_or_else(|| own.to_owned()))
    }

    /// Whether the file has the same text before every line, or the text has.
    fn is_shift(&self) -> bool {
        let same = |longer: fn(&(String, String)) -> Option<&str>| {
            let mut prefixes = self.pairs.iter().map(longer);
            let first = prefixes.next().flatten();
            first.is_some() && prefixes.all(|prefix| prefix == first)
        };
        same(|(wanted, have)| have.strip_suffix(wanted.as_str()))
            || same(|(wanted, have)| wanted.strip_suffix(have.as_str()))
    }

    fn shifted(&self, own: &str) -> Option<String> {
        let (wanted, have) = self.pairs.first().filter(|_| self.is_shift())?;
        if let Some(prefix) =
            have.strip_suffix(wanted.as_str()).filter(|prefix| !prefix.is_empty() || wanted == have)
        {
            return Some(format!("{prefix}{own}"));
        }
        let prefix = wanted.strip_suffix(have.as_str())?;
        own.strip_prefix(prefix).map(str::to_owned)
    }

    /// How wide a step is in the text, and what a step is in the file.
    fn step(&self) -> Option<(usize, String)> {
        let nothing = (String::new(), String::new());
        let with_nothing = self.pairs.first().filter(|(wanted, have)| !wanted.is_empty() && !have.is_empty());
        let all: Vec<&(String, String)> =
            with_nothing.map(|_| &nothing).into_iter().chain(&self.pairs).collect();
        let steps = all.windows(2).filter_map(|pair| {
            let wide = width(&pair[1].0).checked_sub(width(&pair[0].0))?;
            let more = pair[1].1.strip_prefix(pair[0].1.as_str())?;
            (wide > 0 && !more.is_empty()).then(|| (wide, more.to_owned()))
        });
        let (wide, more) = steps.min_by_key(|(wide, _)| *wide)?;
        // Three levels of two blanks that are one of three tabs: a step is a third of it.
        match (wide, more.bytes().all(|b| b == b'\t')) {
            (wide, true) if more.len() > 1 && wide.is_multiple_of(more.len()) => {
                Some((wide / more.len(), "\t".to_owned()))
            }
            _ => Some((wide, more)),
        }
    }

    fn stepped(&self, own: &str) -> Option<String> {
        let (wide, more) = self.step()?;
        let own = width(own);
        let below = self.pairs.iter().rev().find(|(wanted, _)| width(wanted) <= own);
        let (from, have) = below.map_or((0, ""), |(wanted, have)| (width(wanted), have.as_str()));
        let steps = (own - from) / wide;
        (from + steps * wide == own).then(|| format!("{have}{}", more.repeat(steps)))
    }
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t', '\u{a0}', '\u{3000}']).len()]
}

/// Columns, with a tab for four.
fn width(indent: &str) -> usize {
    indent.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum()
}
