"""The gold queries and the cards that answer them: two files, written in that order."""

from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson
from pydantic import ValidationError, model_validator

from evals.case import Case
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from knowledge.passages import Language

FOLDER = Path(__file__).parent
QUERIES = FOLDER / "queries.jsonl"
RELEVANT = FOLDER / "relevant.jsonl"

M = TypeVar("M", bound=Frozen)


class Query(Frozen):
    """One line of ``queries.jsonl``."""

    id: str
    language: Language
    asked_by: str
    query: str


class Relevant(Frozen):
    """One line of ``relevant.jsonl``.

    Args:
        id: Of the query.
        cards: Those that answer it.
        none: Where no card does: ``near``, about acute chest pain; ``far``, another field.
    """

    id: str
    cards: tuple[str, ...]
    none: Literal["near", "far"] | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "Relevant":
        if bool(self.cards) == bool(self.none):
            raise ValueError("names cards, or says that there is none")
        return self


def gold_cases() -> tuple[Case, ...]:
    """Return a case for each query.

    Raises:
        InvalidValueError: The two files do not fit together.
    """
    queries = [_row(Query, line) for line in QUERIES.read_bytes().splitlines()]
    answers = {
        row.id: row for row in (_row(Relevant, line) for line in RELEVANT.read_bytes().splitlines())
    }
    if len({query.id for query in queries}) != len(queries) or answers.keys() != {
        query.id for query in queries
    }:
        raise InvalidValueError("gold queries", "do not fit their answers", "correct the files")
    return tuple(_case(query, answers[query.id]) for query in queries)


def _row(model: type[M], line: bytes) -> M:
    try:
        return model.model_validate(orjson.loads(line))
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise InvalidValueError("gold queries", f"a line is not valid: {error}") from error


def _case(query: Query, answer: Relevant) -> Case:
    expected: dict[str, Any] = {"cards": list(answer.cards), "none": answer.none}
    return Case(
        id=query.id,
        language=query.language,
        tags=(query.language, answer.none or "answerable"),
        source="query written before the cards were read; cards judged by one reader (README)",
        given={"query": query.query, "asked_by": query.asked_by},
        expected=expected,
    )
