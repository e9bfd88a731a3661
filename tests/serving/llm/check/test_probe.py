"""Streams are timed piece by piece; what never ends is left."""

import asyncio

import pytest

from agent.llm.address import address
from agent.llm.fake_server import Scripted, endless, event, fake_server, slow_drip, streamed
from serving.llm.check.answer import Answer, Streamed, calls_of, quoted
from serving.llm.check.events import taken
from serving.llm.check.faults import FaultError
from serving.llm.check.probe import Probe

BODY = {"model": "fake-model", "messages": []}
PAUSE_S = 0.05


def stream(script: Scripted, *, timeout_s: float = 5.0, stop_after: int | None = None) -> Streamed:
    async def main() -> Streamed:
        async with fake_server(script) as server:
            probe = Probe(address(server.url), timeout_s=timeout_s)
            try:
                return await probe.stream(BODY, stop_after=stop_after)
            finally:
                await probe.close()

    return asyncio.run(main())


def test_pieces_are_timed_as_they_come() -> None:
    found = stream(streamed(["a", "b", "c"], pause_s=PAUSE_S))
    assert (found.text, found.finish, found.done) == ("abc", "stop", True)
    assert len(found.times_ms) == 3
    for number, at_ms in enumerate(found.times_ms):  # the server sends none earlier
        assert at_ms > 0.9 * number * PAUSE_S * 1000
    assert found.times_ms == sorted(found.times_ms)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (endless(stream=True), "endless"),
        (Scripted(content_type="text/event-stream", steps=(b"data: {oops\n\n",)), "not JSON"),
        (Scripted(content_type="text/event-stream", steps=(b"data: [1]\n\n",)), "another form"),
        (Scripted(content_type="text/event-stream", steps=(30.0,)), "stalled"),
        (slow_drip(), "another form"),
        (Scripted(content_type="text/html", steps=(b"<html>",)), "page"),
    ],
)
def test_a_stream_that_is_none_is_a_fault_of_its_kind(script: Scripted, kind: str) -> None:
    with pytest.raises(FaultError) as caught:
        stream(script, timeout_s=1.0 if kind == "stalled" else 20.0)
    assert caught.value.kind == kind


def test_a_stream_can_be_left_early() -> None:
    pieces = [str(number) for number in range(1000)]
    found = stream(streamed(pieces, pause_s=0.01), stop_after=3)
    assert 3 <= len(found.pieces) < 100
    assert not found.done


def test_an_error_within_a_stream_is_told() -> None:
    broken = Scripted(
        content_type="text/event-stream", steps=(event({"error": {"message": "engine died"}}),)
    )
    assert "engine died" in stream(broken).error


def test_calls_are_put_together_from_their_pieces() -> None:
    so_far = Streamed()
    for function in ({"name": "f", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ": 1}"}):
        call = {"tool_calls": [{"index": 0, "function": function}]}
        taken(event({"choices": [{"delta": call}]}).strip(), so_far, 1.0)
    (call_,) = so_far.tool_calls
    assert (call_.name, call_.arguments) == ("f", '{"a": 1}')


def test_calls_without_their_form_are_left_out() -> None:
    message = {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}, "f"]}
    assert calls_of(Answer(status=200, data={"choices": [{"message": message}]})) == ()


def test_what_a_server_says_is_shown_without_what_cannot_be_seen() -> None:
    assert quoted("a\x1b[2J\nb\u202e") == '"a[2J b"'
