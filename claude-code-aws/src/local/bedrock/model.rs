//! Family and version out of a model's id, whatever its shape.

/// A Claude model as its id names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) family: Family,
    /// Major and minor version; `sonnet-5` is (5, 0).
    pub(super) version: (u8, u8),
}

/// The families of Claude models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Opus,
    Sonnet,
    Haiku,
    Fable,
    Mythos,
}

impl Model {
    /// Reads `claude-sonnet-5-5`, `anthropic.claude-opus-4-6-v1`, `us.anthropic.claude-haiku-4-5-20251001-v1:0`,
    /// `anthropic.claude-3-5-sonnet-20241022-v2:0` and ARNs that end with one of them. None for anything else,
    /// the ARN of an application's own inference profile included.
    pub(super) fn from_id(id: &str) -> Option<Self> {
        let (_, name) = id.rsplit_once("claude-")?;
        let mut family = None;
        let mut numbers = Vec::new();
        for word in name.split(['-', ':']) {
            match (family_of(word), word.parse::<u8>()) {
                (Some(named), _) => family = Some(named),
                // A version has one or two digits; a date has eight and does not fit.
                (None, Ok(number)) if numbers.len() < 2 => numbers.push(number),
                _ if family.is_some() => break,
                _ => {}
            }
        }
        // A preview without a number is of the current generation.
        let version = (numbers.first().copied().unwrap_or(5), numbers.get(1).copied().unwrap_or(0));
        Some(Model { family: family?, version })
    }

    /// Whether the family's version is at least this one.
    pub(super) fn is(self, family: Family, at_least: (u8, u8)) -> bool {
        self.family == family && self.version >= at_least
    }
}

fn family_of(word: &str) -> Option<Family> {
    Some(match word {
        "opus" => Family::Opus,
        "sonnet" => Family::Sonnet,
        "haiku" => Family::Haiku,
        "fable" => Family::Fable,
        "mythos" => Family::Mythos,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_shape_of_an_id() {
        let cases = [
            ("global.anthropic.claude-sonnet-5-5", Some((Family::Sonnet, (5, 5)))),
            ("anthropic.claude-sonnet-5", Some((Family::Sonnet, (5, 0)))),
            ("anthropic.claude-opus-4-6-v1", Some((Family::Opus, (4, 6)))),
            ("us.anthropic.claude-haiku-4-5-20251001-v1:0", Some((Family::Haiku, (4, 5)))),
            ("anthropic.claude-sonnet-4-20250514-v1:0", Some((Family::Sonnet, (4, 0)))),
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", Some((Family::Sonnet, (3, 5)))),
            ("anthropic.claude-3-haiku-20240307-v1:0", Some((Family::Haiku, (3, 0)))),
            ("claude-fable-5-2", Some((Family::Fable, (5, 2)))),
            (
                "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-opus-4-8",
                Some((Family::Opus, (4, 8))),
            ),
            ("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdef", None),
            ("anthropic.claude-mythos-preview", Some((Family::Mythos, (5, 0)))),
            ("amazon.nova-pro-v1:0", None),
        ];
        for (id, expected) in cases {
            let read = Model::from_id(id).map(|model| (model.family, model.version));
            assert_eq!(read, expected, "{id}");
        }
    }
}
