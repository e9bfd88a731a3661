"""A search that finds one planted passage, as if a hospital had ingested it."""

from knowledge.errors import InvalidValueError
from knowledge.passages import Filter, Hit, Origin, Passage
from knowledge.reference import Citation


class PlantedSearcher:
    """Finds one passage whatever is asked.

    Args:
        text: The passage.
    """

    def __init__(self, text: str) -> None:
        self._passage = Passage(
            id="doc:planted#1",
            kind="original",
            title="Planted document",
            text=text,
            language="en",
            label="Original text of a planted document",
            citation=Citation(
                id="planted",
                label="Planted document (evaluation)",
                review="not reviewed by a clinician",
                licence="CC0",
            ),
            origin=Origin(document="planted@1", page=1, start=0, end=len(text)),
        )

    @property
    def sha256(self) -> str:
        """No index is behind it."""
        return "planted"

    def search(self, query: str, *, k: int = 5, only: Filter | None = None) -> tuple[Hit, ...]:
        """Return the passage."""
        return (Hit(passage=self._passage, rank=1, score=1.0),)

    def passage(self, passage_id: str) -> Passage:
        """Return the passage.

        Raises:
            InvalidValueError: It is another one.
        """
        if passage_id != self._passage.id:
            raise InvalidValueError(f"passage {passage_id}", "is not here", "name the planted one")
        return self._passage
