"""The words training requests are made of."""

from functools import cache

from agent.router_planner.names import load_table, names_of, requests_of
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.reference import Table

_PACKAGE = "serving.llm.train_router"


class Which(Frozen):
    """Words for the first and for the last of several recordings."""

    first: tuple[str, ...]
    last: tuple[str, ...]


class Words(Frozen):
    """Templates of one language; see ``wording.yaml``."""

    by_name: tuple[str, ...]
    by_request: tuple[str, ...]
    with_id: tuple[str, ...]
    which: Which
    with_which: tuple[str, ...]
    join: tuple[str, ...]
    join3: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    plan: tuple[str, ...]
    problems: tuple[str, ...]
    unclear: tuple[str, ...]
    none: tuple[str, ...]


class Wording(Table):
    """The file ``wording.yaml``."""

    en: Words
    zh: Words


@cache
def words(language: Language) -> Words:
    """Return the templates of a language."""
    found = _wording()
    return found.en if language == "en" else found.zh


def names(tool: str, language: Language) -> tuple[str, ...]:
    """Return what a tool is called; its title where the language has no other name."""
    found = names_of(tool)
    return found.en if language == "en" else found.zh or found.en


def requests(tool: str, language: Language) -> tuple[str, ...]:
    """Return what people ask it for; its names where nothing is written."""
    row = requests_of(tool)
    return (row.en if language == "en" else row.zh) or names(tool, language)


@cache
def _wording() -> Wording:
    return load_table(_PACKAGE, "wording", Wording)
