"""Every error this product raises on purpose, split by who must act.

::

    EpicrisisError
    +-- InputError                 the caller's data is unusable: ask for better data (exit 4)
    |   +-- UnreadableError        the bytes cannot be decoded (corrupted, truncated, encrypted)
    |   +-- UnsupportedError       readable, but of a kind that is not taken
    |   +-- TooLargeError          over a size, count or expansion limit
    |   +-- InvalidValueError      decoded, but impossible (troponin -3, age 300)
    |   `-- ContractError          outside what a tool accepts (modality, view, age, assay, ...)
    +-- IdentityConflictError      the sources are not of one patient (exit 3)
    +-- UnavailableError           something needed is down or switched off: the answer is unknown
    |   `-- MissingExtraError      an optional package is not installed
    `-- ReferenceDataError         a mistake of ours: a row of reference data is not valid

Every error names the item, the reason and the way out. Messages carry no patient data: they name
files, fields and rules, never a patient's name, identifier or birth date.
"""


class EpicrisisError(Exception):
    """Base of all errors raised on purpose.

    Args:
        item: What the error is about: a file, a field, a row, a tool.
        reason: Why it cannot be used.
        way_out: What the reader can do about it; empty where nothing can be done.
    """

    def __init__(self, item: str, reason: str, way_out: str = "") -> None:
        self.item = item
        self.reason = reason
        self.way_out = way_out
        super().__init__(f"{item}: {reason}" + (f" ({way_out})" if way_out else ""))


class InputError(EpicrisisError):
    """The data given cannot be used."""


class UnreadableError(InputError):
    """The bytes cannot be decoded: corrupted, truncated, encrypted or mislabelled."""


class UnsupportedError(InputError):
    """The content is readable, but of a kind that is not taken."""


class TooLargeError(InputError):
    """The content is over a size, count or expansion limit."""


class InvalidValueError(InputError):
    """A decoded value is impossible."""


class ContractError(InputError):
    """The input is outside what a tool accepts."""


class IdentityConflictError(EpicrisisError):
    """Two sources are not of one patient; names files and fields, never values.

    Args:
        item: What the error is about.
        reason: Why the sources are not shown to be of one patient.
        way_out: What the reader can do about it.
        files: The files that disagree.

    Attributes:
        inputs: What is known of every file of the case (`tools.intake.result.InputFile`), set by
            the reader of the case before it lets the error out; empty where nothing was read.
    """

    def __init__(
        self, item: str, reason: str, way_out: str = "", *, files: tuple[str, ...] = ()
    ) -> None:
        super().__init__(item, reason, way_out)
        self.files = files
        self.inputs: tuple[object, ...] = ()


class UnavailableError(EpicrisisError):
    """Something needed is down or switched off, so no statement about the patient is possible."""


class MissingExtraError(UnavailableError):
    """An optional package is not installed."""


class ReferenceDataError(EpicrisisError):
    """A row of packaged or site reference data is not valid; a mistake of ours or of the site."""
