//! Model ids, the catalogue and its refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

use claude_code_core::model::catalogue::Status;
use claude_code_core::{Catalogue, ErrorKind, Family, ModelId, PicoUsd, ProfileScope, Tier};
use proptest::prelude::*;

const TODAY: &str = "2026-11-21";

fn id(text: &str) -> ModelId {
    ModelId::new(text).unwrap()
}

#[test]
fn every_shape_of_an_id_gives_the_bare_name_and_its_scope() {
    let rows: &[(&str, Option<&str>, Option<ProfileScope>)] = &[
        ("claude-sonnet-5-5", Some("claude-sonnet-5-5"), None),
        ("claude-haiku-4-5-20251001", Some("claude-haiku-4-5"), None),
        ("claude-3-5-sonnet-latest", Some("claude-3-5-sonnet"), None),
        ("anthropic.claude-sonnet-5-5", Some("claude-sonnet-5-5"), None),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", Some("claude-3-5-sonnet"), None),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0:18k", Some("claude-3-5-sonnet"), None),
        ("anthropic.claude-opus-4-6-v1", Some("claude-opus-4-6"), None),
        ("global.anthropic.claude-opus-4-6-v1", Some("claude-opus-4-6"), Some(ProfileScope::Global)),
        ("eu.anthropic.claude-haiku-4-5-20251001-v1:0", Some("claude-haiku-4-5"), Some(ProfileScope::Eu)),
        ("us-gov.anthropic.claude-sonnet-5-5", Some("claude-sonnet-5-5"), Some(ProfileScope::UsGov)),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-5-5",
            Some("claude-haiku-5-5"),
            None,
        ),
        (
            "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp.anthropic.claude-opus-5-5",
            Some("claude-opus-5-5"),
            Some(ProfileScope::Jp),
        ),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", None, None),
        ("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/claude-x", None, None),
        ("arn:aws", None, None),
        ("amazon.nova-pro-v1:0", Some("amazon.nova-pro"), None),
        ("claude-vision", Some("claude-vision"), None),
    ];
    for (text, base, scope) in rows {
        assert_eq!(id(text).base(), *base, "{text}");
        assert_eq!(id(text).scope(), *scope, "{text}");
        assert_eq!(id(text).as_str(), *text);
    }
}

#[test]
fn refuses_ids_that_would_change_a_url() {
    let long = "a".repeat(257);
    for bad in
        ["", "a b", "a/../b", "..", "claude?x=1", "claude%2e", "a\nb", "clau\u{301}de", "a#b", "a@b", &long]
    {
        assert_eq!(ModelId::new(bad).unwrap_err().kind(), ErrorKind::InvalidRequest, "{bad:?}");
    }
    assert!(ModelId::new(&"a".repeat(256)).is_ok());
}

#[test]
fn ids_and_scopes_survive_json() {
    let given = id("eu.anthropic.claude-haiku-4-5-20251001-v1:0");
    let json = serde_json::to_string(&given).unwrap();
    assert_eq!(serde_json::from_str::<ModelId>(&json).unwrap(), given);
    assert!(serde_json::from_str::<ModelId>("\"a b\"").is_err());
    for scope in ProfileScope::ALL {
        assert_eq!(serde_json::to_string(&scope).unwrap(), format!("\"{scope}\""));
        assert_eq!(scope.as_str().parse::<ProfileScope>().unwrap(), scope);
    }
    for tier in Tier::ALL {
        assert_eq!(serde_json::to_string(&tier).unwrap(), format!("\"{tier}\""));
    }
}

#[test]
fn tiers_are_ordered_and_end_at_both_ends() {
    assert!(Tier::Simple < Tier::Medium && Tier::Medium < Tier::Complex);
    assert_eq!(Tier::Simple.above(), Some(Tier::Medium));
    assert_eq!(Tier::Complex.above(), None);
    assert_eq!(Tier::Simple.below(), None);
    let error = "hard".parse::<Tier>().unwrap_err();
    assert_eq!(error.message(), "tier \"hard\" is none of simple, medium, complex");
}

#[test]
fn the_catalogue_knows_every_model_by_every_id_of_it() {
    let catalogue = Catalogue::builtin();
    assert_eq!(catalogue.models().len(), 25);
    for card in catalogue.models() {
        assert_eq!(catalogue.find(&id(card.api_id)).unwrap().name, card.name);
        assert_eq!(catalogue.find(&id(card.bedrock_id)).unwrap().name, card.name);
        for scope in &card.profiles {
            let profile = card.profile_id(*scope).unwrap();
            assert_eq!(catalogue.find(&profile).unwrap().name, card.name, "{profile}");
            assert_eq!(profile.scope(), Some(*scope));
        }
    }
}

#[test]
fn every_price_is_whole_pico_dollars_per_token_and_every_model_has_a_price() {
    // A rate that is not gives an error while the catalogue is read, so it is enough that every model has one.
    let catalogue = Catalogue::builtin();
    for card in catalogue.models() {
        let priced =
            card.profiles.iter().filter(|s| catalogue.rates(&card.profile_id(**s).unwrap()).is_some());
        assert_eq!(priced.count(), card.profiles.len(), "{}", card.name);
    }
}

#[test]
fn an_unknown_date_is_another_model() {
    let catalogue = Catalogue::builtin();
    assert!(catalogue.find(&id("anthropic.claude-sonnet-4-5-20991231-v1:0")).is_none());
    assert!(catalogue.find(&id("claude-sonnet-9")).is_none());
    assert_eq!(catalogue.find(&id("claude-haiku-4-5")).unwrap().api_id, "claude-haiku-4-5-20251001");
    assert_eq!(catalogue.find(&id("claude-sonnet-4-0")).unwrap().api_id, "claude-sonnet-4-20250514");
    assert_eq!(catalogue.find(&id("claude-3-5-sonnet-latest")).unwrap().api_id, "claude-3-5-sonnet-20241022");
}

#[test]
fn each_tier_has_a_current_open_model() {
    let catalogue = Catalogue::builtin();
    assert_eq!(catalogue.as_of(), TODAY);
    let names = Tier::ALL.map(|t| catalogue.for_tier(t).base());
    assert_eq!(names, ["claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"]);
    for tier in Tier::ALL {
        let card = catalogue.for_tier(tier);
        assert_eq!(card.lifecycle.status, Status::Active);
        assert!(catalogue.successor_of(card).is_none());
        assert!(catalogue.warning(&card.profile_id(ProfileScope::Global).unwrap(), TODAY).is_none());
        assert_eq!(catalogue.tier_of(card), tier);
    }
    for family in Family::ALL {
        assert_eq!(catalogue.for_family(family).family, family);
    }
}

#[test]
fn a_profile_that_does_not_exist_is_not_replaced_by_another_geography() {
    let haiku = Catalogue::builtin().for_tier(Tier::Simple);
    assert_eq!(haiku.profile_id(ProfileScope::Eu).unwrap().as_str(), "eu.anthropic.claude-haiku-5-5");
    assert!(haiku.profile_id(ProfileScope::In).is_none());
}

#[test]
fn refuses_the_old_default_and_names_day_and_successor() {
    let error =
        Catalogue::builtin().refusal(&id("anthropic.claude-3-5-sonnet-20241022-v2:0"), TODAY).unwrap();
    assert_eq!(error.kind(), ErrorKind::Retired);
    assert_eq!(
        error.message(),
        "model anthropic.claude-3-5-sonnet-20241022-v2:0 reached its end of life on Amazon Bedrock on 2026-03-01; \
         use its successor global.anthropic.claude-sonnet-5-5"
    );
    let error =
        Catalogue::builtin().refusal(&id("eu.anthropic.claude-3-7-sonnet-20250219-v1:0"), TODAY).unwrap();
    assert!(error.message().ends_with("use its successor eu.anthropic.claude-sonnet-5-5"), "{error}");
}

#[test]
fn refuses_every_model_from_its_last_day_on_and_not_before() {
    let catalogue = Catalogue::builtin();
    let mut refused = 0;
    for card in catalogue.models() {
        for text in [card.bedrock_id, card.api_id] {
            let given = id(text);
            let Some(eol) = card.end_of_life(&given) else { continue };
            assert!(catalogue.refusal(&given, eol).is_some(), "{text}");
            assert!(catalogue.refusal(&given, "2024-01-01").is_none(), "{text}");
            assert!(
                catalogue.refusal(&given, eol).unwrap().message().contains("; use its successor "),
                "{text}"
            );
            refused += 1;
        }
        // What the table calls retired has a day on which it ended.
        assert_eq!(card.lifecycle.status == Status::Retired, card.lifecycle.eol.is_some_and(|d| d <= TODAY));
    }
    assert!(refused >= 14, "{refused}");
}

#[test]
fn one_model_can_end_on_one_service_and_go_on_on_the_other() {
    let catalogue = Catalogue::builtin();
    let december = "2026-12-01";
    assert!(catalogue.refusal(&id("claude-sonnet-4-5-20250929"), december).is_some());
    let bedrock = id("us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert!(catalogue.refusal(&bedrock, december).is_none());
    let warning = catalogue.warning(&bedrock, december).unwrap();
    assert!(warning.contains("legacy and ends on 2027-04-08"), "{warning}");
    assert!(warning.ends_with("its successor is us.anthropic.claude-sonnet-5-5"), "{warning}");
}

#[test]
fn dollars_are_exact_in_both_directions() {
    let rows = [("0", 0), ("0.0123", 12_300_000_000), ("3", 3_000_000_000_000), ("0.000000000001", 1)];
    for (text, pico) in rows {
        assert_eq!(PicoUsd::from_usd(text).unwrap(), PicoUsd(pico));
        assert_eq!(PicoUsd(pico).to_string(), text);
        assert_eq!(serde_json::to_string(&PicoUsd(pico)).unwrap(), format!("\"{text}\""));
    }
    for bad in
        ["", ".", "1.", ".5", "-1", "+1", "1e3", "0.0000000000001", "1,5", "18446744.1", "$1", " 1", "١"]
    {
        assert!(PicoUsd::from_usd(bad).is_err(), "{bad:?}");
    }
    assert!(serde_json::from_str::<PicoUsd>("0.5").is_err(), "a JSON number may have been a float");
}

proptest! {
    #[test]
    fn any_amount_survives_its_text(pico: u64) {
        let amount = PicoUsd(pico);
        prop_assert_eq!(PicoUsd::from_usd(&amount.to_string()).unwrap(), amount);
    }

    #[test]
    fn any_text_is_an_id_or_an_error_and_never_a_panic(text in "[a-z.:/v0-9-]{0,40}") {
        if let Ok(id) = ModelId::new(&text) {
            let _ = (id.base(), id.dated(), id.scope(), Catalogue::builtin().find(&id));
        }
    }
}
