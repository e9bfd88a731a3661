"""The ways in which names and birth dates are written."""

import itertools
import re
import unicodedata
from datetime import date

LETTERS = re.compile(r"[^\W_]+")
"""Words: an underscore joins none."""

_CHINESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa"})
_LEAST = 2
_MOST_PARTS = 4
_JOINED = 4


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case.

    Examples:
        >>> words_of("SMITH_JOHN 12")
        ['smith', 'john', '12']
    """
    return LETTERS.findall(unicodedata.normalize("NFKC", text).casefold())


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, joined.

    Examples:
        >>> squeezed("Zhang-Wei 7")
        'zhangwei7'
    """
    return "".join(words_of(text))


def is_chinese(text: str) -> bool:
    """Return whether a text is of Chinese, Japanese or Korean signs alone."""
    return _CHINESE.fullmatch(text) is not None


def name_words(name: str) -> set[str]:
    """Return the parts of a name of two letters and more, of Chinese also single signs."""
    found = set()
    for word in words_of(name):
        for one in (word, word.translate(_UMLAUTS), _plain(word)):
            if len(one) >= _LEAST or is_chinese(one):
                found.add(one)
    return found


def joined_names(name: str) -> set[str]:
    """Return the parts of a name written together, in any order of two or all of them.

    Examples:
        >>> sorted(joined_names("Zhang^Wei"))
        ['weizhang', 'zhangwei']
    """
    found = set()
    for group in name.split("="):
        parts = words_of(group)[:_MOST_PARTS]
        for count in range(2, len(parts) + 1):
            for some in itertools.permutations(parts, count):
                one = "".join(some)
                found |= {one, one.translate(_UMLAUTS), _plain(one)}
        found |= {one for one in parts if is_chinese(one) and len(one) >= _LEAST}
    return {one for one in found if len(one) >= _JOINED or (is_chinese(one) and len(one) > 1)}


def birth_spellings(text: str) -> set[str]:
    """Return the digits of a birth date as they are written: year, day or month first.

    Examples:
        >>> sorted(birth_spellings("19511224"))
        ['12241951', '122451', '19511224', '24121951', '241251', '511224']
    """
    digits = re.sub(r"\D", "", text)[:8]
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return set()
    y, m, d = f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"
    return {one for year in (y, y[2:]) for one in (year + m + d, d + m + year, m + d + year)}


def dates_in(text: str) -> set[str]:
    """Return the digits of what may be dates in a text, each part filled to two digits.

    Examples:
        >>> sorted(dates_in("born 4.2.1951"))
        ['04021951']
        >>> sorted(dates_in("1951年12月24日"))
        ['19511224']
    """
    found = re.findall(r"(?<!\d)(\d{1,4})\D{1,3}(\d{1,2})\D{1,3}(\d{1,4})(?!\d)", text)
    return {"".join(part.zfill(2) for part in one) for one in found}


def _plain(word: str) -> str:
    split = unicodedata.normalize("NFKD", word)
    return "".join(one for one in split if not unicodedata.combining(one))
