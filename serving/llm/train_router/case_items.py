"""Items of invented cases for training: labels of the cards, ids as a case numbers them."""

import random
from collections.abc import Iterable, Sequence
from functools import cache

from agent.router_planner.evidence import RouterItem, matches, reads
from knowledge.clinical_inputs import catalogue
from tools.toolbox import discover

_VITALS = (
    "heart rate", "blood pressure", "respiratory rate", "spo2", "oxygen saturation", "fio2",
    "body temperature", "body weight", "body height", "mean arterial",
)  # fmt: skip
_KINDS = {
    "ecg-": ("12-lead ECG", "12-lead ECG", "3-lead ECG"),
    "film-": ("chest film",),
    "ct-": ("CT series", "chest CT"),
    "nodule-": ("measured nodule",),
    "slide-": ("slide",),
    "field-": ("stained field",),
    "region-": ("tumour region",),
    "reading-": ("structured reading",),
    "counts-": ("counts of tumour cells",),
}
_PARTS = {
    "*troponin": ("Troponin T", "Troponin I", "High-sensitivity troponin T",
                  "High-sensitivity troponin I"),
    "*ck-mb": ("CK-MB", "CK-MB mass"),
    "*bnp": ("BNP", "NT-proBNP"),
    "*d-dimer": ("D-dimer", "D-dimer (FEU)"),
}  # fmt: skip
_TROPONIN = "*troponin"
_NOTES = ("Triage", "Nursing note", "Ward round", "Referral", "Ambulance sheet")
_MASKS = ("mask of the coronaries", "mask of the aorta")
_SERIES = ("*troponin", "*ck-mb", "lactate", "procalcitonin")
"""Of these a case often has several samples."""


class CaseItems:
    """Puts together the items of one case.

    Args:
        chance: Source of every choice.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._labels: list[tuple[str, str]] = []

    def add_for(self, tool: str, *, without: Iterable[str] = ()) -> None:
        """Add what a tool reads, all it must have, some of what it may have.

        Args:
            tool: Its name.
            without: Words of `Reads.must` that are left out.
        """
        found = reads(tool)
        left_out = set(without)
        for word in found.must:
            if word not in left_out:
                self.add(word, count=self._how_many(word, found.least))
        if found.any_of and not left_out:
            most = min(len(found.may), 7)
            for word in self._chance.sample(found.may, self._chance.randint(min(2, most), most)):
                self.add(word)
        elif not left_out:
            for word in found.may:
                if self._chance.random() < 0.5:
                    self.add(word)

    def add(self, word: str, *, count: int = 1) -> None:
        """Add items that a word of `Reads` matches; a label that is there is not doubled."""
        label = self._label(word)
        prefix = word if word.endswith("-") else kind_of(label)
        if count == 1 and (prefix, label) in self._labels:
            return
        self._labels += [(prefix, label)] * count

    def again(self, prefix: str, *, times: int) -> None:
        """Add further items under the label that the first of a kind has."""
        label = next(label for found, label in self._labels if found == prefix)
        self._labels += [(prefix, label)] * times

    def add_others(self, count: int, *, not_for: Iterable[str]) -> None:
        """Add items that none of some tools reads."""
        tools = tuple(not_for)
        tries = 0
        while count > 0 and tries < 60:
            tries += 1
            prefix, label = self._any()
            probe = RouterItem(id=f"{prefix}1", label=label)
            if any(matches(word, probe) for tool in tools for word in reads(tool).words):
                continue
            if (prefix, label) not in self._labels:
                self._labels.append((prefix, label))
                count -= 1

    def items(self) -> tuple[RouterItem, ...]:
        """Return the items with their ids, mostly numbered from 1, at times with gaps."""
        labels = list(self._labels)
        self._chance.shuffle(labels)
        if self._chance.random() < 0.4:
            labels.sort(key=lambda pair: ("ecg-", "lab-", "vital-", "fact-").index(pair[0])
                        if pair[0] in ("ecg-", "lab-", "vital-", "fact-") else 9)  # fmt: skip
        gaps = self._chance.random() < 0.35
        number: dict[str, int] = {}
        made: list[RouterItem] = []
        for prefix, label in labels:
            step = self._chance.randint(1, 12) if gaps and prefix != "ecg-" else 1
            number[prefix] = number.get(prefix, 0) + step
            made.append(RouterItem(id=f"{prefix}{number[prefix]}", label=label))
        return tuple(made)

    def _label(self, word: str) -> str:
        if _TROPONIN[1:] in word.casefold():
            return self._chance.choice(_PARTS[_TROPONIN])
        if word in _KINDS:
            return self._chance.choice(_KINDS[word])
        if word.startswith("*"):
            return self._chance.choice(_PARTS[word.casefold()])
        return word

    def _how_many(self, word: str, least: int) -> int:
        if least > 1:
            return least
        if word.casefold() in _SERIES:
            return self._chance.choice((1, 2, 2, 2, 3))
        return 1

    def _any(self) -> tuple[str, str]:
        drawn = self._chance.random()
        if drawn < 0.12:
            return "ecg-", "12-lead ECG"
        if drawn < 0.2:
            return "note-", self._chance.choice(_NOTES)
        if drawn < 0.3:
            word = self._chance.choice(tuple(_KINDS))
            return word, self._chance.choice(_KINDS[word])
        if drawn < 0.33:
            return "mask-", self._chance.choice(_MASKS)
        label = self._chance.choice(every_label())
        return kind_of(label), label


@cache
def every_label() -> tuple[str, ...]:
    """Return every label that a card names, and the results that tools of series read."""
    labels = {
        word
        for tool in discover()
        for word in reads(tool).words
        if not word.endswith("-") and not word.startswith("*") and not word.startswith("mask")
    }
    return tuple(sorted(labels | {label for row in _PARTS.values() for label in row}))


@cache
def kind_of(label: str) -> str:
    """Return the prefix of the ids of items with this label."""
    small = label.casefold()
    if small.startswith("mask of"):
        return "mask-"
    if small.startswith(("counts of", "shares of")):
        return "counts-"
    if any(word in small for word in _VITALS):
        return "vital-"
    for entry in catalogue().every.values():
        if entry.label == label:
            return "lab-" if entry.analyte else "fact-"
    plain = ("Age", "Sex", "QT interval", "Duration", "Barometric pressure")
    return "fact-" if label in plain or label.startswith("Dialysis") else "lab-"


def numbered(items: Sequence[RouterItem], prefix: str) -> tuple[RouterItem, ...]:
    """Return the items whose ids have a prefix, in the order of their numbers."""
    found = [item for item in items if item.id.startswith(prefix)]
    return tuple(sorted(found, key=lambda item: int(item.id.rpartition("-")[2])))
