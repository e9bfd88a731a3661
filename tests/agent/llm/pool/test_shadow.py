"""Shadow requests: never shown, never in the way, compared by hand-made pairs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from agent.llm.errors import LLMDownError
from agent.llm.pool.caller import Caller
from agent.llm.pool.pooled import PooledLLM
from agent.llm.pool.shadow import Comparison, ShadowFile, chosen, compared
from agent.llm.seam import LLM, ChatReply, ModelIdentity
from tests.agent.llm.asking import SCHEMA, asking
from tests.agent.llm.pool.pools import Slow, failing, pool_file, saying, virtual
from tests.agent.llm.pool.virtual_time import run

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MAIN = {"name": "main"}
NEXT = {"name": "next", "model": "next", "candidate": True}


def shadowed(
    candidate: LLM, *, share: float = 1.0, requests: int = 1, caller: Caller | None = None,
    row: dict[str, Any] | None = None,
) -> tuple[list[ChatReply], list[Comparison], dict[str, int], float]:  # fmt: skip
    """Return replies, comparisons, counts, and the seconds the replies took."""

    async def main() -> Any:
        kept: list[Comparison] = []
        file = pool_file(MAIN, {**NEXT, **(row or {})}, shadow={"backend": "next", "share": share})
        pool = virtual(
            file,
            {"main": Slow("shown", 1), "next": candidate},
            keep_shadow=kept.append,
            now=lambda: NOON,
        )
        begun = pool.clock()
        llm = PooledLLM(pool, caller)
        replies = [await llm.chat(asking(f"question {n}")) for n in range(requests)]
        took = pool.clock() - begun
        assert pool.shadow is not None
        await pool.shadow.ended()
        return replies, kept, pool.shadow.counts, took

    found: tuple[list[ChatReply], list[Comparison], dict[str, int], float] = run(main())
    return found


def test_its_answer_is_never_shown_and_costs_the_main_answer_no_time() -> None:
    replies, kept, counts, took = shadowed(Slow("other words", 40))
    assert [reply.text for reply in replies] == ["shown"]
    assert took == pytest.approx(1)
    assert counts == {"differs": 1}
    assert kept[0].request == asking("question 0").key
    assert kept[0].candidate.name == "next"


def test_what_is_kept_has_no_words_of_request_or_reply() -> None:
    _, kept, _, _ = shadowed(saying("other words"))
    text = kept[0].model_dump_json()
    assert not any(word in text for word in ("question", "shown", "other words"))


def test_a_slow_candidate_is_left_out_and_not_waited_for() -> None:
    replies, _, counts, took = shadowed(Slow("x", 40), requests=5)
    assert len(replies) == 5
    assert took == pytest.approx(5)
    assert counts == {"differs": 1, "left out": 4}


def test_a_candidate_that_fails_is_recorded_as_failed() -> None:
    _, kept, counts, _ = shadowed(failing(lambda: LLMDownError("x", "y")))
    assert counts == {"failed": 1}
    assert kept[0].error == "LLMDownError"


def test_patient_data_are_never_sent_to_an_endpoint_that_is_not_marked_for_them() -> None:
    away = {"patient_data": "not allowed"}
    _, kept, counts, _ = shadowed(saying("x"), row=away)
    assert (kept, counts) == ([], {"not allowed": 1})
    _, kept, _, _ = shadowed(saying("shown"), row=away, caller=Caller(patient_data=False))
    assert kept[0].verdict == "same"


def test_the_share_is_a_share_and_the_same_requests_are_chosen_again() -> None:
    keys = [asking(f"{n}").key for n in range(2000)]
    found = [key for key in keys if chosen(key, 0.1)]
    # 2000 at 0.1: 200 expected, deviation 13.4
    assert abs(len(found) - 200) < 5 * 13.4
    assert found == [key for key in keys if chosen(key, 0.1)]
    assert not any(chosen(key, 0.0) for key in keys)
    assert all(chosen(key, 1.0) for key in keys)


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict", "same", "fields"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1}, "same", 3, 3),
        ({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1]}, "differs", 2, 3),
        ({"a": 1}, {"a": 1.5}, "differs", 0, 1),
        ({"a": []}, {"a": [0]}, "differs", 0, 2),
        ({"a": True}, {"a": 1}, "differs", 0, 1),
    ],
)
def test_data_are_compared_leaf_by_leaf(
    ours: Any, theirs: Any, verdict: str, same: int, fields: int
) -> None:
    found = compared(
        asking(json_schema=SCHEMA),
        ChatReply(text="x", data=ours),
        ChatReply(text="y", data=theirs),
        error="",
        at=NOON,
        candidate=ModelIdentity(name="next"),
    )
    assert (found.verdict, found.fields_same, found.fields) == (verdict, same, fields)


def test_comparisons_are_kept_in_a_file_of_the_owner(tmp_path: Path) -> None:
    file = tmp_path / "new" / "shadow.jsonl"
    _, kept, _, _ = shadowed(saying("shown"))
    ShadowFile(file).keep(kept[0])
    ShadowFile(file).keep(kept[0])
    assert [orjson.loads(line)["verdict"] for line in file.read_bytes().splitlines()] == [
        "same",
        "same",
    ]
    assert file.stat().st_mode & 0o077 == 0
