"""A template's wording as parts, each of which is said whole or not at all."""

import re

_LIMITS = re.compile(
    r"\b(no|not|never|none|without|unless|alone|only|also|needs?|if|where|when|except|least|"
    r"most|probable|possible|outside)\b",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*[;:,()]\s*|\.\s*$")


def parts_of(text: str) -> tuple[str, ...]:
    """Return the parts between the punctuation of a sentence.

    Examples:
        >>> parts_of("ST depression (I, V3); sinus rhythm, 88/min.")
        ('ST depression', 'I', 'V3', 'sinus rhythm', '88/min')
    """
    return tuple(part for part in _BETWEEN.split(text) if part)


def limits(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts that limit what the others say; they may not be left out.

    Examples:
        >>> limits(("low probability", "alone it does not rule out"))
        ('alone it does not rule out',)
    """
    return tuple(part for part in parts if _LIMITS.search(part))


def is_negated(text: str) -> bool:
    """Return whether a statement has a negation or a limit in it."""
    return _LIMITS.search(text) is not None
