"""Words and identifiers by which an image file is understood, as data."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from knowledge.model import Frozen
from knowledge.reference import Table, load

_FILE = "imaging_terms"

NotImageRole = Literal["document", "report", "derived"]


class Words(Frozen):
    """One thing in the languages shown."""

    en: str
    zh: str


class Modalities(Frozen):
    """Modality codes of DICOM and what they are called."""

    source: str
    review: str
    words: Mapping[str, Words]


class Earliest(Frozen):
    """The year before which no time of a digital image is believed."""

    year: int
    source: str
    review: str


class InChinese(Frozen):
    """What words of a header are called in Chinese; the header's own are English.

    Args:
        zh: By the word in lower case.
    """

    source: str
    review: str
    zh: Mapping[str, str]

    def read(self, word: str) -> str:
        """Return a word in Chinese; one that is not known stays as the header says it."""
        return self.zh.get(word.strip().lower(), word)


class NotImage(Frozen):
    """A kind of object that is no image.

    Args:
        uid: SOP class, or where it ends in a dot its beginning.
        role: What it is.
        en: In words, with the article.
    """

    uid: str
    role: NotImageRole
    en: str


class NotImages(Frozen):
    """Kinds of objects that are no image."""

    source: str
    review: str
    rows: tuple[NotImage, ...]


class Class(Frozen):
    """One SOP class, or the beginning of several."""

    uid: str
    source: str
    review: str


class Projections(Frozen):
    """Modalities that project the body on a plane."""

    source: str
    review: str
    modalities: frozenset[str]


class TransferSyntaxes(Frozen):
    """Encodings of which something is to be said."""

    source: str
    review: str
    deflated: str
    retired: frozenset[str]


class Animals(Frozen):
    """What says that the patient is no human."""

    source: str
    review: str
    human_codes: frozenset[str]
    human_words: frozenset[str]
    owner_role: str
    words_source: str
    words: tuple[str, ...]


class ImagingTerms(Table):
    """The whole file."""

    modalities: Modalities
    other: Words
    earliest: Earliest
    body_parts: InChinese
    views: InChinese
    not_images: NotImages
    waveforms: Class
    slide: Class
    projections: Projections
    transfer_syntaxes: TransferSyntaxes
    animals: Animals

    def modality(self, code: str) -> Words:
        """Return what a modality is called; of an unknown one that it is not stated."""
        return self.modalities.words.get(code, self.other)

    def not_image(self, sop_class: str) -> NotImage | None:
        """Return why an object of a SOP class is no image, or None.

        Examples:
            >>> found = imaging_terms().not_image("1.2.840.10008.5.1.4.1.1.104.1")
            >>> found is not None and found.role
            'document'
            >>> imaging_terms().not_image("1.2.840.10008.5.1.4.1.1.2") is None
            True
        """
        return next((row for row in self.not_images.rows if _is(sop_class, row.uid)), None)

    def is_waveform(self, sop_class: str) -> bool:
        """Return whether a SOP class is one of waveforms."""
        return _is(sop_class, self.waveforms.uid)


@cache
def imaging_terms() -> ImagingTerms:
    """Return the packaged terms.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(_FILE, ImagingTerms)


def _is(sop_class: str, uid: str) -> bool:
    return sop_class == uid or (uid.endswith(".") and sop_class.startswith(uid))
