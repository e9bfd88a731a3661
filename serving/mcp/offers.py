"""Everything that this installation offers to an MCP client."""

from collections.abc import Hashable, Sequence
from pathlib import Path

from knowledge.ingest.collection import folder
from knowledge.ingest.store import FILE
from knowledge.passages import Searcher
from knowledge.retrieval.build import current
from knowledge.retrieval.opening import index_folder, open_searcher
from knowledge.settings import Settings
from serving.commands.assess import utc_now
from serving.mcp.case_offers import assess_offer
from serving.mcp.case_root import CaseRoots
from serving.mcp.knowledge_offers import Reopened, knowledge_offers
from serving.mcp.offer import Offer
from serving.mcp.toolbox_offers import toolbox_offers


def all_offers(settings: Settings, *, case_roots: Sequence[Path]) -> tuple[Offer, ...]:
    """Return the assessment, the guideline search and every tool.

    Args:
        settings: Limits, switches, and where the knowledge is.
        case_roots: Folders below which cases may be read.

    Raises:
        InvalidValueError: A root is not a folder.
    """
    roots = CaseRoots(case_roots)

    def open_now() -> Searcher:
        return open_searcher(settings)

    def state() -> Hashable:
        return current(index_folder(settings)), _stamp(folder(settings) / FILE)

    return (
        assess_offer(roots, settings, utc_now),
        *knowledge_offers(Reopened(open_now, state)),
        *toolbox_offers(roots, settings, utc_now),
    )


def _stamp(file: Path) -> Hashable:
    """Return what changes when a file does; None where there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
