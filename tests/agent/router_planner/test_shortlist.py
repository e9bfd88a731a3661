"""Finding tools by a request: by words in both languages, by meaning with a made encoder."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.router_planner.names import names_of
from agent.router_planner.shortlist import ToolIndex
from knowledge.passages import Language
from tools.toolbox import discover

WORDS = ToolIndex(None)


@pytest.mark.parametrize(
    ("request_", "tool"),
    [
        ("CURB-65", "curb65"),
        ("Cockcroft-Gault", "creatinine_clearance"),
        ("阴离子间隙", "anion_gap"),
        ("格拉斯哥昏迷评分", "gcs"),
        ("心胸比", "measure_chest_film"),
    ],
)
def test_a_tool_is_found_by_its_name(request_: str, tool: str) -> None:
    assert WORDS.shortlist(request_, count=3)[0] == tool


def test_only_the_tools_that_fit_are_listed_and_a_short_list_is_whole() -> None:
    among = ["heart", "wells_pe", "anion_gap"]
    assert set(WORDS.shortlist("sore throat", among=among)) == set(among)
    assert set(WORDS.shortlist("heart score", among=among, count=2)) <= set(among)


class _Letters:
    """An encoder whose vectors count letters: equal texts are nearest, without weights."""

    id = "letters"
    dimension = 26
    languages: tuple[Language, ...] = ("en",)
    min_cosine = -1.0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [[t.casefold().count(chr(97 + n)) + 1e-3 for n in range(26)] for t in texts]
        found = np.array(rows, np.float32)
        unit: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit


def test_by_meaning_every_tool_has_one_place() -> None:
    ranking = ToolIndex(_Letters()).by_meaning("Child-Pugh")
    assert ranking[0].tool == "child_pugh"
    assert sorted(n.tool for n in ranking) == sorted(discover())


def test_chinese_that_no_table_knows_is_not_put_to_an_english_encoder() -> None:
    assert ToolIndex(_Letters()).by_meaning("昏迷") == ()


def test_where_nothing_is_near_every_tool_is_left_for_the_model() -> None:
    assert set(WORDS.shortlist("嗯")) == set(discover())


def test_every_tool_has_a_chinese_name() -> None:
    assert [name for name in discover() if not names_of(name).zh] == []
