"""Whatever is sent, the answer is cards or a clear refusal: never an error of ours."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.cds.hooks import MOMENTS, Clock, Hooks, example, hooks, imaging, order, view

CLEAR = {200, 400, 403, 404, 412, 413, 422}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
SLOW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    folder = tmp_path_factory.mktemp("fuzz")
    with hooks(folder, key=None, clock=Clock(MOMENTS["nstemi"])) as made:
        yield made


def status(client: Hooks, path: str, content: bytes) -> int:
    return int(client.http.post(path, content=content).status_code)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"hook": NaN}',
        b"[" * 100_000,
        b'{"hook":"patient-view","hookInstance":"x","context":{}}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"9" * 5000 + b"}",
    ],
    ids=[
        "empty",
        "null",
        "list",
        "cut",
        "not UTF-8",
        "NaN",
        "deep",
        "no UUID",
        "surrogate",
        "long",
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/cds-services/chest-pain-patient-view",
        "/cds-services/chest-pain-order-select",
        "/cds-services/chest-pain-patient-view/feedback",
    ],
)
def test_a_body_that_is_none_is_refused(client: Hooks, path: str, content: bytes) -> None:
    answer = client.http.post(path, content=content)
    assert answer.status_code == 422
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_body_that_is_too_large_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    with hooks(tmp_path_factory.mktemp("large"), key=None, max_body_mib=1) as client:
        content = b'{"a":"' + b"x" * (1024 * 1024) + b'"}'
        assert status(client, "/cds-services/chest-pain-patient-view", content) == 413


@SLOW
@given(body=JSON)
def test_any_json_at_all(client: Hooks, body: Any) -> None:
    import json

    content = json.dumps(body).encode()
    for name in ("patient-view", "order-sign"):
        assert status(client, f"/cds-services/chest-pain-{name}", content) == 422
    assert status(client, "/cds-services/chest-pain-patient-view/feedback", content) == 422


@SLOW
@given(seed=st.integers(0, 2**32), value=JSON)
def test_a_call_with_one_thing_changed(client: Hooks, seed: int, value: Any) -> None:
    """Replace one node of a real call, anywhere in it, by something else."""
    import json

    rng = random.Random(seed)  # noqa: S311 - which node
    body = copy.deepcopy(CALLS[seed % len(CALLS)])
    place: Any = body
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = rng.choice(keys)
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.15:
            place[key] = value
            break
        place = inner
    name = body["hook"] if body.get("hook") in ("patient-view", "order-sign") else "patient-view"
    content = json.dumps(body).encode()
    answer = client.http.post(f"/cds-services/chest-pain-{name}", content=content)
    assert answer.status_code in CLEAR, answer.text
    if answer.status_code == 200:
        for card in answer.json()["cards"]:
            assert "a mistake of ours" not in card["detail"].lower(), card["detail"]


CALLS = [
    view(example("nstemi")),
    view(example("half_missing")),
    order(example("early_presenter"), imaging("CTPA"), imaging("Chest x-ray", key="b")),
]
