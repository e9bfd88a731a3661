"""The same is shown once; an answer silences; a new critical finding is never silenced."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from knowledge.settings import Settings
from serving.cds.card_model import TOPICS, Card, Coding, Source
from serving.cds.cards import Made, computing_card, failed_card, refused_card
from serving.cds.fatigue import sort_out
from serving.cds.store import Shown

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SETTINGS = Settings(cds_repeat_minutes=60, cds_repeat_critical_minutes=2, cds_silence_hours=8)
RISK, CRITICAL, ORDER = "acs-risk", "critical-finding", "imaging-order"


def made(level: str, *, topic: Any = RISK, content: str = "a") -> Made:
    card = Card(
        summary=level,
        detail=level,
        indicator="critical" if topic == CRITICAL else "info",
        source=Source(label="x", topic=Coding(system=TOPICS, code=topic, display=topic)),
    )
    return Made(card=card, topic=topic, level=level, fingerprint=content * 64)


def shown(
    level: str,
    *,
    ago: float,
    topic: str = RISK,
    content: str = "a",
    outcome: Any = None,
    answered_ago: float | None = None,
) -> Shown:
    at = NOW - timedelta(minutes=ago)
    told = None if outcome is None else NOW - timedelta(minutes=answered_ago or ago)
    return Shown(
        uuid="u",
        at=at,
        topic=topic,
        level=level,
        fingerprint=content * 64,
        answered_at=told,
        outcome=outcome,
    )


@pytest.mark.parametrize(
    ("card", "before", "is_shown"),
    [
        (made("high"), [], True),
        (made("high"), [shown("high", ago=10)], False),
        (made("high"), [shown("high", ago=61)], True),
        (made("high", content="b"), [shown("high", ago=10)], True),
        (
            made("high"),
            [shown("high", ago=30), shown("low", ago=10, content="c")],
            True,
        ),
        (made("high"), [shown("high", ago=100, outcome="overridden")], False),
        (made("high", content="b"), [shown("high", ago=100, outcome="overridden")], False),
        (made("high", content="b"), [shown("low", ago=100, outcome="overridden")], True),
        (made("low", content="b"), [shown("high", ago=100, outcome="overridden")], False),
        (made("high"), [shown("high", ago=600, outcome="overridden")], True),
        (
            made("high"),
            [shown("high", ago=600, outcome="overridden", answered_ago=60)],
            False,
        ),
        (made("high", content="b"), [shown("high", ago=100, outcome="accepted")], True),
        (
            made("critical", topic=CRITICAL, content="b"),
            [shown("high", ago=5, outcome="overridden")],
            True,
        ),
        (
            made("critical", topic=CRITICAL),
            [shown("critical", ago=1, topic=CRITICAL)],
            False,
        ),
        (
            made("critical", topic=CRITICAL),
            [shown("critical", ago=3, topic=CRITICAL)],
            True,
        ),
        (
            made("critical", topic=CRITICAL),
            [shown("critical", ago=100, topic=CRITICAL, outcome="overridden")],
            False,
        ),
        (
            made("critical", topic=CRITICAL),
            [shown("critical", ago=100, topic=CRITICAL, outcome="accepted")],
            False,
        ),
        (
            made("critical", topic=CRITICAL, content="b"),
            [shown("critical", ago=1, topic=CRITICAL, outcome="overridden")],
            True,
        ),
        (
            made("less appropriate", topic=ORDER, content="b"),
            [shown("less appropriate", ago=9, topic=ORDER, outcome="overridden")],
            True,
        ),
        (
            made("less appropriate", topic=ORDER),
            [shown("less appropriate", ago=9, topic=ORDER, outcome="overridden")],
            False,
        ),
    ],
    ids=[
        "new",
        "the same within the hour",
        "the same later",
        "changed",
        "changed and back",
        "overridden",
        "overridden, other content of the same level",
        "higher than what was overridden",
        "lower than what was overridden",
        "overridden, but the silence is over",
        "overridden late",
        "accepted silences no other content",
        "critical after an override of something less",
        "critical, two hooks at once",
        "critical that nobody answered",
        "critical that was overridden",
        "critical that was accepted",
        "another critical finding, right after an override",
        "another order",
        "the same order",
    ],
)
def test_what_is_shown(card: Made, before: list[Shown], is_shown: bool) -> None:
    found = sort_out([card], before, settings=SETTINGS, now=NOW)
    assert (found.show == (card,)) == is_shown
    assert found.repeated + found.silenced == (0 if is_shown else 1)


@pytest.mark.parametrize(
    "card",
    [failed_card("x"), refused_card("x"), computing_card(links=())],
    ids=["failed", "refused", "computing"],
)
def test_a_failure_is_never_silent(card: Made) -> None:
    before = [
        shown(card.level, ago=1, topic=card.topic, outcome="overridden").model_copy(
            update={"fingerprint": card.fingerprint}
        )
    ]
    assert sort_out([card], before, settings=SETTINGS, now=NOW).show == (card,)


def test_there_is_one_critical_card_at_most() -> None:
    two = [
        made("critical", topic=CRITICAL, content="a"),
        made("critical", topic=CRITICAL, content="b"),
    ]
    assert sort_out(two, [], settings=SETTINGS, now=NOW).show == (two[0],)
