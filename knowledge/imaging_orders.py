"""Imaging orders as data: how one is recognised, and what speaks for or against it.

Conditions read an assessment: ``recommendation.<id>``, ``verdict.<id>``, ``risk.<score>``,
``input.<id>``. What is not known leaves an order not judged, never appropriate.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Self

from pydantic import model_validator

from knowledge.cards import load_cards
from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.pathways import Argument, Sourced, pathway
from knowledge.reference import Table, load
from knowledge.rules import Condition

_FILE = "imaging_orders"
_PATHWAY = "chest_pain"
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


class Exemption(Sourced):
    """Where "less appropriate" is not said, whatever argues against the order.

    Args:
        when: The condition.
        because: Why.
    """

    when: Condition
    because: str


class ImagingOrder(Frozen):
    """One kind of imaging order.

    Args:
        label: Name to show.
        diagnosis: The must-not-miss diagnosis it is for, by id; None for none alone.
        loinc: LOINC codes of the order.
        names: Names it goes by; compared without case and punctuation.
        codes_source, codes_review: Where the codes come from, and how sure they are.
        less: Any of these that holds makes it less appropriate.
        appropriate: Any of these that holds makes it appropriate.
        never_less: Where this holds, it is not called less appropriate.
    """

    label: str
    diagnosis: str | None = None
    loinc: tuple[str, ...] = ()
    names: tuple[str, ...]
    codes_source: str
    codes_review: str
    less: tuple[Argument, ...]
    appropriate: tuple[Argument, ...]
    never_less: Exemption | None = None


class ImagingOrderTable(Table):
    """Every kind of imaging order that is judged."""

    orders: Mapping[str, ImagingOrder]

    @model_validator(mode="after")
    def _every_name_means_one(self) -> Self:
        seen: dict[str, str] = {}
        for key, order in self.orders.items():
            for name in (*order.loinc, *map(plain_name, order.names)):
                if seen.setdefault(name, key) != key:
                    raise ValueError(f"{name!r} means {seen[name]} and {key}")
        return self

    def recognised(self, *, loinc: str | None = None, name: str | None = None) -> str | None:
        """Return the key of the order that a code or a name means, or None."""
        wanted = plain_name(name) if name else None
        for key, order in self.orders.items():
            if loinc is not None and loinc in order.loinc:
                return key
            if wanted is not None and wanted in map(plain_name, order.names):
                return key
        return None


def plain_name(name: str) -> str:
    """Return a name without case and punctuation, as names are compared.

    Examples:
        >>> plain_name("CT-Angiography, of the AORTA")
        'ct angiography of the aorta'
    """
    return _NOT_A_WORD.sub(" ", name.casefold()).strip()


@cache
def imaging_orders() -> ImagingOrderTable:
    """Return the packaged table.

    Raises:
        ReferenceDataError: A row names a card, a recommendation or a diagnosis that does not exist.
    """
    table = load(_FILE, ImagingOrderTable)
    path = pathway(_PATHWAY)
    known = {f"recommendation.{key}" for key in path.recommendations}
    known |= {f"verdict.{key}" for key in path.diagnoses}
    known |= {f"risk.{step.tool}" for step in path.steps}
    known.add("input.chest_pain")
    for key, order in table.orders.items():
        rows = (*order.less, *order.appropriate)
        conditions = [row.when for row in rows]
        conditions += [order.never_less.when] if order.never_less else []
        faults = {name for when in conditions for name in when.inputs()} - known
        faults |= {card for row in rows for card in row.cards} - set(load_cards())
        if order.diagnosis is not None and order.diagnosis not in path.diagnoses:
            faults.add(order.diagnosis)
        if faults:
            raise ReferenceDataError(
                f"{_FILE}.yaml: {key}", f"names what does not exist: {', '.join(sorted(faults))}"
            )
    return table
