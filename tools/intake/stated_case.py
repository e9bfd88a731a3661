"""The case file of a case: found among the contents, read, and its attachments resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from knowledge.errors import InputError
from tools.imaging.in_case.model import StatedImage
from tools.imaging.in_case.together import stated_together
from tools.intake.case_file import Attachment, CaseFile, read_case_file
from tools.intake.content import Content, Contents, refused
from tools.intake.result import InputFile

DEFAULT_NAME = "case.yaml"

_HINTED = 5
"""Missing files for which near names are looked up."""

_LONGEST = 200
"""Characters of a file's name that are looked at and shown."""


@dataclass(frozen=True, slots=True)
class StatedCase:
    """What is stated by hand; an empty case file where there is none or it failed.

    Args:
        case: The content.
        file: Its name.
        attached: File to its ``attach`` line.
        tables: Table to the mapping file that is named for it.
        images: Image to what is stated of it, with the names of files as the case has them.
        problems: What of it could not be used.
        failed: The case files that could not be read.
        content: The file itself; None where there is none or it failed.
    """

    case: CaseFile
    file: str
    attached: Mapping[str, Attachment]
    problems: list[str]
    failed: tuple[InputFile, ...]
    content: Content | None
    tables: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, StatedImage] = field(default_factory=dict)


def read_stated(contents: Contents) -> StatedCase:
    """Return the one case file; of several none is used, since they may contradict each other."""
    nothing = CaseFile(schema="epicrisis/case/1")
    found = [c for c in contents.usable.values() if c.kind == "case file"]
    if len(found) > 1:
        reason = f"more than one case file ({', '.join(c.file for c in found)}); keep one"
        reports = tuple(c.report("failed", reason) for c in found)
        return StatedCase(nothing, DEFAULT_NAME, {}, [], reports, None)
    if not found:
        return StatedCase(nothing, DEFAULT_NAME, {}, [], (), None)
    content = found[0]
    try:
        case = read_case_file(content.data, content.file)
    except InputError as error:
        report = refused(content.file, content.kind, error, sha256=content.sha256)
        return StatedCase(nothing, content.file, {}, [], (report,), None)
    problems: list[str] = []
    attached: dict[str, Attachment] = {}
    for line in case.attach:
        file = _in_case(line.file, content.folder, contents)
        if file is None:
            near = []
            if len(problems) < _HINTED:
                near = get_close_matches(line.file[:_LONGEST], contents.usable, n=2)
            hint = f" (did you mean {', '.join(near)}?)" if near else ""
            problems.append(f"attach: no readable file {line.file[:_LONGEST]!r} in the case{hint}")
        elif line.sha256 not in (None, contents.usable[file].sha256):
            problems.append(f"attach: {file} is another file than the one that was stated")
        else:
            attached[file] = line
    tables: dict[str, str] = {}
    for named in case.tables:
        pair = [_in_case(name, content.folder, contents) for name in (named.file, named.mapping)]
        if pair[0] is None or pair[1] is None:
            missing = named.file if pair[0] is None else named.mapping
            problems.append(f"tables: no readable file {missing[:_LONGEST]!r} in the case")
        else:
            tables[pair[0]] = pair[1]
    images = _images(case, content.folder, contents, problems)
    return StatedCase(case, content.file, attached, problems, (), content, tables, images)


def _images(
    case: CaseFile, folder: str, contents: Contents, problems: list[str]
) -> dict[str, StatedImage]:
    """Return what is stated of images; a file that is not there is a problem, and told by name.

    The rest of a line that names such a file beside its image still counts, as do all lines of one
    image that go together.
    """
    found: dict[str, StatedImage] = {}
    for line in case.images:
        file = _in_case(line.file, folder, contents)
        named = {what: _in_case(name, folder, contents) for what, name in line.beside().items()}
        absent = {w: line.beside()[w][:_LONGEST] for w, name in named.items() if name is None}
        for name in [line.file[:_LONGEST]] if file is None else absent.values():
            problems.append(f"images: no readable file {name!r} in the case")
        if file is None:
            continue
        one = line.model_copy(update={"file": file, **named, "missing_files": absent})
        both = stated_together([found[file], one] if file in found else [one])
        if isinstance(both, StatedImage):
            found[file] = both
        else:
            problems.append(f"images: {file} is named twice; the first line is used")
    return found


def _in_case(name: str, folder: str, contents: Contents) -> str | None:
    """Return the file a line means: relative to the case, or to the case file's folder."""
    for candidate in (name, f"{folder}/{name}" if folder else name):
        file = contents.same_as.get(candidate, candidate)
        if file in contents.usable:
            return file
    return None
