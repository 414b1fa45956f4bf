//! Tiers.
use crate::catalogue::{Catalogue, ModelCard};
use crate::model::Tier;
/// A task.
pub struct Task<'a> { /// p
 pub prompt: &'a str, /// l
 pub language: Option<&'a str>, /// f
 pub files: Option<u32>, /// c
 pub code_lines: u32 }
/// Verdict.
pub struct Verdict { /// t
 pub tier: Tier, /// w
 pub why: String }
/// Classify.
pub fn classify(_: &Task<'_>) -> Verdict { Verdict { tier: Tier::Simple, why: "stub".into() } }
/// Choice
pub struct Choice { /// c
 pub card: &'static ModelCard, /// t
 pub tier: Tier, /// w
 pub why: String }
/// Candidates.
pub fn candidates(tier: Tier, catalogue: &'static Catalogue, _fallback: bool) -> Vec<Choice> { vec![Choice { card: catalogue.for_tier(tier), tier, why: "x".into() }] }
