//! Usage in JSON, and how it adds up.

use claude_code_core::Usage;

use super::usage;

#[test]
fn usage_has_the_four_keys_and_reads_older_json_without_the_split() {
    let json = serde_json::to_value(usage([1, 2, 3, 4, 5])).unwrap();
    assert_eq!(json["cache_creation_input_tokens"], 9);
    assert_eq!(serde_json::from_value::<Usage>(json).unwrap(), usage([1, 2, 3, 4, 5]));
    let old: Usage = serde_json::from_str(r#"{"input_tokens":1,"cache_creation_input_tokens":7}"#).unwrap();
    assert_eq!(old, usage([1, 0, 0, 7, 0]));
    assert_eq!(old.prompt_tokens(), 8);
    let none = serde_json::to_value(usage([1, 2, 3, 0, 0])).unwrap();
    assert!(none.get("cache_creation").is_none() && none.get("thinking_tokens").is_none(), "{none}");
    let split = serde_json::to_value(usage([0, 0, 0, 4, 5])).unwrap();
    assert_eq!(split["cache_creation"]["ephemeral_5m_input_tokens"], 4);
    assert_eq!(split["cache_creation"]["ephemeral_1h_input_tokens"], 5);
}

#[test]
fn usage_adds_up_kind_by_kind() {
    let thought = |thinking, tokens| Usage { thinking_tokens: thinking, ..usage(tokens) };
    let mut sum = thought(None, [1, 2, 3, 4, 5]) + thought(Some(7), [10, 20, 30, 40, 50]);
    assert_eq!(sum, thought(Some(7), [11, 22, 33, 44, 55]));
    sum += thought(Some(1), [100, 0, 0, 0, 0]);
    assert_eq!(sum, thought(Some(8), [111, 22, 33, 44, 55]));
    assert_eq!((usage([1; 5]) + usage([1; 5])).thinking_tokens, None, "it was not told");
    assert_eq!(sum.prompt_tokens(), 111 + 33 + 44 + 55);
    assert_eq!(sum.cache_creation_input_tokens(), 99);
    assert_eq!(sum.uncached(), Usage::new(243, 22));
}
