"""The words a text is found by: English lightly normalised, Chinese by character bigrams.

Spellings that differ without a difference in meaning become one: case, accents, full and half
width, Greek letters, British and American forms, plurals. Nothing else is cut off, so that "rising"
stays apart from "rise" and a drug name stays whole.
"""

import re
import unicodedata
from functools import lru_cache

CHINESE = "一-鿿㐀-䶿"
_PIECE = re.compile(rf"[a-z][a-z0-9]*|\d+(?:\.\d+)?|[{CHINESE}]+")
_CHINESE = re.compile(rf"[{CHINESE}]")
# Alpha, beta, gamma, delta by name; mu as laboratories type it.
_GREEK = str.maketrans(
    {"\u03b1": "alpha", "\u03b2": "beta", "\u03b3": "gamma", "\u03b4": "delta", "\u03bc": "u"}
)
# Characters that join words and ask questions: a bigram across one of them means nothing.
_PARTICLES = re.compile("[的了吗呢么吧是]")
_BRITISH = re.compile(r"(?<=.)ae(?=.)|(?<![a-z])oe(?=.)|oe(?=a)|(?<=pn)oe")
# Words of grammar alone. "no", "not" and "without" carry meaning and stay.
FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a an and are as at be been by can could did do does for from had has have how i if in
        into is it its may of on or should so than that the their them then there these they this
        to was we were what when where which who why will with would you your""",
    )
)


def has_chinese(text: str) -> bool:
    """Return whether there is a Chinese character in the text."""
    return _CHINESE.search(text) is not None


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return an English word in one spelling: American vowels, no plural.

    The plural rules are those of the "S stemmer" (Harman 1991, doi
    10.1002/(SICI)1097-4571(199101)42:1<7::AID-ASI2>3.0.CO;2-P).

    Examples:
        >>> [stem(w) for w in ("haemorrhages", "oedema", "biopsies", "diagnosis", "ischaemia")]
        ['hemorrhage', 'edema', 'biopsy', 'diagnosis', 'ischemia']
    """
    word = _BRITISH.sub("e", word)
    if len(word) > 4:
        word = word.replace("isation", "ization").replace("ise", "ize").removesuffix("'")
        if word.endswith("our"):
            word = word.removesuffix("our") + "or"
    return _singular(word)


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word.removesuffix("ies") + "y"
    return word if word.endswith(("us", "ss", "is")) else word[:-1]


def pieces(text: str) -> tuple[str, ...]:
    """Return the runs of one kind in order: a stemmed word, a number, a run of Chinese.

    Examples:
        >>> pieces("hs-cTnT ≥52 ng/L 肌钙蛋白升高")
        ('hs', 'ctnt', '52', 'ng', 'l', '肌钙蛋白升高')
    """
    return tuple(
        piece if has_chinese(piece) or piece[0].isdigit() else stem(piece)
        for piece in _PIECE.findall(_plain(text))
    )


def tokens(text: str) -> tuple[str, ...]:
    """Return what a text is indexed by, in order, without words of grammar.

    Examples:
        >>> tokens("What are the Causes?")
        ('cause',)
        >>> tokens("升高的肌钙蛋白")
        ('升高', '肌钙', '钙蛋', '蛋白')
    """
    found: list[str] = []
    for piece in pieces(text):
        if has_chinese(piece):
            found.extend(_bigrams(piece))
        elif piece not in FUNCTION_WORDS:
            found.append(piece)
    return tuple(found)


def _bigrams(run: str) -> list[str]:
    found: list[str] = []
    for part in _PARTICLES.split(run):
        pairs = [part[i : i + 2] for i in range(len(part) - 1)]
        found.extend(pairs or ([part] if part else []))
    return found


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold().translate(_GREEK)
    return "".join(c for c in folded if not unicodedata.combining(c)).replace("'s", "")
