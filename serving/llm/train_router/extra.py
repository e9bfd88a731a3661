"""The packages of a training, imported only by what needs them."""

from importlib import import_module
from typing import Any

from knowledge.errors import MissingExtraError


def package(name: str) -> Any:
    """Return an optional package or one of its modules.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        extra = "router-moe" if name in ("gguf", "ml_dtypes") else "router-training"
        raise MissingExtraError(
            "the router", f"needs the package {name}", f"pip install 'epicrisis[{extra}]'"
        ) from error
