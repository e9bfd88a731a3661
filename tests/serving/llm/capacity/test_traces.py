"""Tokens of a case from recorded runs."""

from pathlib import Path

import orjson
import pytest

from agent.llm.seam import ChatReply, Exchange, Usage
from agent.record import AgentRecord, ModelUse
from evals.results import TaskResult, save
from evals.scoring import LLMUse, Trial
from knowledge.errors import InvalidValueError, UnreadableError
from serving.llm.capacity.given_work import given_work
from serving.llm.capacity.traces import read_traces


def trial(case: str, prompt: int, reply: int, **changes: object) -> Trial:
    use = LLMUse(calls=3, prompt_tokens=prompt, completion_tokens=reply)
    return Trial(case=case, system="agent", llm=use.model_copy(update=changes))


def evaluation(folder: Path, *trials: Trial) -> Path:
    result = TaskResult(task="chest_pain", title="x", llm="some-model", trials=trials)
    return save(result, folder)


def test_an_evaluation_gives_means_of_the_agents_runs(tmp_path: Path) -> None:
    alone = Trial(case="c", system="llm-alone", llm=LLMUse(calls=1, prompt_tokens=9))
    evaluation(
        tmp_path,
        trial("a", 2000, 500, cached_tokens=1000),
        trial("b", 3000, 700, cached_tokens=1000),
        Trial(case="no model", system="agent"),
        alone,
    )
    found = read_traces(tmp_path)
    assert (found.cases, found.calls) == (2, 3)
    assert (found.tokens_in, found.tokens_out) == (2500, 600)
    assert found.tokens_in_p95 == 3000
    assert found.cache_hit == pytest.approx(2000 / 5000)
    assert found.models == ("some-model",)


def test_an_assessment_is_read(tmp_path: Path) -> None:
    use = ModelUse(calls=4, prompt_tokens=2600, completion_tokens=536)
    record = AgentRecord(run="r", mode="with language model", language="en", use=use)
    file = tmp_path / "case.json"
    file.write_bytes(orjson.dumps({"agent": record.to_json()}))
    assert read_traces(file).tokens_in == 2600


def test_recorded_exchanges_are_read(tmp_path: Path) -> None:
    rows = [
        Exchange(
            key=str(number),
            purpose="plan",
            reply=ChatReply(
                text="",
                usage=Usage(prompt_tokens=100, completion_tokens=10, cached_tokens=25),
            ),
        ).model_dump_json()
        for number in range(4)
    ]
    rows.append(Exchange(key="f", purpose="plan", error="LLMDownError").model_dump_json())
    (tmp_path / "run.jsonl").write_text("\n".join(rows))
    found = read_traces(tmp_path)
    assert (found.calls, found.tokens_in, found.tokens_out) == (4, 400, 40)
    assert found.cache_hit == 0.25


def test_no_cached_tokens_reported_is_not_known(tmp_path: Path) -> None:
    evaluation(tmp_path, trial("a", 2000, 500))
    assert read_traces(tmp_path).cache_hit is None
    given = dict.fromkeys(("calls_per_case", "tokens_in", "tokens_out", "cache_hit"))
    asked = given_work({"users": 1, "cases_per_hour": 1}, given, tmp_path)
    assert asked.cache_hit == 0
    assert "no server reported" in asked.sources["cache_hit"]


def test_files_of_other_kinds_are_named_not_counted(tmp_path: Path) -> None:
    evaluation(tmp_path, trial("a", 2000, 500))
    (tmp_path / "other.json").write_text('{"x": [1, 2]}')
    found = read_traces(tmp_path)
    assert found.other_files == ("other.json",)
    assert found.files == ("chest_pain.json",)


@pytest.mark.parametrize("content", ["{}", "[]", '{"trials": []}', "3"])
def test_a_record_without_a_run_of_the_agent_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InvalidValueError, match="no run of the agent"):
        read_traces(tmp_path)


def test_what_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("not json")
    with pytest.raises(UnreadableError, match="not JSON"):
        read_traces(tmp_path)


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="no such file"):
        read_traces(tmp_path / "nothing")


def test_what_is_given_goes_before_traces(tmp_path: Path) -> None:
    evaluation(tmp_path, trial("a", 2000, 500))
    asked = given_work(
        {"users": 1, "cases_per_hour": 1},
        {"calls_per_case": None, "tokens_in": 7000.0, "tokens_out": None, "cache_hit": 0.5},
        tmp_path,
    )
    assert (asked.tokens_in, asked.tokens_out, asked.cache_hit) == (7000, 500, 0.5)
    assert asked.sources["tokens_in"] == "given"
    assert "1 recorded runs" in asked.sources["tokens_out"]
