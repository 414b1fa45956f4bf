"""Golden receipts, computed with exact fractions from the facts file. Shares no code and no data with the crate.

    python3 receipts.py FACTS.json [--against genai-prices] > receipts.json

With --against, rows that PyPI genai-prices can price get its total too, and every difference is reported; it must
be installed. Everything is in dollars, as decimal strings.
"""

import json
import sys
from fractions import Fraction

KINDS = ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"]
GEOGRAPHIES = {"us", "eu", "jp", "au", "in", "apac", "ca"}

# (input, output, cache read, cache write 5m, cache write 1h)
SMALL = (1_234, 567, 0, 0, 0)
CACHED = (321, 2_048, 40_960, 0, 0)
WRITE_5M = (17, 901, 0, 33_333, 0)
WRITE_1H = (17, 901, 5_000, 1_111, 22_222)
LARGE = (777_777, 127_999, 0, 0, 0)

HAIKU, SONNET, OPUS, FABLE = (f"anthropic.claude-{n}" for n in ("haiku-5-5", "sonnet-5-5", "opus-5-5", "fable-5-2"))

# id, usage, batch
ROWS = [(f"{scope}.{model}", usage, False)
        for scope, model in (("global", HAIKU), ("eu", HAIKU), ("global", SONNET), ("jp", SONNET), ("global", OPUS),
                             ("us", OPUS))
        for usage in (SMALL, CACHED, WRITE_5M, WRITE_1H)]
# The step of Haiku 5.5 counts the whole prompt, cached or not, and changes the price of every token.
ROWS += [(f"{scope}.{HAIKU}", usage, False)
         for scope in ("global", "au", "us-gov")
         for usage in ((99_999, 1_000, 0, 0, 0), (100_000, 1_000, 0, 0, 0), (100_001, 1_000, 0, 0, 0))]
ROWS += [(f"global.{HAIKU}", usage, False)
         for usage in ((1, 1_000, 99_998, 0, 0), (1, 1_000, 99_999, 0, 0), (1, 1_000, 100_000, 0, 0),
                       (1, 1_000, 0, 50_000, 50_000))]
ROWS += [
    (f"global.{FABLE}", CACHED, False),
    (f"eu.{FABLE}", WRITE_1H, False),
    (f"us-gov.{SONNET}", SMALL, False),
    (f"us-gov.{OPUS}", WRITE_1H, False),
    (f"global.{SONNET}", LARGE, False),
    (f"eu.{OPUS}", LARGE, False),
    (SONNET, SMALL, False),
    ("claude-sonnet-5-5", CACHED, False),
    ("claude-haiku-5-5", (100_001, 9, 0, 0, 0), False),
    ("global.anthropic.claude-opus-5", CACHED, False),
    ("in.anthropic.claude-sonnet-5", WRITE_5M, False),
    ("global.anthropic.claude-opus-4-8", SMALL, False),
    ("us.anthropic.claude-sonnet-4-6", WRITE_1H, False),
    ("au.anthropic.claude-opus-4-6-v1", CACHED, False),
    ("eu.anthropic.claude-opus-4-5-20251101-v1:0", SMALL, False),
    ("global.anthropic.claude-haiku-4-5-20251001-v1:0", CACHED, False),
    ("claude-haiku-4-5-20251001", WRITE_5M, False),
    ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", CACHED, False),
    ("us.anthropic.claude-mythos-5", SMALL, False),
    (f"global.{SONNET}", SMALL, True),
    (f"eu.{HAIKU}", (100_001, 4_321, 7, 0, 3), True),
    ("us.anthropic.claude-opus-5-5", WRITE_5M, True),
    ("global.anthropic.claude-fable-5-1", (0, 0, 0, 0, 0), False),
]
# A batch job: half of whatever the same tokens cost, long prompts, geographies and caches included.
ROWS += [(f"{scope}.{model}", usage, True)
         for scope, model in (("global", HAIKU), ("us", HAIKU), ("eu", SONNET), ("global", OPUS), ("us-gov", SONNET),
                              ("global", FABLE))
         for usage in (SMALL, CACHED, WRITE_1H, LARGE)]


def place(model_id):
    prefix = model_id.split(".")[0]
    if prefix == "global" or model_id.startswith("claude-"):
        return "global"
    return "us_gov" if prefix == "us-gov" else "regional"


def entry(facts, model_id):
    head, _, rest = model_id.partition(".")
    name = rest if head in GEOGRAPHIES | {"global", "us-gov"} else model_id
    return next(m for m in facts["models"] if name in (m["id"], m["anthropic_api_id"]))


def priced(prices, usage):
    """What each kind of token costs, and the sum."""
    parts = {kind: Fraction(prices[kind]) * tokens / 1_000_000 for kind, tokens in zip(KINDS, usage) if tokens}
    return parts, sum(parts.values())


def step(prices, usage):
    """The prices that apply to a prompt of this length."""
    prompt = usage[0] + sum(usage[2:])
    above = prices.get("tier_above_100k_prompt_tokens")
    return above if above and prompt > 100_000 else prices


def bill(facts, model_id, usage, batch):
    lists = entry(facts, model_id)["prices_usd_per_mtok"]
    own = lists[place(model_id)]
    base = lists["global"] or own
    items, usual = priced(base, usage)
    listed = priced(step(base, usage), usage)[1]
    total = priced(step(own, usage), usage)[1]
    items["long_prompt"] = listed - usual
    items["profile_uplift"] = total - listed
    if batch:
        items["batch_discount"] = -total * Fraction(1, 2)
        total += items["batch_discount"]
    assert sum(items.values()) == total
    return {kind: amount for kind, amount in items.items() if amount or kind in KINDS}, total


def saved(facts, model_id, usage, batch, total):
    uncached = (usage[0] + sum(usage[2:]), usage[1], 0, 0, 0)
    by_cache = bill(facts, model_id, uncached, batch)[1] - total
    if not any(f"-{family}" in model_id for family in ("haiku", "sonnet")):
        return by_cache, Fraction(0)
    prefix = {"global": "global.", "regional": "us.", "us_gov": "us-gov."}[place(model_id)]
    return by_cache, bill(facts, prefix + OPUS, usage, batch)[1] - total


def dollars(amount):
    """Exact decimal text; fails where there is none."""
    pico = amount * 10**12
    assert pico.denominator == 1, amount
    whole, fraction = divmod(abs(pico.numerator), 10**12)
    text = f"{whole}.{fraction:012d}".rstrip("0").rstrip(".")
    return ("-" if amount < 0 else "") + text


def peer_total(model_id, usage):
    from genai_prices import Usage, calc_price

    provider = "anthropic" if model_id.startswith("claude-") else "aws"
    tokens = dict(input_tokens=usage[0] + sum(usage[2:]), output_tokens=usage[1], cache_read_tokens=usage[2],
                  cache_write_tokens=usage[3] + usage[4], cache_write_1h_tokens=usage[4])
    return Fraction(calc_price(Usage(**tokens), model_ref=model_id, provider_id=provider).total_price)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        facts = json.load(file, parse_float=Fraction)
    against = sys.argv[2:] == ["--against", "genai-prices"]
    rows, agreed, differing = [], 0, []
    for model_id, usage, batch in ROWS:
        items, total = bill(facts, model_id, usage, batch)
        by_cache, by_tier = saved(facts, model_id, usage, batch, total)
        row = {"model": model_id, "batch": batch, "usage": list(usage),
               "items": {kind: dollars(amount) for kind, amount in items.items()}, "total": dollars(total),
               "saved_by_prompt_cache": dollars(by_cache), "saved_by_tier": dollars(by_tier)}
        # It knows no batch discount and no GovCloud list.
        if against and not batch and place(model_id) != "us_gov" and any(usage):
            try:
                other = peer_total(model_id, usage)
            except LookupError:
                differing.append(f"{model_id}: unknown there")
            else:
                if other == total:
                    agreed += 1
                    row["genai_prices"] = dollars(other)
                else:
                    differing.append(f"{model_id} {usage}: {dollars(total)} here, {float(other)} there")
        rows.append(row)
    if against:
        print(f"genai-prices: {agreed} rows equal, {len(differing)} not", *differing, sep="\n  ", file=sys.stderr)
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    print(f'{{"as_of": "{facts["as_of"]}", "rows": [\n{lines}\n]}}')


main()
