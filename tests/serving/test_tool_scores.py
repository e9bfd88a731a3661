"""``epicrisis tool scores``, and ``tool run`` of scores and indices on a case."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from knowledge.laboratory_indices import laboratory_indices
from knowledge.scores import score, score_ids
from knowledge.scores_left_out import scores_left_out
from serving.cli import application
from tests.agent.cases import EXAMPLES

CASE = str(EXAMPLES / "nstemi")


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(application(), list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_every_score_runs_on_one_case_and_what_is_unknown_is_never_a_number() -> None:
    rows: list[dict[str, Any]] = orjson.loads(
        invoke("tool", "scores", CASE, "--json", "--most-missing", "99")
    )
    assert len(rows) > 50
    assert {row["tool"] for row in rows} <= set(score_ids())
    assert all("value" not in row for row in rows if row["missing"])
    assert all(row["category"] != "not assessed" for row in rows)


def test_the_list_is_by_topic_with_what_is_missing() -> None:
    text = " ".join(invoke("tool", "scores", CASE).split())
    assert "chest pain" in text
    assert "curb65 CURB-65 between 1 and 3" in text
    assert "missing: New confusion, Urea" in text
    assert "miss more inputs" in text


def test_a_named_score_is_shown_however_much_is_missing() -> None:
    rows = orjson.loads(invoke("tool", "scores", CASE, "--name", "caprini", "--json"))
    assert [row["tool"] for row in rows] == ["caprini"]


def test_every_score_is_listed() -> None:
    rows = orjson.loads(invoke("tool", "list", "--json"))
    assert set(score_ids()) <= {row["name"] for row in rows}


def test_the_ecg_and_the_troponin_of_a_case_reach_a_score() -> None:
    found = orjson.loads(invoke("tool", "run", "timi_nstemi", "--case", CASE))
    assert found["range"] == [4.0, 7.0]
    said = {item["item"]: item for item in found["items"]}
    assert (said["st_deviation"]["low"], said["st_deviation"]["high"]) == (1, 1)


def test_an_answer_on_the_command_line_counts_beside_the_case() -> None:
    found = orjson.loads(invoke("tool", "run", "curb65", "--case", CASE, "--set", "urea=8 mmol/L"))
    assert found["range"] == [2.0, 3.0]  # age 1, urea 1, confusion unknown


def test_an_index_runs_from_answers_and_from_a_case() -> None:
    """FIB-4 of 60 years, AST 80, ALT 50, platelets 120: 60 x 80 / (120 x sqrt 50) = 5.66."""
    given = ["age_years=60", "ast_u_l=80", "alt_u_l=50", "platelets_10_9_l=120"]
    sets = [part for one in given for part in ("--set", one)]
    found = orjson.loads(invoke("tool", "run", "fib_4", *sets))
    assert round(found["value"]["value"], 2) == 5.66
    open_ = orjson.loads(invoke("tool", "run", "creatinine_clearance", "--case", CASE))
    assert "weight_kg" in {item["input"] for item in open_["missing"]}


def test_an_index_in_another_unit_is_converted() -> None:
    found = orjson.loads(
        invoke("tool", "run", "corrected_calcium", "--set", "calcium_mg_dl=2.0 mmol/L",
               "--set", "albumin_g_dl=25 g/L")
    )  # fmt: skip
    # 2.0 mmol/L is 8.02 mg/dL: 8.02 + 0.8 x (4.0 - 2.5) = 9.22
    assert round(found["value"]["value"], 1) == 9.2


@pytest.mark.parametrize(
    "answer",
    ["ast_u_l=many", "nothing=3", "sex=unsaid", "ast_u_l"],
    ids=["words", "key", "choice", "bare"],
)
def test_an_answer_that_is_none_of_an_index_is_refused(answer: str) -> None:
    index = "ideal_body_weight" if answer.startswith("sex") else "fib_4"
    result = CliRunner().invoke(application(), ["tool", "run", index, "--set", answer])
    assert result.exit_code != 0


def test_the_list_groups_indices_and_says_what_is_left_out() -> None:
    text = invoke("tool", "list")
    for index_id in laboratory_indices().indices:
        assert f"  {index_id} (on request)" in text
    for row in scores_left_out().scores.values():
        assert row.name in text


def test_a_score_left_out_is_offered_under_no_name() -> None:
    names = {name.lower() for key in score_ids() for name in score(key).names}
    assert not names & {row.name.lower() for row in scores_left_out().scores.values()}


def test_a_case_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    result = CliRunner().invoke(application(), ["tool", "scores", str(tmp_path / "none")])
    assert result.exit_code != 0
