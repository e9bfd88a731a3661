"""Reading the packaged profiles, and what must hold of each."""

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml
from pydantic import ValidationError

from knowledge.errors import InvalidValueError, ReferenceDataError
from knowledge.reference import strict_yaml
from serving.llm.profiles.model import ModelProfile
from serving.llm.profiles.sourced import Sourced

_NEAR = 3


class UnknownModelError(InvalidValueError):
    """There is no profile of that name."""


@cache
def profiles() -> Mapping[str, ModelProfile]:
    """Return every packaged profile by id, in order of id.

    Raises:
        ReferenceDataError: A file is not valid; the message names file and field.
    """
    folder = files("serving.llm.profiles").joinpath("data")
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            one = parse(entry.name, entry.read_bytes())
            found[one.id] = one
    return MappingProxyType(found)


def profile(name: str) -> ModelProfile:
    """Return the profile with an id, a model name or a hub repository.

    Args:
        name: Upper and lower case are the same.

    Raises:
        UnknownModelError: There is none; the message offers near matches.

    Examples:
        >>> profile("qwen/qwen3-30b-a3b-instruct-2507").id
        'qwen3-30b-a3b'
    """
    wanted = name.strip().casefold()
    names = {key.casefold(): one for one in profiles().values() for key in _names(one)}
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(wanted, list(names), n=_NEAR, cutoff=0.4)
    ids = list(dict.fromkeys(names[key].id for key in near))
    raise UnknownModelError(
        name,
        "no profile of this model",
        "did you mean " + ", ".join(ids) if ids else "see `epicrisis llm profiles`",
    )


def parse(file: str, content: bytes) -> ModelProfile:
    """Return one profile, checked.

    Args:
        file: Name of the file, for messages; its stem is the id.
        content: YAML.

    Raises:
        ReferenceDataError: Not YAML, an unknown or missing field, or fields that do not fit.
    """
    try:
        found = ModelProfile.model_validate(strict_yaml(content))
    except (yaml.YAMLError, ValueError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        where = ".".join(str(part) for part in first["loc"]) if first else "file"
        raise ReferenceDataError(
            f"{file}: {where}", first["msg"] if first else str(error)
        ) from error
    for problem in _problems(file, found):
        raise ReferenceDataError(file, problem)
    return found


def _names(one: ModelProfile) -> Iterator[str]:
    yield one.id
    yield one.name
    yield one.repository
    for weights in one.weights:
        if weights.repository is not None:
            yield weights.repository


def _problems(file: str, one: ModelProfile) -> Iterator[str]:
    if file.removesuffix(".yaml") != one.id:
        yield f"the id {one.id!r} is not the name of the file"
    for name, group in one.sourced().items():
        for key in group.source_keys:
            if key not in one.sources:
                yield f"{name}: no source {key!r} in `sources`"
    if not one.weights:
        yield "weights: at least one precision"
    yield from _gaps(one)


def _gaps(one: ModelProfile) -> Iterator[str]:
    wanted: dict[str, Sourced | None] = {
        "shape": one.shape,
        "attention": one.attention,
        "feedforward": one.feedforward,
    }
    if one.vision:
        wanted["vision_tower"] = one.vision_tower
    for name, group in wanted.items():
        if (group is None) != (name in one.not_known):
            yield f"{name}: either its fields or a reason under `not_known`"
    if one.attention is not None:
        for kind in set(one.attention.pattern):
            if getattr(one.attention, kind) is None:
                yield f"attention: the pattern has {kind!r}, but its sizes are missing"
