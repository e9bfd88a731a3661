"""Reference data: numbers a clinician can review without reading Python.

Every file under ``knowledge/data`` is YAML with a head (`title`, `version`, `licence`, `sources`)
and rows. A row, or a mapping above it, says in `source` where its numbers come from and in `review`
how sure we are. `unsourced_numbers` walks a file and names every number that has neither.

Review tags: ``V:<witnesses>`` seen in the named places, ``N`` computed and compared with another
implementation, ``R95`` recalled with 95 % confidence; a trailing ``!`` marks a number on which
sources disagree. Recalled at 80 % or less must be checked by a clinician before use.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError, field_validator

from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen

T = TypeVar("T", bound=BaseModel)

_TAG = re.compile(
    r"(?P<kind>[VN]|R(?P<confidence>\d{2,3}))(?::(?P<witnesses>[^!]+))?(?P<disputed>!)?"
)
_HEAD = {"title", "version", "licence", "sources", "reviewed_on", "schema"}
_NOT_A_NUMBER_OF_MEDICINE = {"version", "year", "order", "rank"}


class Source(Frozen):
    """Where a number or statement comes from.

    Args:
        title: Short title with the body or first author.
        year: Year of publication.
        doi: Where known; `doi_review` says whether it was seen or recalled.
        url: For sources without a DOI.
        seen_on: Date a source without a year was read.
        licence: What the source may be used for.
        superseded_by: Key of a newer source, where there is one.
    """

    title: str
    year: int | None = None
    doi: str | None = None
    doi_review: str | None = None
    url: str | None = None
    seen_on: str | None = None
    licence: str = "facts only; the publisher keeps the copyright of text and tables"
    superseded_by: str | None = None


class Review(Frozen):
    """How sure a row is, read from its tag."""

    tag: str

    @field_validator("tag")
    @classmethod
    def _known_form(cls, tag: str) -> str:
        if _TAG.fullmatch(tag) is None:
            raise ValueError(f"{tag!r} is not a review tag such as V:APACE, N or R95")
        return tag

    @property
    def confidence_percent(self) -> int | None:
        """For a recalled number, how sure it was recalled, %."""
        match = _TAG.fullmatch(self.tag)
        return int(match["confidence"]) if match and match["confidence"] else None

    @property
    def disputed(self) -> bool:
        """Whether sources disagree on it."""
        return self.tag.endswith("!")

    @property
    def needs_clinician(self) -> bool:
        """Whether it must be checked by a clinician before it drives care."""
        confidence = self.confidence_percent
        return self.disputed or (confidence is not None and confidence <= 80)

    @property
    def words(self) -> str:
        """The state in words, as every report shows it."""
        match = _TAG.fullmatch(self.tag)
        kind = match["kind"] if match else ""
        if kind == "V":
            text = "seen in a secondary source"
        elif kind == "N":
            text = "computed and compared with another implementation"
        else:
            text = f"recalled with {self.confidence_percent} % confidence, not yet checked"
        if self.disputed:
            text += "; sources disagree"
        return f"{text}; not reviewed by a clinician"


class Citation(Frozen):
    """A source as an assessment cites it.

    Args:
        id: Stable key, ``table/source``.
        label: Title and year, to show.
        doi: Where known.
        review: The review state in words.
    """

    id: str
    label: str
    doi: str | None = None
    url: str | None = None
    review: str
    licence: str


class Table(Frozen):
    """The head of a reference file; concrete tables add their rows."""

    title: str
    version: str
    licence: str
    sources: Mapping[str, Source]
    reviewed_on: str | None = None
    """Date of a clinician's review; None until there was one."""

    def cite(self, table: str, source: str, review: str) -> Citation:
        """Return the citation of one source of this table.

        Raises:
            ReferenceDataError: The table has no such source.
        """
        found = self.sources.get(source)
        if found is None:
            raise ReferenceDataError(f"{table}: {source}", "no such source in the file's `sources`")
        year = f" ({found.year})" if found.year and str(found.year) not in found.title else ""
        return Citation(
            id=f"{table}/{source}",
            label=f"{found.title}{year}",
            doi=found.doi,
            url=found.url,
            review=Review(tag=review).words,
            licence=found.licence,
        )


def load(name: str, model: type[T]) -> T:
    """Return a packaged reference file, validated row by row.

    Args:
        name: Path under ``knowledge/data``, without ``.yaml``.
        model: The table type; unknown fields are refused.

    Raises:
        ReferenceDataError: The file is missing or a row is not valid; the message names the row.
    """
    found: T = _load(name, model)
    return found


@cache
def _load(name: str, model: type[T]) -> T:
    data = raw(name)
    for path in unsourced_numbers(data):
        raise ReferenceDataError(f"{name}.yaml: {path}", "a number without `source` and `review`")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReferenceDataError(f"{name}.yaml: {where}", first["msg"]) from error


def raw(name: str) -> dict[str, Any]:
    """Return a packaged file as plain data.

    Raises:
        ReferenceDataError: The file is missing or is not a YAML mapping.
    """
    try:
        data = yaml.load(_bytes(name), Loader=_LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ReferenceDataError(f"{name}.yaml", f"not YAML: {error}") from error
    if not isinstance(data, dict):
        raise ReferenceDataError(f"{name}.yaml", "not a mapping")
    return data


def strict_yaml(content: bytes) -> Any:
    """Return YAML as plain data: safe, no key twice, yes/no/on/off and dates left as words.

    Raises:
        yaml.YAMLError: Not YAML, or a key given twice.
        ValueError: A number that Python cannot hold.
    """
    return yaml.load(content, Loader=_LOADER)  # noqa: S506 - a safe loader


def table_names() -> tuple[str, ...]:
    """Return the names of all packaged reference files, sorted."""
    root = files("knowledge").joinpath("data")
    return tuple(sorted(_walk(root, "")))


def table_hash(name: str) -> str:
    """Return the SHA-256 of a packaged file, for the provenance of a result."""
    return hashlib.sha256(_bytes(name)).hexdigest()


def unsourced_numbers(node: Any, path: str = "", *, sourced: bool = False) -> Iterator[str]:
    """Yield the path of every number without a `source` and a `review` beside or above it.

    A number is an int or float leaf, or a digit within a condition; heads and keys in
    `_NOT_A_NUMBER_OF_MEDICINE` are not numbers of medicine.
    """
    if isinstance(node, dict):
        sourced = sourced or ("source" in node and "review" in node)
        for key, value in node.items():
            if (path == "" and key in _HEAD) or key in _NOT_A_NUMBER_OF_MEDICINE:
                continue
            yield from unsourced_numbers(value, f"{path}.{key}".lstrip("."), sourced=sourced)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from unsourced_numbers(value, f"{path}[{index}]", sourced=sourced)
    elif isinstance(node, int | float) and not isinstance(node, bool) and not sourced:
        yield path


def _bytes(name: str) -> bytes:
    file = files("knowledge").joinpath("data", *f"{name}.yaml".split("/"))
    if not file.is_file():
        raise ReferenceDataError(f"{name}.yaml", "no such reference file")
    return file.read_bytes()


def _walk(folder: Any, prefix: str) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".yaml"):
            yield prefix + entry.name.removesuffix(".yaml")


class _StrictLoader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Safe YAML that refuses a key given twice and leaves yes/no/on/off as words."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"key given twice: {', '.join(sorted(twice))}", node.start_mark
            )
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


_StrictLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in rules
        if tag != "tag:yaml.org,2002:timestamp"
        and not (tag == "tag:yaml.org,2002:bool" and first not in "tTfF")
    ]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_LOADER = _StrictLoader
