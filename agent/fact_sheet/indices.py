# ruff: noqa: RUF001
"""Derived indices that are asked for by name, as facts said whole."""

import re
from collections.abc import Iterable, Iterator

from agent.facts import Fact
from knowledge.clinical_inputs import catalogue
from knowledge.index import Index
from knowledge.laboratory_words import laboratory_told
from knowledge.passages import Language
from knowledge.verifier_terms import verifier_terms

_BETWEEN = re.compile(r"[\[(]([\d.]+), ([\d.]+)[\])]")
INDEX = "index."
"""Key of what an index says."""


def index_facts(indices: Iterable[Index], language: Language) -> Iterator[Fact]:
    """Yield each index with what must be read with it; no model is given it to join."""
    for index in indices:
        text = " ".join((index.statement, *index.caveats))
        yield Fact(
            key=f"{INDEX}{index.index}",
            kind="score",
            names=(index.name,),
            state="stated" if index.not_assessed is None else "not_assessed",
            whole=True,
            outside=True,
            text=_chinese(index) if language == "zh" else text,
            language=language,
            evidence=index.evidence,
        )


def _chinese(index: Index) -> str:
    words = {**catalogue().chinese, **verifier_terms().zh.phrases}
    told = laboratory_told()
    whole = told.known(index.statement)
    if whole is not None:
        return whole + "".join(told(caveat) for caveat in index.caveats)
    said = "未评估"
    if index.value is not None:
        said = _BETWEEN.sub(r"\1至\2", str(index.value.interval))
    missing = "、".join(words.get(item.label, item.label) for item in index.missing)
    caveats = "".join(told(caveat) for caveat in index.caveats)
    return f"{told(index.name)}：{said}" + (f"；缺少：{missing}。" if missing else "。") + caveats
