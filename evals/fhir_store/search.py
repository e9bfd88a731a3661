"""The FHIR R4 search parameters that the store knows; any other is refused, never ignored.

Dates follow FHIR R4 search (3.1.1.4.7): a value stands for its whole span, with the prefixes eq,
ge, gt, le, lt; a parameter given twice must hold twice.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Resource = Mapping[str, Any]
Match = Callable[[Resource, str], bool]

_DATE = re.compile(r"(?P<prefix>eq|ge|gt|le|lt)?(?P<day>\d{4}(?:-\d\d(?:-\d\d)?)?)(?P<time>T.+)?\Z")


class SearchError(ValueError):
    """The search cannot be made; the message is for the caller."""


def matches(resource: Resource, parameters: Sequence[tuple[str, str]]) -> bool:
    """Return whether a resource meets every parameter.

    Raises:
        SearchError: A parameter is unknown for this kind, or its value has no meaning.
    """
    known = PARAMETERS[resource["resourceType"]]
    return all(known[name](resource, value) for name, value in parameters)


def check(kind: str, parameters: Sequence[tuple[str, str]]) -> None:
    """Refuse unknown parameters and values without meaning.

    Raises:
        SearchError: There is one.
    """
    known = PARAMETERS.get(kind)
    if known is None:
        raise SearchError(f"{kind} cannot be searched")
    for name, value in parameters:
        if name not in known:
            raise SearchError(f"unknown search parameter {name!r} for {kind}: {sorted(known)}")
        if not value.strip():
            raise SearchError(f"search parameter {name!r} is empty")
        if name in ("date", "birthdate"):
            span(value)


def when(resource: Resource) -> str:
    """Return the date a resource is searched and sorted by; empty where it has none."""
    for name in ("effectiveDateTime", "authoredOn", "performedDateTime", "recordedDate"):
        if name in resource:
            return str(resource[name])
    return ""


def span(value: str) -> tuple[str, datetime, datetime]:
    """Return prefix, beginning and end of a date of FHIR search.

    Raises:
        SearchError: It is none.
    """
    found = _DATE.match(value.replace(" ", "+"))
    if found is None:
        raise SearchError(f"{value!r} is no date of FHIR search")
    prefix = found["prefix"] or "eq"
    try:
        if found["time"]:
            moment = _aware(datetime.fromisoformat(found["day"] + found["time"]))
            return prefix, moment, moment + timedelta(seconds=1)
        parts = [int(part) for part in found["day"].split("-")]
        year, month, day = [*parts, 1, 1][:3]
        begin = datetime(year, month, day, tzinfo=UTC)
    except ValueError as error:
        raise SearchError(f"{value!r} is no date of FHIR search") from error
    return prefix, begin, _end(begin, len(parts))


def _end(begin: datetime, parts: int) -> datetime:
    if parts == 3:
        return begin + timedelta(days=1)
    if parts == 2:
        return (begin + timedelta(days=32)).replace(day=1)
    return begin.replace(year=begin.year + 1)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _on(text: str, wanted: str) -> bool:
    if not text:
        return False
    prefix, begin, end = span(wanted)
    _, first, last = span(text)
    match prefix:
        case "ge":
            return last > begin
        case "gt":
            return first >= end
        case "le":
            return first < end
        case "lt":
            return first < begin
        case _:
            return begin <= first and last <= end


def _date(resource: Resource, value: str) -> bool:
    return _on(when(resource), value)


def _birthdate(resource: Resource, value: str) -> bool:
    return _on(resource.get("birthDate", ""), value)


def _patient(resource: Resource, value: str) -> bool:
    return bool(resource["subject"]["reference"] == f"Patient/{value.removeprefix('Patient/')}")


def _codings(concept: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for coding in concept.get("coding", ()):
        yield coding.get("system", ""), coding.get("code", "")
    if "text" in concept:
        yield "", concept["text"]


def _token(concepts: Sequence[Mapping[str, Any]], value: str) -> bool:
    """Match ``code``, ``system|code`` or several of them with commas."""
    for wanted in value.split(","):
        system, bar, code = wanted.rpartition("|")
        for concept in concepts:
            for its_system, its_code in _codings(concept):
                if its_code == code and (not bar or its_system == system):
                    return True
    return False


def _code(resource: Resource, value: str) -> bool:
    return _token([resource.get("code", {})], value)


def _category(resource: Resource, value: str) -> bool:
    return _token(resource.get("category", ()), value)


def _identifier(resource: Resource, value: str) -> bool:
    return any(
        value in (one["value"], f"{one.get('system', '')}|{one['value']}")
        for one in resource.get("identifier", ())
    )


def _id(resource: Resource, value: str) -> bool:
    return bool(resource["id"] == value)


def _begins(part: str) -> Match:
    def match(resource: Resource, value: str) -> bool:
        """Strings match at their beginning, in any case (FHIR R4 search, string)."""
        return any(
            piece.casefold().startswith(value.casefold())
            for name in resource.get("name", ())
            for piece in _pieces(name, part)
        )

    return match


def _pieces(name: Mapping[str, Any], part: str) -> list[str]:
    if part == "given":
        return [*name.get("given", ()), " ".join(name.get("given", ()))]
    if part == "family":
        return [name.get("family", "")]
    given = name.get("given", [])
    return [*given, name.get("family", ""), " ".join([*given, name.get("family", "")])]


def _address(part: str) -> Match:
    def match(resource: Resource, value: str) -> bool:
        return any(
            str(text).casefold().startswith(value.casefold())
            for one in resource.get("address", ())
            for text in (one.get("line", ()) if part == "line" else [one.get(part, "")])
            if text
        )

    return match


def _telecom(resource: Resource, value: str) -> bool:
    return any(one.get("value") == value for one in resource.get("telecom", ()))


def _gender(resource: Resource, value: str) -> bool:
    return bool(resource.get("gender") == value.casefold())


_CHART: Mapping[str, Match] = {"_id": _id, "patient": _patient, "subject": _patient}
PARAMETERS: Mapping[str, Mapping[str, Match]] = {
    "Patient": {
        "_id": _id,
        "identifier": _identifier,
        "name": _begins("name"),
        "family": _begins("family"),
        "given": _begins("given"),
        "birthdate": _birthdate,
        "gender": _gender,
        "legal-sex": _gender,
        "telecom": _telecom,
        "address": _address("line"),
        "address-city": _address("city"),
        "address-state": _address("state"),
        "address-postalcode": _address("postalCode"),
    },
    "Observation": {**_CHART, "code": _code, "category": _category, "date": _date},
    "Condition": {**_CHART, "code": _code, "category": _category},
    "MedicationRequest": {**_CHART, "category": _category, "date": _date},
    "Procedure": {**_CHART, "code": _code, "date": _date},
    "ServiceRequest": {**_CHART, "code": _code},
}
"""Search parameters by kind of resource."""
