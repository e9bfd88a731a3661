"""The dense model that is upcycled: the packaged weights, dequantised, or a checkpoint of yours."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import UnavailableError
from knowledge.packaged_weights import fetch, weights
from knowledge.settings import Settings
from knowledge.weights_cache import sha256_of
from knowledge.weights_source import Progress
from serving.llm.upcycle import extra
from serving.llm.upcycle.record import Source

PACKAGED = "smollm2-135m-instruct-q4_1"


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A dense model in memory, float32.

    Args:
        source: Where it is from.
        model: A causal language model of transformers.
        tokenizer: Its tokenizer.
    """

    source: Source
    model: Any
    tokenizer: Any


def packaged_dense(settings: Settings, progress: Progress | None = None) -> Dense:
    """Return SmolLM2-135M-Instruct, dequantised from four bits by transformers.

    Args:
        settings: `data_dir`, where fetched weights stay.
        progress: Of the fetching.

    Raises:
        UnavailableError: The weights cannot be had, or a package is missing.
    """
    extra.require_gguf()
    transformers, torch = extra.transformers(), extra.torch()
    manifest = weights(PACKAGED)
    folder = fetch(manifest, cache=settings.data_dir / "weights", progress=progress)
    file = manifest.files[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = transformers.AutoModelForCausalLM.from_pretrained(
            str(folder), gguf_file=file.name, dtype=torch.float32, local_files_only=True
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            str(folder), gguf_file=file.name, local_files_only=True
        )
    source = Source(name=manifest.title, sha256=file.sha256, licence=manifest.licence)
    return Dense(source=source, model=model.eval(), tokenizer=tokenizer)


def dense_from(folder: Path) -> Dense:
    """Return a dense checkpoint of a folder; only safetensors, and no code of the folder is run.

    Raises:
        UnavailableError: It cannot be loaded, or a package is missing.
    """
    torch = extra.torch()
    shards = sorted(folder.glob("*.safetensors"))
    if len(shards) != 1:
        raise UnavailableError(
            str(folder), f"has {len(shards)} files of weights", "one file of safetensors"
        )
    model, tokenizer = extra.checkpoint(folder, torch.float32)
    source = Source(name=folder.name, sha256=sha256_of(shards[0]))
    return Dense(source=source, model=model, tokenizer=tokenizer)
