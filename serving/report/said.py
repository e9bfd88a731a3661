"""The statements of a report as its signer left them, for the templates of every form."""

from dataclasses import dataclass

from agent.assessment import DifferentialEntry, Narrative, Recommended, Sentence
from knowledge.risk import Risk
from serving.fhir_out.state import ReportState
from serving.signing.model import Kind
from serving.signing.statements import entry_words, risk_words


@dataclass(frozen=True)
class Said:
    """What a template shows of each statement.

    Args:
        state: What the signer decided; of a draft, nothing.
    """

    state: ReportState

    @property
    def is_draft(self) -> bool:
        """Whether nobody signed this version."""
        return self.state.status == "preliminary"

    def headline(self, narrative: Narrative) -> str:
        """Return the headline with the signer's decision on it."""
        return self.state.marked(narrative.headline, "headline")

    def sentence(self, sentence: Sentence) -> str:
        """Return a sentence of the summary with the signer's decision on it."""
        return self.state.marked(sentence.text, "sentence")

    def recommendation(self, row: Recommended) -> str:
        """Return a recommendation with the signer's decision on it."""
        return self.state.marked(row.text, "recommendation")

    def risk(self, risk: Risk) -> str:
        """Return a result with the signer's decision on it; empty where it was left as it is."""
        return self._changed(risk_words(risk), "risk")

    def entry(self, entry: DifferentialEntry) -> str:
        """Return a diagnosis with the decision on it; empty where it was left as it is."""
        return self._changed(entry_words(entry), "differential")

    def _changed(self, statement: str, kind: Kind) -> str:
        decided = self.state.about(statement, kind)
        if decided is None or (decided.decision == "accepted" and not decided.beside):
            return ""
        return self.state.marked(statement, kind)

    def replaced(self, risk: Risk) -> bool:
        """Return whether the signer rejected a result, or put their own words in its place."""
        decided = self.state.about(risk_words(risk), "risk")
        return decided is not None and decided.decision != "accepted"
