"""An answer as text for a front end that may render Markdown: inert, evidence as footnotes."""

import re
from collections.abc import Iterator, Mapping

from serving.chat.protocol import AnswerOut, SentenceOut
from serving.evidence.protocol import Link

_WORDS = {
    "en": {
        "refused": "Refused: {0}",
        "outside": "Not in the record.",
        "would": "Would answer it: {0}",
        "dropped": "{0} sentence(s) of the model could not be verified and are not shown.",
        "without": "No language model's words are shown: {0}.",
        "orders": "Nothing is ordered or carried out here.",
        "evidence": "Evidence:",
        "note": "Note: {0}",
    },
    "zh": {
        "refused": "已拒绝: {0}",
        "outside": "病历中没有。",
        "would": "可由以下回答: {0}",
        "dropped": "模型有 {0} 句话无法核实, 未显示。",
        "without": "未显示语言模型的文字: {0}。",
        "orders": "此处不下医嘱, 也不执行任何操作。",
        "evidence": "依据:",
        "note": "注意: {0}",
    },
}
_MARKUP = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)|\](?=[(\[:])|^[#>+*-](?=\s)|`")
_ADDRESS = re.compile(r"(?<=:)/(?=/)|(?<=www)\.", re.IGNORECASE)


def inert(text: str) -> str:
    r"""Return text that Markdown shows as it is: no picture, link, tag, heading or code.

    Examples:
        >>> inert("<6 ng/L, <img src=x> ![a](https://b)")
        '<6 ng/L, \\<img src=x> \\![a\\](https:\\//b)'
    """
    return _ADDRESS.sub(r"\\\g<0>", _MARKUP.sub(r"\\\g<0>", text))


def paragraphs(answer: AnswerOut, language: str, *, base: str) -> Iterator[str]:
    """Yield an answer piece by piece: verified sentences first, footnotes last.

    Args:
        answer: As it may be shown.
        language: Of our own words.
        base: Address under which this service is reached, without a slash at its end.
    """
    words = _WORDS["zh" if language == "zh" else "en"]
    notes: dict[str, tuple[int, Link]] = {}
    if answer.refused:
        yield words["refused"].format(inert(answer.refused))
    if answer.outside_record:
        yield words["outside"]
    if answer.kind == "guideline":
        yield words["orders"]
    for sentence in answer.sentences:
        yield _sentence(sentence, notes)
    yield from _around(answer, words)
    if notes:
        lines = [
            f"[{number}] {inert(link.place)} {base}{link.href}" for number, link in notes.values()
        ]
        yield "\n".join([words["evidence"], *lines])


def _sentence(sentence: SentenceOut, notes: dict[str, tuple[int, Link]]) -> str:
    """Return a sentence with the numbers of its footnotes, which are taken into `notes`."""
    marks = []
    for link in (*sentence.sources, *sentence.evidence):
        number, _ = notes.setdefault(link.id, (len(notes) + 1, link))
        marks.append(f"[{number}]")
    wording = f" ({inert(sentence.wording)})" if sentence.wording else ""
    return f"{inert(sentence.text)}{wording}{' ' if marks else ''}{''.join(marks)}"


def _around(answer: AnswerOut, words: Mapping[str, str]) -> Iterator[str]:
    """Yield what must be read with the sentences."""
    if answer.would_answer:
        listed = "; ".join(inert(one.label) for one in answer.would_answer)
        yield words["would"].format(listed)
    for note in answer.notes:
        yield words["note"].format(inert(note))
    if answer.dropped:
        yield words["dropped"].format(answer.dropped)
    if answer.without_llm and answer.author == answer.kind == "facts":
        yield words["without"].format(inert(answer.without_llm))
