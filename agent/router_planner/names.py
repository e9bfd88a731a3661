"""What tools are called and asked for by people: for finding them, not for running."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypeVar

import yaml
from pydantic import ValidationError

from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.reference import Table
from knowledge.scores import score, score_ids
from tools.toolbox import discover

_PACKAGE = "agent.router_planner"
T = TypeVar("T", bound=Table)


class Names(Frozen):
    """Names of one tool."""

    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()


class NamesTable(Table):
    """The file ``tool_names.yaml``."""

    tools: Mapping[str, Names]


class RequestsTable(Table):
    """The file ``tool_requests.yaml``."""

    tools: Mapping[str, Names]


def load_table(package: str, name: str, kind: type[T]) -> T:
    """Return a table of a package's ``data`` folder.

    Raises:
        ReferenceDataError: It is not valid.
    """
    text = files(package).joinpath("data", f"{name}.yaml").read_text("utf-8")
    try:
        return kind.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        raise ReferenceDataError(name, f"is not valid: {error}", "correct the file") from error


@cache
def names_of(tool: str) -> Names:
    """Return the names of a tool in both languages, title first; a plug-in has its title alone."""
    found = _table().tools.get(tool, Names())
    known = discover().get(tool)
    title = (known.card.title,) if known is not None else ()
    terms = tuple(score(tool).terms) if tool in score_ids() else ()
    english = (t for t in terms if t.isascii())
    chinese = (t for t in terms if not t.isascii())
    return Names(
        en=tuple(dict.fromkeys((*title, *found.en, *english))),
        zh=tuple(dict.fromkeys((*found.zh, *chinese))),
    )


@cache
def requests_of(tool: str) -> Names:
    """Return what people ask a tool for without naming it; nothing for a plug-in."""
    return _requests().tools.get(tool, Names())


@cache
def _requests() -> RequestsTable:
    return load_table(_PACKAGE, "tool_requests", RequestsTable)


@cache
def _table() -> NamesTable:
    return load_table(_PACKAGE, "tool_names", NamesTable)
