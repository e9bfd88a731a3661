"""What `epicrisis llm check` says of the real servers is what is known of them otherwise."""

import asyncio
import io

from rich.console import Console

from serving.llm.check.report import CheckReport
from serving.llm.check.run import checked
from serving.llm.check.table import show
from tests.vllm.asking import PATIENCE_S
from tests.vllm.conftest import MEASURED
from tests.vllm.servers import CONTEXT, IN_FLIGHT, Server

BOTH = {
    "reachable", "kind", "listed", "plain", "key", "context_stated", "context_refused",
    "limit", "usage", "streaming", "logprobs", "schema", "chinese", "prefix_cache", "cancellation",
}  # fmt: skip
"""What each of them does."""
OF_VLLM = {"unknown_model", "metrics", "priority", "admission", "tools_required", "tools_strict"}
"""With the options these tests start it with; llama.cpp refuses no name and queues everything."""
IGNORED = {"vllm": "guided_json", "llama.cpp": "structured_outputs"}


def table(found: CheckReport) -> str:
    """Return the table as people see it."""
    text = io.StringIO()
    show(found, Console(file=text))
    return text.getvalue()


def test_the_table_says_of_each_server_what_it_does(server: Server) -> None:
    found = asyncio.run(
        checked(
            server.url,
            model=server.model,
            api_key=server.key,
            burst=3 * IN_FLIGHT,
            timeout_s=PATIENCE_S,
        )
    )
    told = table(found)
    MEASURED.extend(told.splitlines())
    wanted = BOTH | (OF_VLLM if server.kind == "vllm" else set())
    assert {row.id for row in found.rows if row.id in wanted and row.verdict != "yes"} == set(), (
        told
    )
    assert found.by_id[IGNORED[server.kind]].verdict == "no", told
    assert found.server.startswith(server.kind)
    assert found.context_tokens == CONTEXT
