"""Every form's tables against cases worked out by hand from the published table."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge.reading_form import reading_form, reading_form_ids
from tests.tools.readings.made import reading
from tools.readings.category import contradictions, headline, outcomes
from tools.readings.check import faults
from tools.readings.outcome import outcome_of

FOLDER = Path(__file__).parents[2] / "golden" / "readings"
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]


@pytest.mark.parametrize(("form_id", "case"), CASES)
def test_a_case_of_the_published_table(form_id: str, case: dict[str, Any]) -> None:
    form = reading_form(form_id)
    made = reading(form_id, case["items"])
    assert list(faults(made)) == []
    found = outcomes(form, made.items)
    for key, category in case.get("is", {}).items():
        assert outcome_of(found, *key.split("/")).category == category, key
    for key, possible in case.get("range", {}).items():
        assert list(outcome_of(found, *key.split("/")).possible) == possible, key
    for key, missing in case.get("missing", {}).items():
        assert set(missing) <= set(outcome_of(found, *key.split("/")).missing), key
    for key, (low, high) in case.get("total", {}).items():
        total = outcome_of(found, *key.split("/")).total
        assert total is not None
        assert (total.low, total.high) == (low, high), key
    for key in case.get("none", ()):
        assert outcome_of(found, key).no_entries
    clashes = contradictions(made)
    for kind in ("contradictions", "look_again"):
        if kind in case:
            keys = [clash.key for clash in clashes if clash.look_again == (kind == "look_again")]
            assert keys == case[kind]
    if "headline" in case:
        assert headline(form, found) == case["headline"]


@pytest.mark.parametrize("form_id", reading_form_ids())
def test_every_category_of_every_form_has_a_case(form_id: str) -> None:
    """A row that no case reaches could be wrong for ever."""
    form = reading_form(form_id)
    if not form.tables:
        return
    reached = set()
    for case in yaml.safe_load((FOLDER / f"{form_id}.yaml").read_text("utf-8")):
        assert case["source"]
        found = outcomes(form, reading(form_id, case["items"]).items)
        reached |= {(o.table, o.category) for o in found if o.category is not None}
    every = {(table.id, category.id) for table in form.tables for category in table.categories}
    assert every - reached == set()


@pytest.mark.parametrize("form_id", reading_form_ids())
def test_nothing_looked_at_never_gives_one_category(form_id: str) -> None:
    form = reading_form(form_id)
    for outcome in outcomes(form, {}):
        assert outcome.category is None
        assert outcome.missing
