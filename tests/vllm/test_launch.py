"""What `epicrisis llm launch` starts is vLLM, with every option it writes, and ends in order."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
from pydantic import SecretStr

from agent.llm.client import OpenAIChat
from serving.llm.upcycle.plan import Form
from serving.llm.upcycle.record import Record
from tests.vllm.asking import asking
from tests.vllm.conftest import MEASURED
from tests.vllm.servers import READY_S, free_port
from tests.vllm.test_answers import SCHEMA, TOOLS

ROOT = Path(__file__).resolve().parents[2]


def test_the_written_command_serves_the_mixture(
    checkpoints: dict[Form, tuple[Path, Record]], tmp_path: Path
) -> None:
    folder, _ = checkpoints["mixtral"]
    port = free_port()
    words = [
        sys.executable, "-m", "serving", "llm", "launch", "smollm2-135m-moe4", "--cpu",
        "--cores", "0-1" if (os.cpu_count() or 1) > 1 else "0",
        "--weights", str(folder), "--port", str(port), "--wait", str(READY_S),
        "--executable", str(Path(sys.executable).with_name("vllm")),
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "EPICRISIS_DATA_DIR": str(tmp_path / "data"),
    }
    with subprocess.Popen(  # noqa: S603 - the product's own command
        words,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as started:
        try:
            said = _until_ready(started)
            key = (tmp_path / "data" / "llm.env").read_text().partition("=")[2].strip()
            found = re.search(r"--served-model-name (\S+)", said)
            name = found.group(1) if found else None
            _asked(OpenAIChat(f"http://127.0.0.1:{port}/v1", name, SecretStr(key)))
            started.send_signal(signal.SIGINT)
            rest, _ = started.communicate(timeout=90)
        finally:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGKILL)
    log = (tmp_path / "data" / "llm-logs" / "server-0.log").read_text(errors="replace")
    assert started.returncode == 0, rest
    assert key
    assert key not in said + rest + log
    assert "Application shutdown complete" in log
    MEASURED.append("vllm: started, asked and ended by `epicrisis llm launch`")


def _until_ready(started: subprocess.Popen[str]) -> str:
    """Return what it said until it waits for the end."""
    assert started.stdout is not None
    lines: list[str] = []
    for line in started.stdout:
        lines.append(line)
        if "Interrupt to stop" in line:
            return "".join(lines)
    raise AssertionError(f"it ended: {''.join(lines)}")


def _asked(client: OpenAIChat) -> None:
    async def use() -> None:
        try:
            identity = await client.connect()
            assert identity.server.startswith("vllm 0.32")
            assert client.order == "urgency"
            reply = await client.chat(asking("Chest pain.", json_schema=SCHEMA, max_tokens=96))
            jsonschema.validate(reply.data, SCHEMA)
            urgent = asking("Is the troponin high?", tools=TOOLS, max_tokens=192)
            called = await client.chat(urgent.model_copy(update={"urgency": "emergency"}))
            assert called.calls
        finally:
            await client.close()

    asyncio.run(use())
