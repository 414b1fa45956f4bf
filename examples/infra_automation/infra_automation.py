"""A sentence becomes a CloudFormation template, which is written when its rules pass and its plan is accepted.

python examples/infra_automation/infra_automation.py "A private bucket …" -o DIR [--offline | --endpoint URL] [--yes]
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claude_code import ClaudeCodeError, Client

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from endpoint import Endpoint, EndpointError

SAMPLES = Path(__file__).parent / "samples"
WORDS = "Write CloudFormation: one template, template.yaml, without transforms."
# A few rules as patterns; the Rust application reads the template and has more of them.
RULES = {
    "star-action": r"Effect: Allow\s+Action: \S*\*",
    "star-resource": r'Effect: Allow\s+Action:.*\s+Resource: "\*"',
    "public-bucket": r"(BlockPublicAcls|BlockPublicPolicy|IgnorePublicAcls|RestrictPublicBuckets): false",
    "queue-encryption": r"AWS::SQS::Queue(?:(?!Type:)[\s\S])*?Properties:\n(?!\s+SqsManagedSseEnabled: true)",
}


def rules(files: Mapping[str, Any]) -> list[str]:
    template = files["template.yaml"].content
    found = ((rule, re.search(pattern, template)) for rule, pattern in RULES.items())
    return [f"[{rule}] line {template[: match.start()].count(chr(10)) + 1}" for rule, match in found if match]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sentence")
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    parser.add_argument("--offline", action="store_true", help="sample answers; needs no AWS account")
    parser.add_argument("--yes", action="store_true", help="accept the plan beforehand")
    parser.add_argument("--endpoint", metavar="URL", help="ask a server of the HTTP API")
    given = parser.parse_args()
    client: Any = Endpoint(given.endpoint) if given.endpoint else None
    client = client or (Client.local(answers=SAMPLES) if given.offline else Client())
    try:
        answer = client.generate(
            given.sentence, instructions=WORDS, check=rules, store=False
        ).raise_for_rejected()
        print(re.sub(r"(?m)^(?!  \w+:$|    Type:).*\n", "", answer.files["template.yaml"].content), end="")
        if not given.yes and input(f"Write it to {given.output}? [y/N] ") != "y":
            return 1
        answer.write_to(given.output)
    except (ClaudeCodeError, EndpointError) as error:
        print(f"{error.kind}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
