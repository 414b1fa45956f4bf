"""The pages for operators say what is there."""

import json
import re

from conftest import INFRA, ROOT

PAGES = ROOT / "docs/operations"


def test_every_alarm_has_its_section_and_names_it(template):
    sections = re.findall(r"^## ([\w-]+)$", (PAGES / "alarms.md").read_text(), re.M)
    alarms = json.loads((INFRA / "alarms.json").read_text())
    assert sections == sorted(sections, key=list(alarms).index) and set(sections) == set(alarms)
    for name, alarm in alarms.items():
        assert alarm["description"].endswith(f"docs/operations/alarms.md#{name}")


def test_the_guide_names_every_parameter_with_its_default(template):
    guide = (INFRA / "DEPLOY_GUIDE.md").read_text()
    rows = dict(re.findall(r"^\| ([A-Z][\w, ]+?) \| ([\w.-]*) ?\|", guide, re.M))
    told = {name: default for names, default in rows.items() for name in names.split(", ")}
    parameters = {name: str(entry["Default"]) for name, entry in template["Parameters"].items() if "Default" in entry and name != "AnthropicSecretArn"}
    assert told == parameters


def test_links_between_the_pages_lead_somewhere():
    for page in [*PAGES.glob("*.md"), INFRA / "DEPLOY_GUIDE.md"]:
        for link in re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_counts_that_the_pages_tell_are_right(template):
    import differences
    import mutations

    text = (PAGES / "proven.md").read_text()
    rules = len(re.findall(r"^rule ", (INFRA / "guard/claude-code.guard").read_text(), re.M))
    assert f"cfn-guard with {rules} rules" in text
    assert f"{len(mutations.MUTATIONS)} seeded mistakes" in text
    assert f"{len(differences.TERRAFORM) + len(differences.CLOUDFORMATION)} seeded differences" in text
