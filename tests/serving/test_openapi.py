"""Requests made from the OpenAPI itself: none may be answered by an error of the server."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from serving.access.authentication import authenticator
from serving.access.principal import Principal, Role
from serving.app import create_app
from tests.serving.cases.fresh import fresh

EVERYBODY = Principal(subject="all", name="All", roles=frozenset(Role), via="local")
STREAMS = ("events", "steps")
"""Streams that stay open have tests of their own."""
UNAVAILABLE = 503
"""Said where something the request needs is not configured; never a mistake of ours."""


def test_every_operation_says_what_it_does_and_answers(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        paths = create_app(made.services).openapi()["paths"]
    for path, item in paths.items():
        for method, operation in item.items():
            assert operation.get("summary"), f"{method} {path}"
            assert operation["responses"], f"{method} {path}"


@pytest.mark.parametrize("group", ["/v1/", "/cds-services", "login", "other"])
def test_no_request_that_the_openapi_allows_is_a_server_error(tmp_path: Path, group: str) -> None:
    with fresh(tmp_path, requests_per_minute=1_000_000) as made:
        made.who[0] = EVERYBODY
        if group == "login":
            services = made.services
            services.authenticate = authenticator(
                services.settings, services.database, services.clock
            )
        schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(made.services))
        found: list[Any] = list(schema.get_all_operations())
        tried = [
            _answered(operation)
            for operation in (result.ok() for result in found)
            if _group(operation.path) == group and not operation.path.endswith(STREAMS)
        ]
    assert tried


def _group(path: str) -> str:
    if path.startswith(("/oauth", "/log", "/smart")):
        return "login"
    return next((g for g in ("/v1/", "/cds-services") if path.startswith(g)), "other")


def _answered(operation: Any) -> str:
    """Send a few generated requests, and return what was asked."""

    @settings(
        max_examples=5,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        answer = case.call()
        broken = answer.status_code >= 500 and answer.status_code != UNAVAILABLE
        assert not broken, f"{operation.label}: {answer.status_code} {answer.text}"

    one()
    return str(operation.label)
