//! The text of strings in Python code.

use ruff_python_ast::{Expr, FStringPart, InterpolatedStringElement};
use ruff_text_size::Ranged;

/// Whether an expression is a string of any kind.
pub fn is_string(expr: &Expr) -> bool {
    matches!(expr, Expr::StringLiteral(_) | Expr::BytesLiteral(_) | Expr::FString(_) | Expr::TString(_))
}

/// The content of a string, or of several beside each other, as it is written; values stand as `{}`.
pub fn plain(expr: &Expr, source: &str) -> Option<String> {
    let mut text = String::new();
    match expr {
        Expr::StringLiteral(node) => {
            node.value.iter().for_each(|part| text.push_str(&source[part.content_range()]));
        }
        Expr::BytesLiteral(node) => {
            node.value.iter().for_each(|part| text.push_str(&source[part.content_range()]));
        }
        Expr::FString(node) => node.value.iter().for_each(|part| match part {
            FStringPart::Literal(part) => text.push_str(&source[part.content_range()]),
            FStringPart::FString(part) => {
                part.elements.iter().for_each(|element| push(&mut text, element, source));
            }
        }),
        Expr::TString(node) => node
            .value
            .iter()
            .flat_map(|part| part.elements.iter())
            .for_each(|element| push(&mut text, element, source)),
        _ => return None,
    }
    Some(text)
}

fn push(text: &mut String, element: &InterpolatedStringElement, source: &str) {
    match element {
        InterpolatedStringElement::Literal(part) => text.push_str(&source[part.range()]),
        InterpolatedStringElement::Interpolation(_) => text.push_str("{}"),
    }
}
