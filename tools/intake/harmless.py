"""Files that hold nothing of a patient, told by their names and by what lies beside them.

Every other file that nothing reads may hold a result: it is reported, and no case is low with it.
"""

import re
from collections.abc import Collection, Mapping

from tools.intake.content import Content

_NAMES = frozenset(
    {
        "thumbs.db",
        "desktop.ini",
        "ehthumbs.db",
        "readme",
        "license",
        "licence",
        "notice",
        "changelog",
        "manifest",
        "records",
        "annotators",
        "md5sums",
        "sha1sums",
        "sha256sums",
        "sha512sums",
        "dicomdir",
    }
)
_TEXT_ENDINGS = frozenset({"", "md", "txt", "rst"})
_CHECKSUM_ENDINGS = frozenset({"md5", "sha1", "sha256", "sha512"})
_OWN_REPORT = re.compile(r"assessment\.json|report\.(?:md|html)|timeline\.svg|ecg-\d+\.(?:svg|png)")
_OWN_MARK = b'"result_sha256"'
"""In every assessment that this program writes."""


def is_harmless(
    content: Content, contents: Mapping[str, Content], *, headers: Collection[str] = ()
) -> bool:
    """Return whether a file that nothing reads is known to hold nothing of a patient.

    Harmless are: a read-me, a licence, a list of files or checksums, what a file manager leaves,
    the annotations beside a WFDB record that was read, and a report written by this program.

    Args:
        content: The file.
        contents: Every file of the case, by name.
        headers: WFDB headers that were read.
    """
    name = content.name.lower()
    stem, _, ending = name.rpartition(".") if "." in name else (name, "", "")
    if name in _NAMES or ending in _CHECKSUM_ENDINGS:
        return True
    if stem in _NAMES and ending in _TEXT_ENDINGS:
        return True
    prefix = f"{content.folder}/" if content.folder else ""
    if content.kind == "not recognised":
        beside = {header.rpartition(".")[0] for header in headers}
        if prefix + content.name.rpartition(".")[0] in beside:
            return True
    own = contents.get(f"{prefix}assessment.json")
    return own is not None and _OWN_MARK in own.data and bool(_OWN_REPORT.fullmatch(name))
