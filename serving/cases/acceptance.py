"""Which files a case may take: plain names, within the limits, none twice."""

from collections.abc import Iterable, Mapping

from knowledge.errors import InvalidValueError, TooLargeError
from knowledge.settings import Settings
from serving.cases.names import check_together, relative_name
from tools.intake.limits import MIB


def checked(
    files: Iterable[tuple[str, bytes]], settings: Settings, *, before: Mapping[str, int]
) -> tuple[tuple[str, bytes], ...]:
    """Return files under the names they are kept by, where a case may take them.

    Args:
        files: Name as sent, and bytes.
        settings: `max_files`, `max_file_mib`, `max_case_mib`.
        before: Name to size of the files the case has.

    Raises:
        InvalidValueError: A name is not taken or comes twice, or there is no file.
        TooLargeError: A file, the number of files or their size together is over its limit.
    """
    named: dict[str, bytes] = {}
    for sent, content in files:
        name = relative_name(sent)
        if name in named:
            raise InvalidValueError(f"file {name[:60]!r}", "was sent twice", "send it once")
        if len(content) > settings.max_file_mib * MIB:
            raise TooLargeError(
                f"file {name[:60]!r}", f"over {settings.max_file_mib} MiB", "send a part of it"
            )
        named[name] = content
    if not named:
        raise InvalidValueError("files", "none were sent", "send one or more files")
    sizes = {**before, **{name: len(content) for name, content in named.items()}}
    check_together(sizes)
    if len(sizes) > settings.max_files:
        raise TooLargeError("case", f"over {settings.max_files} files", "send one patient's visit")
    if sum(sizes.values()) > settings.max_case_mib * MIB:
        raise TooLargeError(
            "case", f"over {settings.max_case_mib} MiB together", "send one patient's visit"
        )
    return tuple(named.items())
