"""The commands upcycle and routing: what they print, and what they refuse; heavy parts apart."""

from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner

from knowledge.errors import InvalidValueError
from serving.commands import llm
from serving.llm.upcycle import extra
from tests.serving.llm.upcycle.tiny import needs_extra, tiny

RUN = CliRunner()


def application() -> typer.Typer:
    """Return the commands of language models alone: the service need not be installed for them."""
    app = typer.Typer()
    llm.register(app)
    return app


def test_a_wrong_number_of_experts_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    done = RUN.invoke(
        application(), ["llm", "upcycle", "--experts", "1", "--out", str(tmp_path / "moe")]
    )
    assert isinstance(done.exception, InvalidValueError)
    assert not (tmp_path / "moe").exists()


@pytest.mark.parametrize("name", ["torch", "transformers"])
def test_a_missing_package_is_told_with_the_way_out(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import serving.llm.upcycle.extra as module

    def missing(wanted: str) -> object:
        raise ImportError(wanted)

    monkeypatch.setattr(module, "import_module", missing)
    done = RUN.invoke(
        application(), ["llm", "upcycle", "--dense", str(tmp_path), "--out", str(tmp_path / "moe")]
    )
    assert done.exit_code == 5
    assert "llm-moe" in done.stderr


@needs_extra
def test_from_a_dense_checkpoint_to_the_routing_report(tmp_path: Path) -> None:
    dense = tiny()
    dense.model.save_pretrained(tmp_path / "dense")
    dense.tokenizer.save_pretrained(tmp_path / "dense")
    out = tmp_path / "moe"
    made = RUN.invoke(
        application(),
        ["llm", "upcycle", "--dense", str(tmp_path / "dense"), "--form", "qwen-moe",
         "--experts", "4", "--top-k", "2", "--out", str(out), "--json"],
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert orjson.loads(made.stdout)["plan"]["form"] == "qwen-moe"
    said = {"name": "one", "messages": [{"role": "user", "content": "Chest pain since 8:00."}]}
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_bytes(orjson.dumps(said))
    done = RUN.invoke(
        application(), ["llm", "routing", str(out), "--prompts", str(prompts), "--json"]
    )
    assert done.exit_code == 0, done.output
    body = orjson.loads(done.stdout)
    assert body["kind"] == "instrument check"
    assert (body["experts"], body["top_k"], len(body["layers"])) == (4, 2, 2)
    shown = RUN.invoke(application(), ["llm", "routing", str(out), "--prompts", str(prompts)])
    assert shown.stdout.startswith("instrument check: ")
    assert "torchvision" not in __import__("sys").modules


@needs_extra
def test_a_folder_without_a_checkpoint_is_told(tmp_path: Path) -> None:
    done = RUN.invoke(
        application(), ["llm", "upcycle", "--dense", str(tmp_path), "--out", str(tmp_path / "moe")]
    )
    assert done.exit_code == 5
    assert "0 files of weights" in done.stderr
    assert extra.torch() is not None
