"""What is asked of a FHIR server for one patient: resource types, parameters, includes."""

from urllib.parse import quote, urlencode

from knowledge.model import Frozen

PAGE = 100
"""Resources asked for at once: the most that common servers give without cutting it down."""


class Wanted(Frozen):
    """One search.

    Args:
        type: Resource type.
        order: ``_sort``, where a cut-off must leave the newest.
        include: ``_include``, as ``Source:parameter``.
        included: Types that may come with it.
        optional: Whether a server may have none of it for anybody. Without the others nothing can
            be said of a patient: a server that answers "not there" to them has failed.
    """

    type: str
    order: str = ""
    include: str = ""
    included: frozenset[str] = frozenset()
    optional: bool = False

    def path(self, patient: str) -> str:
        """Return the search for one patient, relative to the base address."""
        query = [("patient", f"Patient/{patient}"), ("_count", str(PAGE))]
        if self.order:
            query.append(("_sort", self.order))
        if self.include:
            query.append(("_include", self.include))
        return f"{self.type}?{urlencode(query, safe='/:', quote_via=quote)}"


_MEDICATION = frozenset({"Medication"})

SEARCHES: tuple[Wanted, ...] = (
    Wanted(type="Encounter", order="-date"),
    Wanted(type="Observation", order="-date"),
    Wanted(type="Condition"),
    Wanted(type="MedicationRequest", include="MedicationRequest:medication", included=_MEDICATION),
    Wanted(
        type="MedicationStatement",
        include="MedicationStatement:medication",
        included=_MEDICATION,
        optional=True,
    ),
    Wanted(
        type="MedicationAdministration",
        include="MedicationAdministration:medication",
        included=_MEDICATION,
        optional=True,
    ),
    Wanted(type="AllergyIntolerance", optional=True),
    Wanted(type="Procedure"),
    Wanted(type="DiagnosticReport", order="-date"),
    Wanted(type="ImagingStudy", optional=True),
    Wanted(type="DocumentReference", optional=True),
)
"""In the order in which they are asked for; ``$everything`` is not: many servers lack it."""
