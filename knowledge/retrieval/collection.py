"""What is searched: cards and reviewed documents, each with the words it is found by.

The same statement in two languages is one statement: its passages share a `meaning`, so that a
result is never the same sentence twice, and an English-only encoder serves the Chinese wording too.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from knowledge.errors import InvalidValueError
from knowledge.passages import Language, Passage
from knowledge.retrieval.terms import Thesaurus
from knowledge.retrieval.words import tokens
from knowledge.settings import Settings

CONCEPT = "§"
"""Before the id of a concept among the tokens: no text has such a word."""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Passages in the order of their ids.

    Args:
        passages: Every one that may be searched, sorted by id.
        terms: Further words by passage id, as its author thinks readers may ask.
    """

    passages: tuple[Passage, ...]
    terms: Mapping[str, tuple[str, ...]]

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each passage by id."""
        return {passage.id: place for place, passage in enumerate(self.passages)}

    @cached_property
    def meanings(self) -> Mapping[str, tuple[int, ...]]:
        """The places of the passages that say the same, by meaning."""
        found: dict[str, list[int]] = {}
        for place, passage in enumerate(self.passages):
            found.setdefault(meaning(passage), []).append(place)
        return {key: tuple(places) for key, places in found.items()}

    @cached_property
    def sha256(self) -> str:
        """Hash of everything that is searched or shown."""
        digest = hashlib.sha256()
        for passage in self.passages:
            digest.update(passage.model_dump_json().encode())
            digest.update("\x1f".join(("", *self.terms.get(passage.id, ()), "\n")).encode())
        return digest.hexdigest()

    def lexical_text(self, passage: Passage) -> str:
        """Return the words a passage is found by: its own, its title's, its reader's."""
        heading = passage.origin.heading if passage.origin else ()
        more = (*heading, *passage.topics, *self.terms.get(passage.id, ()))
        return "\n".join((passage.title, passage.text, passage.population, *more))

    def text_to_embed(self, place: int, languages: Sequence[Language]) -> str | None:
        """Return what an encoder that reads `languages` is given for a passage.

        That is its own wording or, where the encoder cannot read it, the same statement in a
        language that it can; None where there is none.
        """
        for other in (place, *self.meanings[meaning(self.passages[place])]):
            passage = self.passages[other]
            if passage.language in languages:
                return f"{passage.title}. {passage.text}"
        return None


def collect(
    passages: Iterable[Passage], terms: Mapping[str, tuple[str, ...]] | None = None
) -> Collection:
    """Return passages as a collection.

    Raises:
        InvalidValueError: Two passages have one id.
    """
    ordered = tuple(sorted(passages, key=lambda passage: passage.id))
    for first, second in pairwise(ordered):
        if first.id == second.id:
            raise InvalidValueError(f"passage {first.id}", "the id stands twice")
    return Collection(passages=ordered, terms=terms or {})


def guideline_collection(settings: Settings) -> Collection:
    """Return the packaged cards and the reviewed documents of this installation.

    Raises:
        ReferenceDataError: A card is not valid.
        UnavailableError: The documents cannot be read.
    """
    from knowledge.cards import card_passages, load_cards
    from knowledge.ingest.approved import document_passages

    terms = {
        card.passage_id(sentence, language): card.terms
        for card in load_cards().values()
        for sentence in card.sentences
        for language in ("en", "zh")
    }
    return collect((*card_passages(), *document_passages(settings)), terms)


def meaning(passage: Passage) -> str:
    """Return a key that passages share when they are one statement in two languages."""
    if passage.id.startswith("card:"):
        return passage.id.removesuffix(f".{passage.language}")
    return passage.id


def search_tokens(text: str, thesaurus: Thesaurus) -> list[str]:
    """Return the tokens of a passage or query: its words, then the concepts it names."""
    return [*tokens(text), *(CONCEPT + key for key in thesaurus.concepts(text))]
