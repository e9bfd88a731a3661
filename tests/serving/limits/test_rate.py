"""How often somebody may come."""

from pathlib import Path

import pytest

from knowledge.settings import Settings
from serving.access.errors import TooManyError
from serving.access.principal import Principal
from serving.limits.rate import Buckets, RateLimits
from tests.serving.access.made import Clock, browsing, services


def person(name: str, via: str = "oidc") -> Principal:
    return Principal.model_validate({"subject": name, "name": name, "roles": [], "via": via})


def test_a_bucket_lets_through_its_size_and_then_its_rate() -> None:
    clock = Clock()
    buckets = Buckets(60, clock)
    assert [buckets.take("a") for _ in range(60)] == [0.0] * 60
    assert buckets.take("a") == 1.0
    clock.pass_(seconds=0.5)
    assert buckets.take("a") == 0.5
    clock.pass_(seconds=0.5)
    assert buckets.take("a") == 0.0
    clock.pass_(hours=1)
    assert [buckets.take("a") for _ in range(61)].count(0.0) == 60


def test_a_clock_that_goes_back_gives_nothing_for_free() -> None:
    clock = Clock()
    buckets = Buckets(1, clock)
    assert buckets.take("a") == 0.0
    clock.pass_(hours=-1)
    assert buckets.take("a") == 60.0


def test_everybody_has_a_bucket_of_their_own() -> None:
    limits = RateLimits(Settings(requests_per_minute=1, system_requests_per_minute=2), Clock())
    limits.used(person("a"))
    limits.used(person("b"))
    limits.used(person("a", "smart"))
    limits.used(person("a", "service"))
    limits.used(person("a", "service"))
    for one in (person("a"), person("b"), person("a", "service")):
        with pytest.raises(TooManyError) as caught:
            limits.used(one)
        assert caught.value.retry_after_s >= 1


def test_the_answer_says_when_to_come_back(tmp_path: Path) -> None:
    clock = Clock()
    with browsing(services(tmp_path, clock, requests_per_minute=2)) as client:
        answers = [client.get("/v1/me") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "30"
        assert answers[2].headers["content-type"] == "application/problem+json"
        clock.pass_(seconds=30)
        assert client.get("/v1/me").status_code == 200
