"""Which results a withdrawal or correction means, where its names are not quite theirs.

Senders leave out the sub-id, name a test by its other code, cancel a whole order, or give a
correction a number of its own. Where one result alone fits, it is that one. Where several may be
meant, none of them is used: a result that may have been taken back is never shown as one that
stands.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from tools.intake.hl7v2.item import Item
from tools.intake.hl7v2.status import Role
from tools.intake.identity import same_identifier

Placed = tuple[str, Item]
"""File and item."""

_TOLD = {
    Role.WITHDRAWAL: "takes back a result that its codes and numbers do not name for certain: "
    "{} that it may mean, and nothing of that is used",
    Role.CORRECTION: "corrects a result that its codes and numbers do not name for certain: "
    "{} that it may mean, and neither that nor the correction is used",
}
_NOT_HERE = "takes back a result that is in no file here"
_IN_ERROR = "entered-in-error"


def settle(items: list[Placed], number: Callable[[Item], str]) -> dict[int, str]:
    """Give withdrawals and corrections the key of what they mean, and mark what they may mean.

    Results and reports that a cancelled order takes back get a version of their own, added to
    `items`.

    Args:
        items: Of a case, sorted; added to.
        number: Returns the number of the order of an item; empty where there is none.

    Returns:
        What is to be told, by ``id()`` of the item.
    """
    told: dict[int, str] = {}
    results = [p for p in items if _is_result(p[1])]
    for placed in [p for p in items if p[1].role in _TOLD]:
        others = [p for p in results if _is_elsewhere(p, placed)]
        if placed[1].kind == "DiagnosticReport":
            items += _cancelled(placed, others, number, told) + _reports(placed, items, number)
        elif placed[1].kind == "Observation":
            _one(placed, others, number, told)
    return told


def doubted_by(source: Placed, results: Iterable[Placed]) -> None:
    """Mark results as open because of a withdrawal or correction."""
    file, item = source
    what = "correction" if item.role is Role.CORRECTION else "withdrawal"
    for _, result in results:
        result.conflicting = True
        result.doubt = f"a {what} may mean this result ({file}, {item.where})"


def too_early(versions: Sequence[Placed]) -> Placed | None:
    """Return a withdrawal that every version with a result is later than; None for none.

    What was not reported yet cannot be taken back: clocks or numbers are not what they seem.
    """
    stamps = [item.stamp for _, item in versions if _is_result(item)]
    for placed in versions:
        item = placed[1]
        if item.role is not Role.WITHDRAWAL or item.resource.get("status") != _IN_ERROR:
            continue
        if stamps and all(_is_later(stamp, item.stamp) for stamp in stamps):
            return placed
    return None


def _one(
    placed: Placed, others: Sequence[Placed], number: Callable[[Item], str], told: dict[int, str]
) -> None:
    item = placed[1]
    if any(_same_key(item, other, number) for _, other in others):
        return
    near = [p for p in others if _is_near(item, p[1], number)]
    if near and len({_key(p[1], number) for p in near}) == 1:
        item.key = near[0][1].key
        item.filler, item.placer = near[0][1].filler, near[0][1].placer
        return
    meant = near or _narrowed(item, [p for p in others if _may_mean(item, p[1], number)])
    if meant:
        doubted_by(placed, meant)
        if item.role is Role.CORRECTION:
            doubted_by(placed, [placed])
        told[id(item)] = _TOLD[item.role].format(_counted(meant))
    elif item.resource.get("status") == _IN_ERROR:
        told[id(item)] = _NOT_HERE


def _cancelled(
    placed: Placed, others: Sequence[Placed], number: Callable[[Item], str], told: dict[int, str]
) -> list[Placed]:
    """Return the withdrawals of the results of a cancelled order."""
    file, report = placed
    own = number(report)
    of_order = [p for p in others if own and number(p[1]) == own]
    sure = [p for p in of_order if _share(report.service, p[1].service)]
    meant = of_order or [p for p in others if _may_be_of(report, p[1])]
    if not sure:
        if meant:
            doubted_by(placed, meant)
            told[id(report)] = _TOLD[Role.WITHDRAWAL].format(_counted(meant))
        return []
    found = {(_key(p[1], number), p[1].time): p[1] for p in sure}
    return [(file, _withdrawal(report, result)) for result in found.values()]


def _reports(
    placed: Placed, items: Sequence[Placed], number: Callable[[Item], str]
) -> list[Placed]:
    """Return the reports that an order takes back which is cancelled by its number alone."""
    file, report = placed
    if report.key is None or report.key.code:
        return []
    keys = {
        one.key: None
        for other, one in items
        if one.kind == report.kind
        and one.role is not Role.WITHDRAWAL
        and one.key is not None
        and one.key.code
        and number(one) == number(report)
        and _is_elsewhere((other, one), placed)
    }
    return [(file, replace(report, key=key, members=[], rank=None)) for key in keys]


def _withdrawal(report: Item, result: Item) -> Item:
    kept = {k: v for k, v in result.resource.items() if k in ("code", "effectiveDateTime")}
    return replace(
        report,
        resource={"resourceType": "Observation", **kept, "status": "cancelled"},
        key=result.key,
        time=result.time,
        codes=result.codes,
        sub=result.sub,
        filler=result.filler,
        placer=result.placer,
        members=[],
        rank=None,
    )


def _is_result(item: Item) -> bool:
    return item.kind == "Observation" and item.role in (Role.PLAIN, Role.CORRECTION)


def _is_elsewhere(result: Placed, placed: Placed) -> bool:
    """Return whether a result stands in another message, and may be of the same patient."""
    (file, one), (own, item) = result, placed
    if (file, one.number) == (own, item.number):
        return False
    return same_identifier(one.whose, item.whose) is not False


def _key(item: Item, number: Callable[[Item], str]) -> tuple[str, str]:
    return number(item), "" if item.key is None else item.key.code


def _same_key(item: Item, other: Item, number: Callable[[Item], str]) -> bool:
    if item.key is None or other.key is None:
        return False
    if number(item) or number(other):
        return _key(item, number) == _key(other, number)
    return item.key == other.key


def _is_near(item: Item, other: Item, number: Callable[[Item], str]) -> bool:
    """Return whether a result of the same order has one of the codes, and no other sub-id."""
    own = number(item)
    if not own or own != number(other) or not _share(item.codes, other.codes):
        return False
    return item.sub == other.sub or not item.sub or not other.sub


def _may_mean(item: Item, other: Item, number: Callable[[Item], str]) -> bool:
    if not item.codes & other.codes and (item.codes or not number(item)):
        return False
    if item.time is not None and item.time == other.time:
        return item.resource.get("status") != "cancelled" or _numbers_fit(item, other)
    if item.role is Role.CORRECTION and None not in (item.time, other.time):
        return _bare(item) & _bare(other) != set()
    return _numbers_fit(item, other)


def _may_be_of(report: Item, result: Item) -> bool:
    """Return whether a result may be of an order whose number is not its own's."""
    if _bare(report) & _bare(result):
        return True
    if _bare(report) and _bare(result):
        return False
    times = (report.resource.get("effectiveDateTime"), result.time)
    return bool(report.service & result.service) and (None in times or times[0] == times[1])


def _numbers_fit(item: Item, other: Item) -> bool:
    """Return whether two have an order number in common, whoever gave it, or one has none."""
    mine, theirs = _bare(item), _bare(other)
    return bool(mine & theirs) or not mine or not theirs


def _bare(item: Item) -> set[str]:
    return {n.partition("|")[2].upper() for n in (item.filler, item.placer) if n}


def _narrowed(item: Item, meant: list[Placed]) -> list[Placed]:
    """Return those of the stated collection time, where there are any."""
    same = [p for p in meant if item.time is not None and p[1].time == item.time]
    return same or meant


def _share(some: frozenset[str], others: frozenset[str]) -> bool:
    return not some or not others or bool(some & others)


def _counted(meant: Sequence[Placed]) -> str:
    return "there is 1 result" if len(meant) == 1 else f"there are {len(meant)} results"


def _is_later(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return False
    try:
        a, b = datetime.fromisoformat(one), datetime.fromisoformat(other)
    except ValueError:
        return False
    return (a.tzinfo is None) == (b.tzinfo is None) and a > b
