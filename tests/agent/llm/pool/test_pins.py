"""The models of conversations: remembered up to a number, however they become known."""

from agent.llm.pool.pins import Pin, Pins


def test_conversations_that_name_their_model_do_not_grow_beyond_the_number() -> None:
    pins = Pins(most=10)
    for n in range(100):
        found = pins.find(f"c{n}", known="moe")
        assert found is not None
        assert found.answered
        pins.set(f"new-{n}", Pin(model="moe"))
    kept = [n for n in range(100) if pins.find(f"c{n}") is not None]
    assert len(pins) == 10
    assert kept == [95, 96, 97, 98, 99]


def test_the_one_asked_for_longest_ago_is_forgotten() -> None:
    pins = Pins(most=2)
    for name in ("a", "b"):
        pins.find(name, known="moe")
    pins.find("a")
    pins.find("c", known="moe")
    assert pins.find("b") is None
    assert pins.find("a") is not None


def test_a_single_call_has_no_model_to_remember() -> None:
    pins = Pins()
    assert pins.find("", known="moe") is None
    assert len(pins) == 0
