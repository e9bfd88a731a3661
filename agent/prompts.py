"""Prompts: versioned, hashed files, one per language, with named places to fill.

A prompt is ``agent/prompts_data/<language>/<name>.md``. Its places are written ``$name``, so braces
of JSON stay as they are; a dollar sign is written ``$$``.
"""

import hashlib
import re
from functools import cache
from importlib.resources import files
from string import Template

from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SHOWN = 12


class Prompt(Frozen):
    """One prompt file.

    Args:
        id: ``name.language@hash``, with the first 12 digits of the hash: part of the provenance.
        sha256: Of the file.
        text: With its places unfilled.
    """

    id: str
    sha256: str
    text: str

    @property
    def places(self) -> frozenset[str]:
        """The names of the places to fill."""
        return frozenset(Template(self.text).get_identifiers())

    def render(self, **values: str) -> str:
        """Return the text with every place filled; a value is never read for further places.

        Raises:
            ReferenceDataError: A place without a value, or a value without a place: what the
                caller holds for important would silently be left out.
        """
        for names, problem in (
            (self.places - set(values), "no value for"),
            (set(values) - self.places, "no place for"),
        ):
            if names:
                raise ReferenceDataError(self.id, f"{problem} {', '.join(sorted(names))}")
        return Template(self.text).substitute(values)


@cache
def load_prompt(name: str, language: str) -> Prompt:
    """Return a packaged prompt.

    Args:
        name: For example ``plan``.
        language: ``en`` or ``zh``.

    Raises:
        ReferenceDataError: No such prompt in this language, or a place that is not well formed.
    """
    where = f"prompts_data/{language}/{name}.md"
    file = files("agent").joinpath("prompts_data", language, f"{name}.md")
    if not (_NAME.fullmatch(name) and _NAME.fullmatch(language) and file.is_file()):
        raise ReferenceDataError(where, "no such prompt", f"there are: {', '.join(prompt_names())}")
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReferenceDataError(where, "is not UTF-8 text") from error
    if not Template(text).is_valid():
        raise ReferenceDataError(where, "a dollar sign that names no place", "write it as $$")
    return Prompt(id=f"{name}.{language}@{sha256[:_SHOWN]}", sha256=sha256, text=text)


def prompt_names() -> tuple[str, ...]:
    """Return every packaged prompt as ``language/name``, sorted."""
    root = files("agent").joinpath("prompts_data")
    if not root.is_dir():
        return ()
    return tuple(
        sorted(
            f"{folder.name}/{file.name.removesuffix('.md')}"
            for folder in root.iterdir()
            if folder.is_dir()
            for file in folder.iterdir()
            if file.name.endswith(".md")
        )
    )
