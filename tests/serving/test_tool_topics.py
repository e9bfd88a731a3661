"""``epicrisis tool list`` groups the scores by what they are about."""

import orjson
from typer.testing import CliRunner

from knowledge.scores import score, score_ids
from serving.cli import application


def test_list_is_ordered_by_group_and_topic_and_marks_what_runs_on_request() -> None:
    result = CliRunner().invoke(application(), ["tool", "list", "--json"])
    assert result.exit_code == 0
    rows = orjson.loads(result.output)
    places = [(row["group"], row["topic"], row["name"]) for row in rows]
    assert places == sorted(places)
    by_name = {row["name"]: row for row in rows}
    assert {s: by_name[s]["topic"] for s in score_ids()} == {s: score(s).topic for s in score_ids()}
    assert by_name["curb65"]["topic"] == "pneumonia"
    assert by_name["curb65"]["on_request"]
    assert not by_name["heart"]["on_request"]


def test_a_score_on_request_runs_by_name() -> None:
    """Confusion 1, urea 8 mmol/L 1, 66 years 1: 3 points."""
    answers = ["confusion_new=yes", "urea=8 mmol/L", "respiratory_rate=24 /min", "age_years=66 a"]
    answers += ["systolic_bp=110 mm[Hg]", "diastolic_bp=70 mm[Hg]"]
    sets = [part for answer in answers for part in ("--set", answer)]
    result = CliRunner().invoke(application(), ["tool", "run", "curb65", *sets])
    assert result.exit_code == 0
    found = orjson.loads(result.output)
    assert (found["value"], found["category"]) == (3.0, "high")
