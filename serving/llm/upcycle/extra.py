"""The packages torch and transformers, imported only by what needs them."""

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from knowledge.errors import MissingExtraError, UnavailableError

_WAY_OUT = "pip install 'epicrisis[llm-moe]'; never torchvision"


def torch() -> Any:
    """Return the package torch.

    Raises:
        MissingExtraError: It is not installed.
    """
    return _package("torch")


def transformers() -> Any:
    """Return the package transformers, quiet: it reports every file it loads.

    Raises:
        MissingExtraError: It is not installed.
    """
    found = _package("transformers")
    found.logging.set_verbosity_error()
    found.logging.disable_progress_bar()
    return found


def checkpoint(folder: Path, dtype: Any) -> tuple[Any, Any]:
    """Return model, ready to be asked, and tokenizer of a folder; nothing is fetched.

    Args:
        folder: With a configuration, safetensors and a tokenizer.
        dtype: Of torch, in which the weights are held.

    Raises:
        MissingExtraError: transformers is not installed.
        UnavailableError: The folder cannot be loaded.
    """
    library = transformers()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = library.AutoModelForCausalLM.from_pretrained(
                str(folder), dtype=dtype, local_files_only=True, use_safetensors=True
            )
            tokenizer = library.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise UnavailableError(
                str(folder), f"cannot be loaded ({type(error).__name__})"
            ) from error
    return model.eval(), tokenizer


def require_gguf() -> None:
    """Raise unless transformers can read weights of llama.cpp: by gguf, and with accelerate.

    Raises:
        MissingExtraError: One of them is not installed.
    """
    _package("gguf")
    _package("accelerate")


def _package(name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of packages that these import
            return import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            "mixtures of experts", f"need the package {name}", _WAY_OUT
        ) from error
