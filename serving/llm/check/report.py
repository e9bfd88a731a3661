"""The capability table of one server, and what it means for this product."""

from typing import Literal

from pydantic import NonNegativeFloat

from knowledge.model import Frozen
from serving.llm.check.product import FUNCTIONS
from serving.llm.check.row import Row, Verdict

USABLE, NOT_AVAILABLE, PLAINER = 0, 5, 6


class CheckReport(Frozen):
    """What was found out about one server.

    Args:
        host: Host and port.
        server: Kind and version; empty where they do not show.
        model: Name in requests; empty where none was chosen.
        context_tokens: As stated.
        profile: Id of the profile that was compared with; None where there is none.
        rows: One for each check, in order.
        functions: Whether each function of the product works with it.
        usable: ``yes``; ``plainer``: some of it; ``no``.
        reasons: Why it is not ``yes``: titles of the rows that stand against it.
        exit_code: Of the command.
        seconds: Of the whole check.
    """

    host: str
    server: str
    model: str
    context_tokens: int | None
    profile: str | None
    rows: tuple[Row, ...]
    functions: dict[str, Verdict]
    usable: Literal["yes", "plainer", "no"]
    reasons: tuple[str, ...]
    exit_code: int
    seconds: NonNegativeFloat

    @property
    def by_id(self) -> dict[str, Row]:
        """The rows by id."""
        return {row.id: row for row in self.rows}


def judged(
    rows: tuple[Row, ...], gone: str = ""
) -> tuple[Literal["yes", "plainer", "no"], tuple[str, ...], int, dict[str, Verdict]]:
    """Return usability, the reasons against it, the exit code, and the functions that work.

    Without a row that must be there nothing is usable. A function works only if it was seen to
    work; another row of the product stands against it only with a clear no. A server that died
    within the checks is not usable, whatever it did before.

    Args:
        rows: Of every check.
        gone: Since when the server no longer answers; empty where it does.
    """
    by_id = {row.id: row for row in rows}
    functions = {name: by_id[name].verdict for name in FUNCTIONS}
    missing = [row for row in rows if row.need == "must" and row.verdict == "no"]
    if missing or by_id["plain"].verdict != "yes":
        reasons = tuple(f"{row.title}: {row.evidence}" for row in missing)
        return "no", reasons or ("no completion came back",), NOT_AVAILABLE, functions
    against = tuple(
        f"{row.title}: {row.evidence}"
        for row in rows
        if row.need == "product"
        and (row.verdict == "no" or (row.id in FUNCTIONS and row.verdict != "yes"))
    )
    if gone or "yes" not in functions.values():
        return "no", (gone, *against) if gone else against, NOT_AVAILABLE, functions
    if against:
        return "plainer", against, PLAINER, functions
    return "yes", (), USABLE, functions
