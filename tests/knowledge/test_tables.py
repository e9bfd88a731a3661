"""Every number a clinician may want to review has a source and says how sure it is."""

import pytest

from knowledge.errors import ReferenceDataError
from knowledge.reference import Review, raw, table_names, unsourced_numbers
from knowledge.tables import load_table
from serving.commands.data import review_tags

NAMES = table_names()


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_every_file_is_valid(name: str) -> None:
    table = load_table(name)
    assert table.sources
    assert table.reviewed_on is None, "a date here claims that a clinician reviewed the file"


@pytest.mark.parametrize("name", NAMES)
def test_no_number_stands_without_a_source_and_a_review_state(name: str) -> None:
    assert list(unsourced_numbers(raw(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_source_that_a_row_names_is_listed_with_a_year_an_address_or_a_date(
    name: str,
) -> None:
    data = raw(name)
    listed = data["sources"]
    named = set(_named(data))
    assert named <= set(listed), f"not listed: {named - set(listed)}"
    for key, source in listed.items():
        assert any(source.get(f) for f in ("year", "url", "doi", "seen_on")), key


@pytest.mark.parametrize("name", NAMES)
def test_every_review_tag_has_a_known_form(name: str) -> None:
    for tag in review_tags(raw(name)):
        assert "not reviewed by a clinician" in Review(tag=tag).words


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"limit": 5}, ["rows.limit"]),
        ({"limit": 5, "source": "a"}, ["rows.limit"]),
        ({"limit": 5, "source": "a", "review": "V:x"}, []),
        ({"source": "a", "review": "N", "deep": [{"x": [1.5]}]}, []),
        ({"deep": [{"x": [1.5]}]}, ["rows.deep[0].x[0]"]),
        ({"flag": True, "text": "5"}, []),
    ],
)
def test_the_walk_finds_a_number_without_a_source(row: dict[str, object], found: list[str]) -> None:
    assert list(unsourced_numbers({"title": "t", "rows": row})) == found


def test_a_file_that_no_type_reads_is_an_error() -> None:
    with pytest.raises(ReferenceDataError, match="no type validates"):
        load_table("unheard-of")


@pytest.mark.parametrize(
    ("tag", "needs"),
    [("R80", True), ("R81", False), ("V:a!", True), ("V:a,b", False), ("N", False)],
)
def test_what_was_recalled_at_80_percent_or_is_disputed_goes_to_a_clinician_first(
    tag: str, needs: bool
) -> None:
    assert Review(tag=tag).needs_clinician is needs


def _named(node: object) -> list[str]:
    if isinstance(node, dict):
        here = [node["source"]] if isinstance(node.get("source"), str) else []
        return here + [n for k, v in node.items() if k != "sources" for n in _named(v)]
    if isinstance(node, list):
        return [n for v in node for n in _named(v)]
    return []
