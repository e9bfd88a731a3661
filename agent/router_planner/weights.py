"""The router's weights: where they lie, whether they are what was exported, who serves them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field, ValidationError

from agent.llm.client import OpenAIChat
from agent.llm.local.gguf import Gguf
from agent.llm.seam import LLM
from agent.router_planner.compact import FORM
from agent.router_planner.planner import Router
from agent.router_planner.shortlist import ToolIndex
from knowledge.errors import UnavailableError
from knowledge.model import Frozen
from knowledge.retrieval.encoders import Encoder
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.opening import encoder
from knowledge.settings import Settings
from knowledge.weights_cache import known_sha256

MODEL = "router-moe"
GGUF, CARD = "router.gguf", "router.json"
INDEX = "tool-index"
"""Folder of the data folder with the vectors of the tools."""

_ITEM = "weights of the router"
_WAY_OUT = (
    "run `epicrisis llm train-router --from-adapter` to put them together, "
    "or `epicrisis llm train-router` to train them"
)
_PROBE_S = 15.0
_CONTEXT = 2048
"""Tokens of prompt and reply: several times the longest request."""


class NoRouterError(UnavailableError):
    """The router was asked for and cannot be used."""


class RouterCard(Frozen):
    """What ``router.json`` says beside the weights.

    Args:
        form: `FORM` of the prompts it was trained on.
        gguf_sha256: Of ``router.gguf``; empty where none was written.
        checkpoint_sha256: Of ``merged/model.safetensors`` for vLLM; empty where none was written.
        adapter_sha256: Of the adapter that was merged.
        base_sha256: Of the weights it was merged into.
        experts: Experts of each layer.
        experts_per_token: Of them, how many are used for a token.
        trained: What it was trained on and for how long; for people.
    """

    form: str
    gguf_sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    checkpoint_sha256: str = ""
    adapter_sha256: str = ""
    base_sha256: str = ""
    experts: int
    experts_per_token: int
    trained: dict[str, Any] = Field(default_factory=dict)


def router_folder(settings: Settings) -> Path:
    """Return the folder of the router's weights."""
    return settings.router_dir or settings.data_dir / "weights" / MODEL


def required_router(settings: Settings) -> Gguf:
    """Return the weights that are here.

    Raises:
        NoRouterError: None are, they are damaged, or they are of another form of prompt.
    """
    folder = router_folder(settings)
    path, about = folder / GGUF, folder / CARD
    if not path.is_file() or not about.is_file():
        raise NoRouterError(_ITEM, f"are not in {folder}", _WAY_OUT)
    try:
        card = RouterCard.model_validate(orjson.loads(about.read_bytes()))
    except (OSError, orjson.JSONDecodeError, ValidationError) as error:
        raise NoRouterError(_ITEM, f"have no valid {CARD}", _WAY_OUT) from error
    if card.form != FORM:
        raise NoRouterError(_ITEM, f"were trained on {card.form}, not on {FORM}", _WAY_OUT)
    sha256 = known_sha256(path.resolve(), folder / ".hashed")
    if sha256 != card.gguf_sha256:
        raise NoRouterError(_ITEM, f"are not those of {CARD}: the hash differs", _WAY_OUT)
    return Gguf(path=path, sha256=sha256, name=MODEL, packaged=False)


@asynccontextmanager
async def open_router(settings: Settings) -> AsyncIterator[Router]:
    """Give the router while the block lasts: its model, and the index with MiniLM where it is here.

    Raises:
        NoRouterError: It cannot be used; the message says why and the way out.
    """
    async with router_llm(settings) as llm:
        index = ToolIndex(encoder_here(settings), keep=settings.data_dir / INDEX)
        yield Router(llm=llm, index=index)


def encoder_here(settings: Settings) -> Encoder | None:
    """Return the encoder for requests, or None where it is not here: words alone then."""
    try:
        return encoder(settings)
    except EncoderUnavailableError:
        return None


@asynccontextmanager
async def router_llm(settings: Settings) -> AsyncIterator[LLM]:
    """Give the router's model while the block lasts: the endpoint of `router_url`, else the file.

    Raises:
        NoRouterError: No weights, no engine, too little memory, or it does not start or answer.
    """
    if settings.router_url is not None:
        client = OpenAIChat(settings.router_url, None, settings.llm_api_key)
        try:
            try:
                await client.connect(timeout_s=_PROBE_S)
            except UnavailableError as error:
                raise NoRouterError(
                    "router", f"EPICRISIS_ROUTER_URL cannot be used: {error}", error.way_out
                ) from error
            yield client
        finally:
            await client.close()
        return
    from agent.llm.local.supervisor import LocalServer, orders_for, require_engine

    gguf = required_router(settings)
    try:
        require_engine()
        small = settings.model_copy(update={"llm_context_tokens": _CONTEXT})
        server = LocalServer(orders_for(gguf, small), sha256=gguf.sha256)
        await server.start()
    except UnavailableError as error:
        raise NoRouterError(
            f"router {gguf.path}", f"cannot be served: {error}", error.way_out or _WAY_OUT
        ) from error
    client = server.client()
    try:
        yield client
    finally:
        await client.close()
        await server.stop()
