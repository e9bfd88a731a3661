"""Which folders an MCP client may name: those below the roots that the operator gave."""

from collections.abc import Sequence
from pathlib import Path

from knowledge.errors import ContractError, InvalidValueError
from knowledge.plain_text import visible

_LONGEST = 1000
_SHOWN = 200


class CaseRoots:
    """The folders below which cases lie.

    Args:
        roots: Existing folders; none means that no path is accepted.

    Raises:
        InvalidValueError: One of them is not a folder.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots: list[Path] = []
        for root in roots:
            resolved = root.resolve()
            if not resolved.is_dir():
                raise InvalidValueError(
                    "--case-root", f"{visible(str(root))[:_SHOWN]} is not a folder", "name another"
                )
            self._roots.append(resolved)

    def path(self, text: str) -> Path:
        """Return a path below a root, with its links followed.

        A relative path is looked for below each root in turn. Whether something exists outside
        the roots is not told.

        Raises:
            ContractError: No such path below a root.
        """
        shown = visible(text)[:_SHOWN]
        if not self._roots:
            raise ContractError(
                shown, "no folder of cases is open", "start the server with --case-root DIR"
            )
        if text and len(text) <= _LONGEST and "\x00" not in text:
            for root in self._roots:
                found = self._below(root, text)
                if found is not None:
                    return found
        raise ContractError(
            shown, "is not below a folder of cases", "name a case below --case-root"
        )

    def _below(self, root: Path, text: str) -> Path | None:
        try:
            found = (root / text).resolve()
        except (OSError, RuntimeError):  # a loop of links, a name too long
            return None
        return found if self._contains(found) and found.exists() else None

    def _contains(self, resolved: Path) -> bool:
        return any(resolved == root or root in resolved.parents for root in self._roots)
