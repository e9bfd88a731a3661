"""The contents of a case: read, named by kind, with duplicates and unreadable files set aside."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.errors import InputError, TooLargeError, UnsupportedError
from knowledge.settings import Settings
from tools.intake.limits import MIB, gunzip, read_bounded
from tools.intake.result import InputFile, Status
from tools.intake.sniff import ECG_KINDS, IMAGE_KINDS, Kind, meant, not_taken, sniff
from tools.intake.walk import Found

_TEXT = "plain text; a note is read where `attach` in case.yaml says whose it is"
_LABORATORY: frozenset[Kind] = frozenset({"Excel workbook", "PDF", "lab mapping"})
_UNKNOWN = "not recognised: corrupted, encrypted, or of a kind that is not taken"


@dataclass(frozen=True, slots=True)
class Content:
    """One file's content.

    Args:
        file: Name relative to the case.
        kind: What it is.
        data: The bytes, unpacked from gzip.
        sha256: Of the bytes on disk.
        notes: What should be told of it although it is read.
    """

    file: str
    kind: Kind
    data: bytes
    sha256: str
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The folder it lies in, relative to the case."""
        return self.file.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Its base name."""
        return self.file.rpartition("/")[2]

    def report(
        self,
        status: Status,
        reason: str | None = None,
        *,
        kind: str = "",
        counts: Mapping[str, int] | None = None,
        ignored: Mapping[str, int] | None = None,
        problems: Sequence[str] = (),
        unread: bool = False,
    ) -> InputFile:
        """Return what became of it."""
        return InputFile(
            file=self.file,
            kind=kind or self.kind,
            status=status,
            reason=reason,
            sha256=self.sha256,
            counts=dict(sorted((counts or {}).items())),
            ignored=dict(sorted((ignored or {}).items())),
            problems=(*self.notes, *problems),
            unread=unread,
        )


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Everything read.

    Args:
        usable: Contents still to be used or reported, by name.
        done: Files whose fate is known.
        same_as: A duplicate's name to the name its content is used under.
    """

    usable: Mapping[str, Content]
    done: tuple[InputFile, ...]
    same_as: Mapping[str, str]


def read_contents(found: Sequence[Found], *, settings: Settings) -> Contents:
    """Return the contents of files; one bad file does not stop the rest.

    Raises:
        TooLargeError: The unpacked contents are over `max_case_mib` together.
    """
    done: list[InputFile] = []
    usable: dict[str, Content] = {}
    first: dict[str, str] = {}
    same_as: dict[str, str] = {}
    size = 0
    for item in found:
        if item.refused is not None:
            done.append(item.refused)
            continue
        digest = None
        try:
            raw = read_bounded(item.path, item.file, settings=settings)
            digest = hashlib.sha256(raw).hexdigest()
            content = _content(item.file, raw, digest, settings)
        except InputError as error:
            done.append(refused(item.file, "file", error, sha256=digest))
            continue
        if digest in first and content.kind != "empty":
            same_as[item.file] = first[digest]
            done.append(content.report("ignored", f"same content as {first[digest]}"))
            continue
        first.setdefault(digest, item.file)
        usable[item.file] = content
        size += len(content.data)
        if size > settings.max_case_mib * MIB:
            raise TooLargeError(
                "case",
                f"over {settings.max_case_mib} MiB together when unpacked",
                "give one patient's visit",
            )
    return Contents(usable=usable, done=tuple(done), same_as=same_as)


def unused(content: Content, *, harmless: bool) -> InputFile:
    """Return what became of a content that nothing reads, with the reason.

    Args:
        content: The file.
        harmless: Whether it is known to hold nothing of a patient.
    """
    unread = not harmless
    named = meant(content.name)
    if content.kind == "empty":
        return content.report("failed", "empty")
    if content.kind == "not taken":
        return content.report("ignored", not_taken(content.data) or _UNKNOWN, unread=unread)
    if content.kind == "gzip":
        return content.report("ignored", "gzip in gzip; unpack it first", unread=unread)
    if named is not None:
        reason = f"named like {named}, but the content is not: corrupted, encrypted or mislabelled"
        return content.report("failed", reason)
    reason = _TEXT if content.kind == "text" else _UNKNOWN
    return content.report("ignored", reason, unread=unread)


def refused(file: str, kind: str, error: InputError, *, sha256: str | None) -> InputFile:
    """Return what became of a file that raised; of a kind not taken is ignored, the rest failed.

    One of a kind that is not taken may still hold something of the patient: it counts as unread.
    """
    status: Status = "ignored" if isinstance(error, UnsupportedError) else "failed"
    reason = error.reason + (f" ({error.way_out})" if error.way_out else "")
    if error.item != file:
        reason = f"{error.item}: {reason}".removeprefix(f"{file}: ")
    return InputFile(
        file=file,
        kind=kind,
        status=status,
        reason=reason,
        sha256=sha256,
        unread=status == "ignored",
    )


def _content(file: str, raw: bytes, digest: str, settings: Settings) -> Content:
    kind, data = sniff(raw), raw
    name = file
    if kind == "gzip":
        data = gunzip(raw, file, settings=settings)
        kind, name = sniff(data), file.removesuffix(".gz")
    named = meant(name)
    fits = named is None or kind.split()[-1] in named or named.split()[-1] in kind
    fits = fits or (named == "YAML" and kind in ("case file", "lab mapping"))
    read = kind in ECG_KINDS | IMAGE_KINDS | _LABORATORY or kind in (
        "FHIR JSON",
        "HL7 v2",
        "case file",
    )
    notes = (f"named like {named}, read by its content as {kind}",) if read and not fits else ()
    return Content(file=file, kind=kind, data=data, sha256=digest, notes=notes)
