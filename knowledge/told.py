# ruff: noqa: RUF001, RUF002
"""Texts that code puts together in English, told in Chinese from words and templates held as data.

A text is told whole, by a template with holes, sentence by sentence, or as a list of known parts;
numbers, units and abbreviations stay. A text of which a part is not known is not told at all, so
that no sentence is half of one language by accident; only a hole of a template may hold a name or
a quotation from outside, which stays as it is.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

_HOLE = re.compile(r"\{(\w+)\}")
_NUMBER = r"[<>=~≤≥+−-]{0,2} ?\d[\d.,]*"
_HOLDS = {"n": _NUMBER, "u": r"(?:[^\s,;:]+(?: [A-Z]+| m²)?)"}
"""What a hole takes by the first letter of its name."""
_ANY = r"(?:(?![.] [A-Z]).)+?"
"""What another hole takes: anything within one sentence."""
_SENTENCES = re.compile(r"(?<=[A-Za-z0-9)%²\]][.]) (?=[A-Z0-9\"\u201c])")
_CLAUSES = ((": ", "："), ("; ", "；"), (" or ", "或"), (" and ", "和"), (", ", "、"))
_STAYS = re.compile(
    r"(?:[<>=~≤≥≈+−±*/x×→-]|[^\sa-z]*\d[^\s]*|[^\sa-z]+|[A-Za-zµμ%²°\[\]{}]+/[^\s]+"
    r"|mmol|mol|mosm|mmHg|kPa|fL|pg|ng|ug|µg|mg|kg|g|mL|dL|cm|mm|ms|mV|min|h|d|a|s|x|"
    r"pH|\[pH\]|mm\[Hg\]|Cel|[a-z]?[A-Z][\w.+-]*[A-Z\d][\w+-]*s?)[.,;)]?"
)
"""A number, a sign, a unit or an abbreviation: the same in both languages."""


class Told:
    """Tells texts in Chinese.

    Args:
        words: Whole texts, English to Chinese.
        templates: Texts with holes (``{a}``); a hole whose name begins with ``n`` takes a
            number, one with ``u`` a unit.
    """

    def __init__(self, words: Mapping[str, str], templates: Mapping[str, str]) -> None:
        self._words = words
        self._templates = templates

    def __call__(self, text: str) -> str:
        """Return the text in Chinese, or as it is where a part of it is not known.

        Examples:
            >>> told = Told({"Sodium": "钠"}, {"missing: {a}": "缺少：{a}"})
            >>> told("missing: Sodium"), told("Sodium, 3 mmol/L"), told("something else")
            ('缺少：钠', '钠、3 mmol/L', 'something else')
        """
        return self.known(text) or text

    def known(self, text: str) -> str | None:
        """Return the text in Chinese; None where a part of it is not known."""
        if text in self._words:
            return self._words[text]
        bare = text.strip()
        if not bare or stays(bare):
            return text
        return self._whole(bare) or self._by_template(bare) or self._parts(bare)

    def by_sentence(self, text: str) -> tuple[str, str]:
        """Return what of a text is told in Chinese, and the sentences that are not."""
        whole = self.known(text)
        if whole is not None:
            return whole, ""
        parts = [(part, self.known(part)) for part in _SENTENCES.split(text)]
        told = "".join(chinese for _, chinese in parts if chinese is not None)
        return told, " ".join(part for part, chinese in parts if chinese is None)

    def _whole(self, text: str) -> str | None:
        if text in self._words:
            return self._words[text]
        if text[-1] in ".:" and (found := self._words.get(text[:-1])) is not None:
            return found + ("：" if text[-1] == ":" else "。")
        other = text[0].swapcase() + text[1:]
        return self._words.get(other)

    def _by_template(self, text: str) -> str | None:
        stop = text.endswith(".")
        for pattern, chinese in self._patterns:
            match = pattern.fullmatch(text.removesuffix(".") if stop else text)
            if match is not None:
                holes = {k: self(v) for k, v in match.groupdict().items()}
                end = "。" if stop and not chinese.endswith("。") else ""
                return chinese.format_map(holes) + end
        return None

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """The templates, those with the most fixed text first."""
        fixed = {english: len(_HOLE.sub("", english)) for english in self._templates}
        order = sorted(self._templates, key=lambda english: -fixed[english])
        return tuple((_pattern(english), self._templates[english]) for english in order)

    def _parts(self, text: str) -> str | None:
        parts = _SENTENCES.split(text)
        if len(parts) > 1:
            told = [self.known(part) for part in parts]
            return None if None in told else "".join(part or "" for part in told)
        for mark, chinese in _CLAUSES:
            if mark in text:
                found = [self.known(part) for part in _split(text, mark)]
                if None not in found:
                    return chinese.join(part or "" for part in found)
        return None


def stays(text: str) -> bool:
    """Return whether a text is numbers, units and abbreviations only.

    Examples:
        >>> stays("13.5 g/dL"), stays("INR"), stays("Sodium")
        (True, True, False)
    """
    return all(_STAYS.fullmatch(token.strip("()")) for token in text.split() if token.strip("()"))


def _split(text: str, mark: str) -> Iterator[str]:
    yield from (part for part in text.split(mark) if part.strip())


def _pattern(english: str) -> re.Pattern[str]:
    out = []
    last = 0
    for hole in _HOLE.finditer(english):
        out.append(re.escape(english[last : hole.start()]))
        name = hole[1]
        out.append(f"(?P<{name}>{_HOLDS.get(name[0], _ANY)})")
        last = hole.end()
    out.append(re.escape(english[last:]))
    return re.compile("".join(out))
