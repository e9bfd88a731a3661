"""Which analysis a series starts when it arrives, as data."""

from collections.abc import Iterable
from functools import cache
from typing import Literal

from knowledge.model import Frozen
from knowledge.reference import Table, load

FILE = "dicom_arrivals"
Analysis = Literal["ct-measurements", "chest-film"]


class ArrivalRule(Frozen):
    """One rule.

    Args:
        id: Names it.
        analysis: What is started.
        modalities: Codes of DICOM (0008,0060), one of which the series has.
        any_of: Words, one of which its header holds; empty where they do not matter.
        none_of: Words that exclude it.
        slices_min: Least number of images.
        what: In words.
    """

    id: str
    analysis: Analysis
    modalities: tuple[str, ...]
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    slices_min: int = 1
    what: str

    def why_not(self, modality: str, words: Iterable[str], images: int) -> str:
        """Return why a series does not fit; empty where it does.

        Args:
            modality: Of the series.
            words: Body part, descriptions and protocol as stated.
            images: In the series.
        """
        if modality not in self.modalities:
            return f"modality {modality or 'not stated'}"
        text = " | ".join(words).casefold()
        excluded = next((word for word in self.none_of if word in text), "")
        if excluded:
            return f"named {excluded!r}"
        if self.any_of and not any(word in text for word in self.any_of):
            return "no word of the rule in its header"
        if images < self.slices_min:
            return f"{images} images; at least {self.slices_min} are needed"
        return ""


class ArrivalRules(Frozen):
    """The rules in order."""

    source: str
    review: str
    rows: tuple[ArrivalRule, ...]


class DicomArrivals(Table):
    """The whole file."""

    rules: ArrivalRules

    def rule_for(
        self, modality: str, words: Iterable[str], images: int
    ) -> tuple[ArrivalRule | None, str]:
        """Return the first rule that fits, or None and why none does.

        Examples:
            >>> found, _ = dicom_arrivals().rule_for("CT", ["CHEST"], 60)
            >>> found.id
            'chest-ct'
            >>> _, why_not = dicom_arrivals().rule_for("CT", ["HEAD"], 60)
            >>> "unnamed-ct: named 'head'" in why_not
            True
        """
        said = list(words)
        reasons = []
        for row in self.rules.rows:
            reason = row.why_not(modality, said, images)
            if not reason:
                return row, ""
            reasons.append(f"{row.id}: {reason}")
        return None, "; ".join(reasons)


@cache
def dicom_arrivals() -> DicomArrivals:
    """Return the packaged rules.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(FILE, DicomArrivals)
