"""What a signer's own words state that nothing which the statement rests on holds.

A signer may say anything; a number, a time, a grade or a "not" that no result behind the statement
holds is pointed out before signing, and kept as the signer's.
"""

import re
from collections.abc import Iterator
from functools import cache

from agent.assessment import Assessment
from agent.fact_sheet.wording import measured_text
from agent.narrative import score_sentence
from agent.verify.tokens import Token, tokens
from knowledge.evidence import ReferenceEvidence, ToolEvidence
from knowledge.finding import Finding
from knowledge.passages import Language
from knowledge.plain_text import has_chinese
from knowledge.risk import Risk
from knowledge.verifier_terms import STATES, verifier_terms
from serving.signing.model import Statement
from serving.signing.related import risk_of

_DIGIT = re.compile(r"\d")
_CLASSES = ("polarity", "certainty")
"""Words of the verifier's vocabulary that turn or grade a statement."""

_COMPARING = ("=below", "=above", "=at most", "=at least", "=rule in", "=rule out")
_OPEN = frozenset({"~not_determined", "~not_assessed"})
_CONCLUDING = ("ruled", "rules", "excluded", "excludes", "exclude", "diagnosed")
"""Words that settle a question, beside those of the verifier's vocabulary."""


def unverified(text: str, statement: Statement, assessment: Assessment) -> tuple[str, ...]:
    """Return what of a signer's words no result behind a statement holds, as it was written.

    A number without a unit is held by the same number in the statement; with a unit, by the same
    number and unit of any result it rests on.

    Args:
        text: The signer's words.
        statement: The one they take the place of.
        assessment: The version.
    """
    keys = {token.key for words in _held(statement, assessment) for token in _tokens(words)}
    own = _tokens(statement.text)
    amounts = {token.key.partition("|")[0] for token in own if token.kind == "number"}
    said = {token.key for token in own}
    words = _tokens(text)
    if _settles({token.key for token in words}, said):
        said = set()
    found: dict[str, str] = {}
    for token in words:
        if _is_new(token, keys, amounts, said):
            found.setdefault(token.key, token.raw)
    return tuple(dict.fromkeys(found.values()))


def _is_new(token: Token, keys: set[str], amounts: set[str], said: set[str]) -> bool:
    if token.kind == "number":
        amount, _, unit = token.key.partition("|")
        return token.key not in keys and (bool(unit) or amount not in amounts)
    if token.kind == "time" or _DIGIT.search(token.raw):
        return token.key not in keys
    return token.key in _grades() and token.key not in said


def _settles(new: set[str], said: set[str]) -> bool:
    """Return whether the words no longer say that the result is open, as the statement does.

    What an open result may still become is no grade that it holds.
    """
    return bool(said & _OPEN) and not new & _OPEN


def _tokens(text: str) -> tuple[Token, ...]:
    language: Language = "zh" if has_chinese(text) else "en"
    return tokens(text, language)


@cache
def _grades() -> frozenset[str]:
    """Return the keys of words that turn or grade what is said, in both languages."""
    found = {*_COMPARING, *_CONCLUDING, *(f"~{state}" for state in STATES)}
    languages: tuple[Language, ...] = ("en", "zh")
    for language in languages:
        words = verifier_terms().words(language)
        named = [w for name in _CLASSES for w in words.classes.get(name, ())]
        found |= {t.key for w in (*named, *words.graded) for t in tokens(w, language)}
    return frozenset(found)


def _held(statement: Statement, assessment: Assessment) -> Iterator[str]:
    """Yield everything in words that the results behind a statement hold."""
    yield statement.text
    risk = risk_of(assessment, statement)
    if risk is not None:
        yield from _of_risk(risk)
    computed = (ReferenceEvidence, ToolEvidence)
    places = {e for e in statement.evidence if not isinstance(e, computed)}
    for finding in assessment.findings:
        if places.intersection(finding.evidence):
            yield from _of_finding(finding, assessment.time_zone)


def _of_finding(finding: Finding, time_zone: str | None) -> Iterator[str]:
    if finding.value is not None:
        yield str(finding.value)
        yield measured_text(finding)
    if finding.body_site:
        yield finding.body_site
    if finding.time is not None:
        yield finding.time.show(time_zone)


def _of_risk(risk: Risk) -> Iterator[str]:
    yield score_sentence(risk)
    yield risk.statement
    yield from risk.caveats
    for band in risk.bands:
        yield f"{band.name} {band.points} {band.meaning}"
    if risk.next_due is not None:
        yield str(risk.next_due)
