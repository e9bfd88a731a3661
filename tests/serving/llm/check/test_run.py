"""A server that does everything right gets yes throughout; each habit turns its own rows to no."""

import asyncio
import time

import pytest
from pydantic import SecretStr

from agent.llm.address import address
from serving.llm.check.catalogue import CHECKS
from serving.llm.check.probe import Probe
from serving.llm.check.product import FUNCTIONS
from serving.llm.check.report import CheckReport
from serving.llm.check.row import Row
from serving.llm.check.run import asked, checked
from serving.llm.check.subject import Subject
from serving.llm.profiles.load import profile
from serving.llm.profiles.model import ModelProfile
from tests.serving.llm.check.mute import mute
from tests.serving.llm.check.served import CONTEXT, KEY, MODEL, served

NEVER_SEEN = {"admission": "no burst", "priority": "--burst N"}
"""Rows that stay open without being asked for."""


def report(*wrong: str, timeout_s: float = 5.0, **more: object) -> CheckReport:
    async def main() -> CheckReport:
        async with served(*wrong) as server:
            key = SecretStr(KEY)
            return await checked(server.url, api_key=key, timeout_s=timeout_s, **more)  # type: ignore[arg-type]

    return asyncio.run(main())


def one_row(habit: str, row: str, profile: ModelProfile | None = None) -> Row:
    """Return one row, with only the checks before it that it rests on."""
    before = {"reachable", "kind", "listed", "plain", "context_stated", "schema"}
    before |= {"tools_auto", "tools_required"} if row == "tools_streamed" else set()

    async def main() -> Row:
        async with served(habit) as server:
            key = SecretStr(KEY)
            probe = Probe(address(server.url), key, timeout_s=5.0)
            subject = Subject(probe=probe, api_key=key, profile=profile)
            try:
                rows = {c.id: await asked(c, subject) for c in CHECKS if c.id in {*before, row}}
            finally:
                await probe.close()
            return rows[row]

    return asyncio.run(main())


@pytest.fixture(scope="module")
def good() -> CheckReport:
    return report()


def test_a_server_that_does_everything_right_gets_yes_throughout(good: CheckReport) -> None:
    unsure = {row.id: row.evidence for row in good.rows if row.verdict != "yes"}
    assert set(unsure) == set(NEVER_SEEN), unsure
    assert (good.usable, good.exit_code, good.reasons) == ("yes", 0, ())
    assert good.functions == dict.fromkeys(FUNCTIONS, "yes")


def test_every_check_has_one_row_with_evidence_and_times(good: CheckReport) -> None:
    assert [row.id for row in good.rows] == [check.id for check in CHECKS]
    assert all(row.evidence for row in good.rows)
    assert good.by_id["plain"].ms is not None
    assert good.by_id["admission"].ms is None


def test_the_server_is_named(good: CheckReport) -> None:
    assert (good.server, good.model, good.context_tokens) == ("vllm 0.32.0", MODEL, CONTEXT)


def test_the_key_stands_nowhere_in_the_report(good: CheckReport) -> None:
    assert KEY not in good.model_dump_json()


@pytest.mark.parametrize(
    ("habit", "row", "evidence"),
    [
        ("open", "key", "a wrong key and no key are served"),
        ("any model", "unknown_model", "any name is answered by the same model"),
        ("short", "context_stated", "the longest Chinese notes do not fit"),
        ("cuts", "context_refused", "cut without a word"),
        ("no metrics", "metrics", "404"),
        ("no limit", "limit", "5 tokens were allowed"),
        ("no stop", "stops", "asked to stop at"),
        ("other every time", "repeatable", "temperature 0 twice"),
        ("no seed", "repeatable", "one seed gave two replies"),
        ("canned", "repeatable", "it is a recorded one"),
        ("other words", "logprobs", "of other words than the reply"),
        ("counts nothing", "usage", "does not say how many tokens"),
        ("counts one prompt", "usage", "a prompt of 50 words counted as 11 tokens"),
        ("counts too few", "usage", "its own tokenizer counts"),
        ("counts no reply", "usage", "counted as 0 tokens"),
        ("adds wrongly", "usage", "total_tokens"),
        ("buffers", "streaming", "came in one piece"),
        ("breaks off", "streaming", "broke off"),
        ("cut within", "streaming", "dropped the connection in the middle"),
        ("thinks aloud", "thoughts", "thoughts stand in the reply: <think>"),
        ("only thinks", "thoughts", "the whole reply stands among the thoughts"),
        ("blind", "vision", "not a multimodal model"),
        ("one colour", "vision", "their colours not seen"),
        ("ignores schemas", "schema", "is not JSON"),
        ("ignores", "guided_json", "ignored without a word"),
        ("ignores", "structured_outputs", "ignored without a word"),
        ("ignores", "unknown_parameter", "ignored without a word"),
        ("no parser", "tools_auto", "requires --tool-call-parser"),
        ("hermes in text", "tools_auto", "a call stands in the text of the reply"),
        ("no call", "tools_required", "required, and no call"),
        ("loose", "tools_strict", "break their schema"),
        ("no cache", "prefix_cache", "0 of"),
        ("no priority", "priority", "Priority scheduling is not enabled"),
    ],
)
def test_what_is_done_wrongly_is_a_no_with_what_was_seen(
    habit: str, row: str, evidence: str
) -> None:
    found = one_row(habit, row)
    assert found.verdict == "no"
    assert evidence in found.evidence


@pytest.mark.parametrize(
    ("habit", "row", "reason"),
    [
        ("says nothing of its context", "context_stated", "not stated"),
        ("counts no cache", "prefix_cache", "not counted"),
        ("no call", "tools_streamed", "no call comes whole either"),
        ("no call", "tools_strict", "no call was made"),
    ],
)
def test_what_cannot_be_seen_is_not_assessed_with_the_reason(
    habit: str, row: str, reason: str
) -> None:
    found = one_row(habit, row)
    assert found.verdict == "not assessed"
    assert reason in found.evidence


@pytest.mark.parametrize(
    ("habit", "row", "argument"),
    [
        ("hermes in text", "tools_auto", "--tool-call-parser hermes"),
        ("qwen3_coder in text", "tools_auto", "--tool-call-parser qwen3_coder"),
        ("mistral in text", "tools_auto", "--tool-call-parser mistral"),
        ("fence in text", "tools_auto", "no parser of vLLM reads it"),
        ("hermes in text", "tools_streamed", ""),
        ("thinks aloud", "thoughts", "--reasoning-parser qwen3"),
        ("only thinks", "thoughts", "no --reasoning-parser"),
        ("loose", "tools_strict", "--tool-strict-level parameter"),
        ("no parser", "tools_auto", "--enable-auto-tool-choice"),
    ],
)
def test_a_parser_that_does_not_fit_is_named_with_the_one_that_does(
    habit: str, row: str, argument: str
) -> None:
    assert argument in one_row(habit, row).way_out


def test_the_parser_of_the_profile_goes_before_the_form_that_is_seen() -> None:
    found = one_row("mistral in text", "tools_auto", profile("qwen3-30b-a3b"))
    assert "--tool-call-parser hermes (from the profile)" in found.way_out


@pytest.mark.parametrize(
    ("habit", "evidence"),
    [
        ("goes silent", "began its answer and did not end it within 1 s"),
        ("dies before", "dropped the connection before it answered"),
        ("dies in the middle", "dropped the connection in the middle of its answer"),
        ("web page", "answered with a web page (HTML)"),
        ("no JSON", "something that is not JSON"),
        ("other JSON", "another form than a chat completion"),
        ("other model", 'answered as "tiny"'),
        ("500", "/health says 200: it is not to be believed"),
        ("empty", "an empty reply"),
        ("elsewhere", "sends callers elsewhere (status 307)"),
    ],
)
def test_a_server_without_a_completion_is_named_and_left_in_time(habit: str, evidence: str) -> None:
    start = time.monotonic()
    found = report(habit, timeout_s=1.0)
    assert time.monotonic() - start < 8
    assert evidence in found.by_id["plain"].evidence
    assert (found.usable, found.exit_code) == ("no", 5)
    later = [row for row in found.rows if row.group != "server"]
    assert {row.verdict for row in later} == {"not assessed"}
    assert {row.evidence for row in later} == {"not reached: completion failed"}


@pytest.mark.parametrize(("at_chats_only", "row"), [(False, "reachable"), (True, "plain")])
def test_a_server_that_accepts_and_never_answers_is_left_in_time(
    at_chats_only: bool, row: str
) -> None:
    async def main() -> CheckReport:
        async with mute(at_chats_only=at_chats_only) as url:
            return await checked(url, timeout_s=0.5)

    start = time.monotonic()
    found = asyncio.run(main())
    assert time.monotonic() - start < 5
    assert "accepted the request and gave no answer within 0.5 s" in found.by_id[row].evidence
    assert found.exit_code == 5


def test_a_server_that_still_loads_is_told_as_such() -> None:
    found = report("loading")
    assert "Loading model" in found.by_id["reachable"].evidence
    assert found.exit_code == 5


def test_nobody_at_the_address() -> None:
    found = asyncio.run(checked("http://127.0.0.1:9", timeout_s=2.0))
    assert "cannot be reached" in found.by_id["reachable"].evidence
    assert found.exit_code == 5


@pytest.mark.parametrize(
    ("habit", "title", "later"),
    [
        ("dies at schemas", "JSON schema kept", "chat"),
        ("dies at tools", "tools, auto", "prefix_cache"),
    ],
)
def test_a_server_that_dies_within_the_checks_is_not_given_a_no_on_everything(
    habit: str, title: str, later: str
) -> None:
    found = report(habit)
    row = found.by_id[later]
    assert row.verdict == "not assessed"
    assert row.evidence.startswith(f"since '{title}' it answers with status 500")
    assert (found.usable, found.exit_code) == ("no", 5)
    assert found.reasons[0] == row.evidence


def test_without_schemas_nothing_of_the_product_is_left() -> None:
    found = report("ignores schemas")
    assert "yes" not in found.functions.values()
    assert (found.usable, found.exit_code) == ("no", 5)


def test_a_clear_no_of_the_product_makes_it_plainer_and_says_why() -> None:
    found = report("counts too few")
    assert (found.usable, found.exit_code) == ("plainer", 6)
    assert set(found.functions.values()) == {"yes"}
    assert found.reasons[0].startswith("usage counted truly: ")


def test_the_time_of_the_whole_is_kept() -> None:
    found = report(limit_s=0.0)
    assert {row.evidence for row in found.rows} == {"the 0 s of this check are over"}
    assert found.exit_code == 5


def test_a_model_that_is_not_listed_is_not_taken() -> None:
    found = report(model="another")
    assert f"'another' is not among: {MODEL}" in found.by_id["listed"].evidence
    assert found.exit_code == 5


def test_a_row_without_evidence_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="needs its evidence"):
        Row(id="a", title="a", group="server", need="must", verdict="yes", evidence=" ")
