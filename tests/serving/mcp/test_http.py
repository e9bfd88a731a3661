import asyncio
import http.client
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

from knowledge.errors import InvalidValueError
from serving.mcp.http import BearerToken, application
from tests.serving.mcp.served import LIMIT_S, ROOT, over_http, run
from tools.toolbox import discover

TOKEN = "a-token-of-32-characters-for-test"  # noqa: S105 - of the test server only
EXAMPLES = ROOT / "serving" / "examples"
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    data = tmp_path_factory.mktemp("site") / "data"
    with over_http("--case-root", str(EXAMPLES), data=data) as found:
        yield found


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    data = tmp_path_factory.mktemp("site") / "data"
    with over_http(data=data, token=TOKEN) as found:
        yield found


async def _names(client: Client) -> set[str]:
    return {tool.name for tool in (await client.list_tools()).tools}


def post(port: int, headers: dict[str, str]) -> int:
    """The status of a bare request with these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    common = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    connection.request("POST", "/mcp", json.dumps(PING), {**common, **headers})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_tools_are_listed_and_called_over_http(port: int, mode: str) -> None:
    async def talk(client: Client) -> Any:
        return await _names(client), await client.call_tool("assess_case", {"path": "nstemi"})

    names, result = run(talk, f"http://127.0.0.1:{port}/mcp", mode=mode)
    assert set(discover()) <= names
    assert not result.is_error
    assert result.structured_content["result"]["schema"] == "epicrisis/assessment/1"


def test_a_path_outside_the_folder_of_cases_is_refused_over_http(port: int) -> None:
    async def talk(client: Client) -> Any:
        return await client.call_tool("assess_case", {"path": "../../tests"})

    result = run(talk, f"http://127.0.0.1:{port}/mcp")
    assert result.is_error
    assert result.structured_content["error"]["kind"] == "ContractError"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="as is"),
        pytest.param({"Host": "attacker.example"}, 421, id="another host"),
        pytest.param({"Host": "127.0.0.1:1"}, 421, id="another port"),
        pytest.param({"Origin": "https://attacker.example"}, 403, id="a web page"),
        pytest.param({"Origin": "http://localhost:3000"}, 403, id="a local web page"),
        pytest.param({"Content-Type": "text/plain"}, 400, id="a simple request"),
    ],
)
def test_only_requests_to_this_host_and_not_from_a_web_page_are_served(
    port: int, headers: dict[str, str], status: int
) -> None:
    assert post(port, headers) == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="none"),
        pytest.param({"Authorization": "Bearer wrong"}, 401, id="wrong"),
        pytest.param({"Authorization": TOKEN}, 401, id="no scheme"),
        pytest.param({"Authorization": f"Bearer {TOKEN}x"}, 401, id="longer"),
        pytest.param({"Authorization": f"Bearer {TOKEN}"}, 200, id="right"),
    ],
)
def test_a_token_that_is_set_is_required(
    guarded: int, headers: dict[str, str], status: int
) -> None:
    assert post(guarded, headers) == status


def test_a_client_with_the_token_is_served(guarded: int) -> None:
    async def names() -> set[str]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"http://127.0.0.1:{guarded}/mcp"
        async with httpx2.AsyncClient(headers=headers) as web:
            transport = streamable_http_client(url, http_client=web)
            async with Client(transport, read_timeout_seconds=LIMIT_S) as client:
                return await _names(client)

    assert set(discover()) <= asyncio.run(asyncio.wait_for(names(), LIMIT_S))


@pytest.mark.parametrize(
    ("host", "token", "names", "words"),
    [
        pytest.param("0.0.0.0", None, (), "token is required", id="all addresses, no token"),  # noqa: S104
        pytest.param("192.0.2.1", None, (), "token is required", id="an address, no token"),
        pytest.param("hospital.example", None, (), "token is required", id="a name, no token"),
        pytest.param("0.0.0.0", TOKEN, (), "name that clients use", id="no name"),  # noqa: S104
        pytest.param("127.0.0.1", "short", (), "under 16 characters", id="short token"),
    ],
)
def test_an_unsafe_server_is_not_started(
    host: str, token: str | None, names: tuple[str, ...], words: str
) -> None:
    secret = SecretStr(token) if token else None
    with pytest.raises(InvalidValueError, match=words):
        application((), host=host, port=8765, token=secret, names=names)


def test_beyond_this_machine_it_starts_with_a_token_and_a_name() -> None:
    secret = SecretStr(TOKEN)
    app = application((), host="0.0.0.0", port=8765, token=secret, names=("epicrisis.example",))  # noqa: S104
    assert isinstance(app, BearerToken)
