"""Write docs/settings.md from the settings themselves: name, type, default, what it is for."""

import ast
import inspect
import itertools
import re
import typing
from pathlib import Path

from knowledge import settings as module
from knowledge.settings import Settings

TARGET = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
HEAD = """# Settings

Written by `scripts/make_settings_reference.py`; a test checks that it is up to date.

Order: argument, environment variable, the file that `EPICRISIS_SETTINGS_FILE` names, default.

"""


def reference() -> str:
    """Return the reference as Markdown."""
    return HEAD + "\n".join(_entry(name, words) for name, words in _documented().items())


def _documented() -> dict[str, str]:
    """Return every field with the text below it, in order."""
    source = ast.parse(inspect.getsource(module))
    body = next(n for n in source.body if isinstance(n, ast.ClassDef) and n.name == "Settings").body
    found: dict[str, str] = {}
    for field, below in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = below.value.value if _is_text(below) else ""  # type: ignore[attr-defined]
            if not text:
                raise SystemExit(f"settings.{field.target.id} has no text below it")
            found[field.target.id] = " ".join(text.split())
    return found


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _entry(name: str, words: str) -> str:
    field = Settings.model_fields[name]
    default = _default(field.get_default(call_default_factory=True))
    return (
        f"## `EPICRISIS_{name.upper()}`\n\n{words.replace('``', '`')}\n\n"
        f"Type: `{_type(field.annotation)}`. Default: {default}.\n"
    )


def _type(annotation: object) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    if typing.get_args(annotation) and isinstance(annotation, type):
        text = str(annotation)
    text = re.sub(r"Annotated\[(\w+),[^\]]*\]", r"\1", text)
    return re.sub(r"\b(?:typing|pathlib\.\w+|pathlib|pydantic\.types|datetime)\.", "", text)


def _default(value: object) -> str:
    if value is None:
        return "none"
    return f"`{value}`" if value or value in (0, False) else "empty"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
