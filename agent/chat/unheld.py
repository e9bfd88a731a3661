"""A score that a question asks for by a name which nothing here has."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache

from agent.indices_by_name import index_names
from knowledge.laboratory_indices import laboratory_indices
from knowledge.scores import score, score_ids

_NAMED = re.compile(
    r"(?<![\w-])(?P<name>(?:[A-Z][\w/-]*|\d\w*)(?: [A-Z0-9][\w/-]*)?)\s+(?:[Ss]core|[Ii]ndex)\b"
    r"|(?<![A-Za-z0-9-])(?P<zh>[A-Za-z][A-Za-z0-9/+-]*)\s*(?:评分|指数|分级)"
)
_ALONE = re.compile(r"\W*(?P<name>[A-Z][A-Za-z]*[A-Z0-9][A-Za-z0-9-]*)\W*")
_QUESTION_WORDS = frozenset(
    [
        "a",
        "all",
        "an",
        "any",
        "calculate",
        "compute",
        "each",
        "every",
        "give",
        "her",
        "his",
        "how",
        "is",
        "my",
        "no",
        "risk",
        "show",
        "that",
        "the",
        "their",
        "this",
        "total",
        "what",
        "which",
    ]
)
_NEAR = 0.7


def unheld_name(question: str) -> str:
    """Return the name of the score that a question asks for, empty where it asks for none.

    To be asked only of a question that names nothing known.

    Examples:
        >>> unheld_name("What is the Ranson score?"), unheld_name("CHADS2?"), unheld_name("Pain?")
        ('Ranson', 'CHADS2', '')
        >>> unheld_name("What score is highest?"), unheld_name("Ranson 评分")
        ('', 'Ranson')
    """
    found = _NAMED.search(question)
    if found is not None:
        words = (found["name"] or found["zh"]).split()
        return " ".join(word for word in words if word.lower() not in _QUESTION_WORDS)
    alone = _ALONE.fullmatch(question)
    return alone["name"] if alone is not None and near_names(alone["name"]) else ""


def near_names(name: str) -> tuple[str, ...]:
    """Return the names of held scores and indices that are near to one.

    Examples:
        >>> "CHA2DS2-VA" in near_names("CHADS2")
        True
    """
    held = _held()
    close = get_close_matches(_bare(name), held, n=3, cutoff=_NEAR)
    return tuple(dict.fromkeys(held[one] for one in close))


@cache
def _held() -> Mapping[str, str]:
    found = {_bare(n): score(key).name for key in score_ids() for n in score(key).names}
    rows = laboratory_indices().indices
    found |= {_bare(n): rows[key].name for key, names in index_names().items() for n in names}
    return found


def _bare(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
