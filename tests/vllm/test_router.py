"""The router that ships, served by vLLM, says what transformers makes of the same checkpoint."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import orjson
import pytest
import typer
from typer.testing import CliRunner

from agent.llm.client import OpenAIChat
from agent.llm.seam import ChatRequest
from agent.router_planner.compact import read_reply, route_request
from agent.router_planner.evidence import RouterItem
from agent.router_planner.shortlist import ToolIndex
from evals.discovery import task
from serving.commands import llm
from tests.vllm.asking import PATIENCE_S, with_client
from tests.vllm.conftest import MEASURED
from tests.vllm.servers import Vllm

EVERY = 5
"""Of the requests written apart from the templates every fifth is asked: twenty-eight."""
REPLY_TOKENS = 64
CLOSE = 0.25
"""Two steps of a logit of the size 16 to 32 in bfloat16, in which vLLM computes: what is nearer
than that in float32 may come out either way."""


class Likeliest(NamedTuple):
    """The likeliest reply in float32.

    Args:
        data: What it says; None where it is no JSON.
        gap: Smallest difference of the two best logits at any of its tokens.
    """

    data: Any
    gap: float


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint, as the command writes it from the adapter that ships."""
    folder = tmp_path_factory.mktemp("router")
    app = typer.Typer()
    app.callback()(lambda: None)
    llm.register(app)
    words = ["llm", "train-router", "--from-adapter", "--checkpoint", "--out", str(folder)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return folder / "merged"


@pytest.fixture
def router(merged: Path, tmp_path: Path) -> Iterator[Vllm]:
    server = Vllm(merged, tmp_path / "server.log")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def requests() -> list[ChatRequest]:
    index = ToolIndex(None)
    made = []
    for case in task("tool_routing").cases()[::EVERY]:
        items = tuple(RouterItem(**item) for item in case.given["items"])
        text = case.given["request"]
        offered = index.shortlist(text)
        made.append(route_request(text, items, offered, timeout_s=PATIENCE_S))
    return made


def by_transformers(folder: Path, asked: list[ChatRequest]) -> list[Likeliest]:
    """Return what the checkpoint says with no schema around it."""
    torch, transformers = import_module("torch"), import_module("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    kind = transformers.AutoModelForCausalLM
    model = kind.from_pretrained(folder, dtype=torch.float32).eval()
    found = []
    for request in asked:
        given = tokenizer.apply_chat_template(
            [{"role": "user", "content": request.messages[0].content}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        made = model.generate(
            **given,
            max_new_tokens=REPLY_TOKENS,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
        reply = made.sequences[0, given["input_ids"].shape[1] :]
        best = [logits[0].topk(2).values for logits in made.logits]
        gap = min(float(first - second) for first, second in best)
        found.append(Likeliest(_json(tokenizer.decode(reply, skip_special_tokens=True)), gap))
    return found


def test_its_replies_are_those_of_transformers(router: Vllm, merged: Path) -> None:
    asked = requests()

    async def use(client: OpenAIChat) -> list[Any]:
        return [(await client.chat(one)).data for one in asked]

    served = with_client(router, use)
    # Without the schema the model may name what is not offered, which the server never does.
    both = [
        (read_reply(mine) == read_reply(theirs.data), theirs.gap)
        for mine, theirs, one in zip(served, by_transformers(merged, asked), asked, strict=True)
        if _keeps(theirs.data, one)
    ]
    clear = [same for same, gap in both if gap >= CLOSE]
    MEASURED.append(
        f"router on vLLM: started in {router.starts[0]:.1f} s; {sum(s for s, _ in both)} of "
        f"{len(both)} replies as transformers gives them in float32, {sum(clear)} of "
        f"{len(clear)} where no two tokens are nearer than {CLOSE} of a logit"
    )
    assert len(both) >= len(asked) * 3 // 4
    assert len(clear) >= len(asked) // 3
    assert all(clear)


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _keeps(reply: Any, request: ChatRequest) -> bool:
    assert request.json_schema is not None
    return bool(jsonschema.Draft202012Validator(request.json_schema).is_valid(reply))
