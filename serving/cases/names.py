"""Names of uploaded files: relative, plain, and the same to a person as to a file system."""

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from knowledge.errors import InvalidValueError
from knowledge.plain_text import visible

LONGEST = 240
"""Characters of a whole name: folders and file of an export, with room in every file system."""

LONGEST_PART = 200
"""Bytes of one part: a file system takes 255, and intake may put a number behind a name."""

DEEPEST = 8
"""Folders in folders: an exported visit is a few levels deep."""

_SHOWN = 60


def relative_name(sent: str) -> str:
    r"""Return the name under which a file is kept, as it was sent but for composed characters.

    Args:
        sent: As the client names it, parts divided by ``/``.

    Raises:
        InvalidValueError: It is empty, too long, absolute, climbs out of its folder, or holds
            characters that cannot be seen or that stand for others.

    Examples:
        >>> relative_name("ecg/first.dcm")
        'ecg/first.dcm'
        >>> relative_name("../../etc/passwd")
        Traceback (most recent call last):
        knowledge.errors.InvalidValueError: file '../../etc/passwd': ...
    """
    name = unicodedata.normalize("NFC", sent)
    reason = _why_not(sent, name)
    if reason:
        raise InvalidValueError(
            f"file {visible(sent)[:_SHOWN]!r}", reason, "send a plain relative name"
        )
    return name


def check_together(names: Iterable[str]) -> None:
    """Refuse names of one case of which one is a folder of another.

    Raises:
        InvalidValueError: The message names it.
    """
    known = set(names)
    for name in sorted(known):
        for folder in PurePosixPath(name).parents:
            if str(folder) in known:
                raise InvalidValueError(
                    f"file {str(folder)[:_SHOWN]!r}", "is also the name of a folder", "rename it"
                )


def _why_not(sent: str, name: str) -> str:
    if not name.strip():
        return "has no name"
    if len(name) > LONGEST:
        return f"its name is over {LONGEST} characters"
    if visible(name) != name:
        return "its name holds characters that cannot be seen"
    looks = unicodedata.normalize("NFKC", name)
    if "\\" in looks or (len(looks) > 1 and looks[1] == ":"):
        return "its name is a path of another system"
    if looks.count("/") != name.count("/") or looks.count(".") != name.count("."):
        return "its name holds characters that look like others"
    return _why_not_parts(name.split("/"))


def _why_not_parts(parts: list[str]) -> str:
    if not parts[0]:
        return "its name is absolute"
    if len(parts) > DEEPEST:
        return f"it lies more than {DEEPEST - 1} folders deep"
    if any(part.strip() in ("", ".", "..") for part in parts):
        return "its name climbs out of its folder or has an empty part"
    if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST_PART for part in parts):
        return f"a part of its name is over {LONGEST_PART} bytes"
    return ""
