"""Whether two sources are of one patient: match, mismatch, or not comparable.

Compared before anything is combined. One field that disagrees is a mismatch. A match needs an
identifier of one assigner, or a name and a birth date: a name alone, or a sex alone, identifies
nobody, so that pair is not comparable and needs an explicit statement. What agrees and proves
nothing does not count: a placeholder for a name or a birth date (``identity_words.yaml``), an
initial alone, a year or month of birth. A placeholder and a name differ, unless the number of one
assigner agrees: then the name is not compared, and that is told. Results name files and fields,
never values.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations, starmap
from typing import Literal

from pydantic import Field

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.identity_words import identity_words
from knowledge.model import Frozen
from knowledge.patient import Identity

Result = Literal["match", "mismatch", "not comparable"]

MAX_PAIRED = 64
"""Identities of which every pair is compared: more than the files of a visit that carry one."""

MAX_COMPARED = 50_000
"""Comparisons of a larger case: what is not compared is not proven, and needs a statement."""

_DAYS_OF_A_YEAR = 365.25
_MOST_YEARS_APART = 1
"""Years by which a stated age may be wrong."""
_ORDER = (Precision.YEAR, Precision.MONTH, Precision.DAY)
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
_NOT_DECOMPOSED = str.maketrans({"ø": "o", "æ": "ae", "ł": "l", "đ": "d", "ð": "d", "œ": "oe"})


class Comparison(Frozen):
    """How two sources compare.

    Args:
        files: The two files, in order of name.
        result: The verdict.
        agree, differ: The fields that agree and that disagree; empty where not stated in both.
        not_compared: Fields stated in both of which one says a placeholder.
        numbers_differ: A match although both have numbers, none alike and none of one issuer.
    """

    files: tuple[str, str]
    result: Result
    agree: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    numbers_differ: bool = Field(default=False, exclude_if=lambda found: not found)


class IdentityReport(Frozen):
    """All comparisons of a case.

    Args:
        sources: Files that carry an identity.
        comparisons: One for each pair of identities.
        without: Files that carry none.
    """

    sources: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def mismatches(self) -> tuple[Comparison, ...]:
        """The pairs that disagree."""
        return tuple(c for c in self.comparisons if c.result == "mismatch")


def compare(a: Identity, b: Identity) -> Comparison:
    """Return how two identities compare.

    Examples:
        >>> chart = Identity(source="chart", family="Müller", given=("Anna",), sex="female")
        >>> ecg = Identity(source="ecg", family="MUELLER", given=("anna",), sex="male")
        >>> compare(chart, ecg).result, compare(chart, ecg).differ
        ('mismatch', ('sex',))
    """
    fields = {
        "identifier": same_identifier(a.identifiers, b.identifiers),
        "name": same_name(a, b),
        "birth date": _birth_dates(a.birth_date, b.birth_date),
        "sex": None if a.sex is None or b.sex is None else a.sex == b.sex,
        "age": False if _age_differs(a, b) or _age_differs(b, a) else None,
    }
    one_named = names_nobody(a) != names_nobody(b)
    untold = one_named and fields["identifier"] is True and fields["name"] is False
    if untold:
        fields["name"] = None
    agree = tuple(name for name, same in fields.items() if same is True)
    differ = tuple(name for name, same in fields.items() if same is False)
    strong = "identifier" in agree or (_name_proves(a, b) and _birth_proves(a, b))
    result: Result = "mismatch" if differ else "match" if strong else "not comparable"
    first, second = sorted((a.source, b.source))
    return Comparison(
        files=(first, second),
        result=result,
        agree=agree,
        differ=differ,
        not_compared=("name",) if untold else (),
        numbers_differ=result == "match" and numbers_differ(a, b),
    )


def compare_all(identities: Sequence[Identity], *, stated: Collection[str] = ()) -> IdentityReport:
    """Return every pairwise comparison, in an order that does not depend on the input's.

    Of more than `MAX_PAIRED` identities, equal ones are compared with their first only, and the
    comparison stops at the first mismatch that nobody has settled: the case is refused by it.

    Args:
        identities: Of the files.
        stated: Files said to be of the same patient, whose mismatches are settled.
    """
    with_one = sorted(
        (i for i in identities if not i.is_empty or i.sex is not None),
        key=lambda i: (i.source, i.model_dump_json()),
    )
    if len(with_one) <= MAX_PAIRED:
        pairs = [compare(a, b) for a, b in combinations(with_one, 2)]
    else:
        pairs = list(_until_settled(_few_pairs(with_one), stated))
    return IdentityReport(
        sources=tuple(dict.fromkeys(i.source for i in with_one)),
        comparisons=tuple(sorted(set(pairs), key=lambda c: (c.files, c.result, c.differ))),
        without=tuple(sorted({i.source for i in identities if i.is_empty})),
    )


def same_identifier(a: Sequence[tuple[str, str]], b: Sequence[tuple[str, str]]) -> bool | None:
    """Return whether one assigner gave both the same number; None where no assigner is shared.

    An assigner that is not stated is not comparable with any: two hospitals number from 1.

    Examples:
        >>> same_identifier([("urn:a", "1")], [("urn:a", "2")])
        False
    """
    shared = {s for s, _ in a if s} & {s for s, _ in b if s}
    if not shared:
        return None
    return all(_values(a, system) & _values(b, system) for system in shared)


def numbers_differ(a: Identity, b: Identity) -> bool:
    """Return whether both have patient numbers, none alike and none of one issuer.

    They are then not compared: two hospitals number as they like. Whoever joins the two says so.

    Examples:
        >>> one, other = (Identity(source=n, identifiers=(("", n),)) for n in ("7081233", "OTHER"))
        >>> numbers_differ(one, other), numbers_differ(one, one)
        (True, False)
    """
    first = {value.strip().casefold() for _, value in a.identifiers}
    second = {value.strip().casefold() for _, value in b.identifiers}
    if not first or not second or first & second:
        return False
    return same_identifier(a.identifiers, b.identifiers) is None


def _few_pairs(identities: Sequence[Identity]) -> Iterator[Comparison]:
    """Yield the pairs of different identities, and each other one with the first equal to it."""
    first: dict[str, Identity] = {}
    equal: list[tuple[Identity, Identity]] = []
    for identity in identities:
        said = identity.model_copy(update={"source": "", "birth_date": None}).model_dump_json()
        born = identity.birth_date
        key = f"{said}|{None if born is None else (born.at, born.precision)}"
        if key in first:
            equal.append((first[key], identity))
        else:
            first[key] = identity
    yield from starmap(compare, combinations(first.values(), 2))
    yield from starmap(compare, equal)


def _until_settled(pairs: Iterable[Comparison], stated: Collection[str]) -> Iterator[Comparison]:
    for number, pair in enumerate(pairs):
        yield pair
        open_mismatch = pair.result == "mismatch" and not any(f in stated for f in pair.files)
        if open_mismatch or number >= MAX_COMPARED:
            return


def _values(identifiers: Sequence[tuple[str, str]], system: str) -> set[str]:
    return {value.strip().casefold() for s, value in identifiers if s == system}


def same_name(a: Identity, b: Identity) -> bool | None:
    """Return whether the parts of one name are among the parts of the other, in any order."""
    first, second = _parts(a), _parts(b)
    if not first or not second or _scripts(first).isdisjoint(_scripts(second)):
        return None
    short, long = sorted((first, second), key=len)
    free = list(long)
    for part in sorted(short, key=lambda p: -len(p[0])):
        found = next((other for other in free if _same_part(part, other)), None)
        if found is None:
            return False
        free.remove(found)
    return True


def names_nobody(identity: Identity) -> bool:
    """Return whether a name is there and is a placeholder as a whole, which no patient has.

    Examples:
        >>> said = ("UNKNOWN, UNKNOWN", "XX-MALE", "Unbekannt", "无名氏", "John Doe", "Male, Anna")
        >>> [names_nobody(Identity(source="adt", family=name)) for name in said]
        [True, True, True, True, True, False]
    """
    said, table = _words_of(identity), identity_words()
    if frozenset(said) in table.nobodies:
        return True
    placeholders = {word.casefold() for word in table.placeholders.words}
    unsaid = [w in table.nobody or w.isdigit() or (_is_initial(w) and len(w) > 1) for w in said]
    return bool(placeholders & set(said)) and all(unsaid)


def names_another(display: str, known: Iterable[Identity]) -> bool:
    """Return whether a name shown beside a reference is certainly not one of the patient's.

    Titles, numbers and words such as "patient" name nobody.

    Examples:
        >>> known = [Identity(source="chart", family="Muster", given=("Clara",))]
        >>> names_another("Max Mustermann", known), names_another("Ms. Clara Muster", known)
        (True, False)
    """
    words = re.findall(r"[^\W_]+", display)
    nobody = identity_words().nobody
    kept = [w for w in words if w.casefold() not in nobody and not w.isdigit()]
    one = Identity(source="", family=" ".join(kept))
    verdicts = [same_name(one, other) for other in known]
    return False in verdicts and True not in verdicts


def _name_proves(a: Identity, b: Identity) -> bool:
    """Return whether two names agree in a part that can be one person's own."""
    if same_name(a, b) is not True:
        return False
    ours = [{s for part in _own_parts(one) for s in part} for one in (a, b)]
    return bool(ours[0] & ours[1])


def _own_parts(identity: Identity) -> list[tuple[str, ...]]:
    """Return the parts of a name without titles, placeholders and initials."""
    said, table = _words_of(identity), identity_words()
    if frozenset(said) in table.nobodies:
        return []
    kept = [w for w in said if w not in table.nobody and not w.isdigit() and not _is_initial(w)]
    return [_spellings(word) for word in kept]


def _is_initial(word: str) -> bool:
    """Return whether a word is one letter, or one repeated; one character of Chinese is a name."""
    letters = ("LATIN", "GREEK", "CYRILLIC")
    return len(set(word)) == 1 and unicodedata.name(word[0], "").startswith(letters)


def _birth_proves(a: Identity, b: Identity) -> bool:
    """Return whether two birth dates agree to the day, and can be a patient's."""
    one, other = a.birth_date, b.birth_date
    if one is None or other is None or not _birth_dates(one, other):
        return False
    to_the_day = all(_fineness(time) == len(_ORDER) - 1 for time in (one, other))
    return to_the_day and identity_words().says_birth(one.at.date())


def _parts(identity: Identity) -> list[tuple[str, ...]]:
    """Return each part of a name in its spellings without case and diacritics."""
    return [_spellings(word) for word in _words_of(identity)]


def _words_of(identity: Identity) -> list[str]:
    said = " ".join(p for p in (identity.family, *identity.given) if p).casefold()
    return re.findall(r"[^\W_]+", said)


def _spellings(word: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((_plain(word), _plain(word.translate(_GERMAN)))))


def _plain(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.translate(_NOT_DECOMPOSED))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _same_part(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    if set(a) & set(b):
        return True
    initial, other = (a, b) if len(a[0]) == 1 else (b, a)
    return len(initial[0]) == 1 and any(o.startswith(initial[0]) for o in other)


def _scripts(parts: list[tuple[str, ...]]) -> set[str]:
    """Return ``latin`` and the first word of the Unicode name of every other script."""
    return {unicodedata.name(part[0][0], "?").split()[0].split("-")[0] for part in parts}


def _birth_dates(a: ClinicalTime | None, b: ClinicalTime | None) -> bool | None:
    """Return whether two dates agree as finely as both were stated."""
    if a is None or b is None:
        return None
    length = 1 + min(_fineness(a), _fineness(b))
    return _ymd(a)[:length] == _ymd(b)[:length]


def _age_differs(aged: Identity, born: Identity) -> bool:
    """Return whether an age on a day is not that of somebody born then; alike proves nothing."""
    if aged.age_years is None or aged.age_on is None or born.birth_date is None:
        return False
    if not identity_words().says_birth(born.birth_date.at.date()):
        return False
    years = (aged.age_on.at.date() - born.birth_date.at.date()).days / _DAYS_OF_A_YEAR
    # Whole years are rounded down, and a birth date may be a year alone.
    return not -1 <= years - aged.age_years <= 1 + _MOST_YEARS_APART


def _fineness(time: ClinicalTime) -> int:
    return _ORDER.index(time.precision) if time.precision in _ORDER else len(_ORDER) - 1


def _ymd(time: ClinicalTime) -> tuple[int, int, int]:
    return time.at.year, time.at.month, time.at.day
