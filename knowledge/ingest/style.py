"""Which elements of an HTML page its style makes invisible, as far as the page itself tells.

Style sheets in other files are not fetched. Judged are the declarations that hide text outright,
text of no size, text moved off the page, and text in the colour of what is behind it.
"""

import re
from collections.abc import Iterator, Mapping

from bs4 import BeautifulSoup
from bs4.element import Tag
from soupsieve import SelectorSyntaxError

Declarations = dict[str, str]

_BRACE = re.compile(r"[{}]")
_PSEUDO = re.compile(r":(?!not\b|is\b|where\b|first-child|last-child|nth-)")
_RELEVANT = re.compile(
    r"\b(?:display|visibility|opacity|font-size|color|background|text-indent|left|right|top|"
    r"margin-left|margin-top|overflow|clip)\s*:",
    re.IGNORECASE,
)
_NOT_JUDGED = re.compile(
    r"""(?<![-\w])(?:transform|scale|rotate|translate|filter|mask|clip-path|content-visibility|
    letter-spacing|z-index|zoom|font|writing-mode)(?=\s*:)
    |\bvar(?=\()|\\[0-9a-f]+|/\*""",
    re.IGNORECASE | re.VERBOSE,
)
"""Properties and ways of writing by which text can be hidden, beyond those that are judged."""

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)")
_RGB = re.compile(r"rgba?\(([^)]*)\)")
_NAMED = {
    "white": (255, 255, 255),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245),
    "ghostwhite": (248, 248, 255),
    "floralwhite": (255, 250, 240),
    "black": (0, 0, 0),
}
"""The named colours of CSS Color Module Level 4 that text is hidden with on usual backgrounds."""

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_NEAR = 24
"""Largest difference in any channel (of 255) at which text is taken to be unseen on its ground."""

_SMALLEST_PX = 3.0
"""Text below 3 px cannot be read on a screen."""

_FAR_PX = 500.0
_TINY_PX = 1.5


def declarations(soup: BeautifulSoup) -> dict[int, Declarations]:
    """Return what the page's style elements and attributes declare, by element identity.

    Later rules win, and style attributes win over rules; specificity is not weighed.
    """
    found: dict[int, Declarations] = {}
    for sheet in soup.find_all("style"):
        for selector, body in _rules(sheet.get_text()):
            for element in _selected(soup, selector):
                found.setdefault(id(element), {}).update(_parsed(body))
    for element in soup.find_all(True):
        own = found.setdefault(id(element), {})
        if element.name == "font" and element.get("color"):
            own["color"] = str(element["color"]).lower()
        if element.get("bgcolor"):
            own["background-color"] = str(element["bgcolor"]).lower()
        own.update(_parsed(str(element.get("style") or "")))
    return found


def not_judged(soup: BeautifulSoup) -> tuple[str, ...]:
    """Return what of the page's style may hide text and is not judged here, sorted."""
    sheets = [_without_comments(sheet.get_text()) for sheet in soup.find_all("style")]
    own = [str(element["style"]) for element in soup.find_all(style=True)]
    found = {
        match.group().lower() for text in (*sheets, *own) for match in _NOT_JUDGED.finditer(text)
    }
    for sheet in sheets:
        found.update(selector for selector, _ in _rules(sheet) if _select(soup, selector) is None)
    return tuple(sorted(found))


def why_hidden(element: Tag, styles: Mapping[int, Declarations]) -> str:
    """Return why an element with all it holds is not seen, in words; empty where it is."""
    style = styles.get(id(element), {})
    if element.has_attr("hidden"):
        return "attribute hidden"
    if style.get("display") == "none":
        return "display: none"
    if _first_number(style.get("opacity", "1")) == 0:
        return "opacity: 0"
    return _out_of_sight(style)


def struck(element: Tag, styles: Mapping[int, Declarations]) -> bool:
    """Return whether a line is drawn through an element by its style."""
    style = styles.get(id(element), {})
    lines = (style.get("text-decoration", ""), style.get("text-decoration-line", ""))
    return any("line-through" in value for value in lines)


def why_unseen(element: Tag, styles: Mapping[int, Declarations]) -> str:
    """Return why text directly within an element is not seen, in words; empty where it is.

    These properties come down from the elements above, and an element below may undo them.
    """
    visibility = _nearest(element, styles, "visibility")
    if visibility in ("hidden", "collapse"):
        return f"visibility: {visibility}"
    size = _nearest(element, styles, "font-size")
    if size is not None and _pixels(size) < _SMALLEST_PX:
        return f"font-size: {size}"
    text = _inherited(element, styles, "color") or _BLACK
    ground = _inherited(element, styles, "background-color") or _WHITE
    if max(abs(a - b) for a, b in zip(text, ground, strict=True)) <= _NEAR:
        return "text in the colour of its background"
    return ""


def _out_of_sight(style: Declarations) -> str:
    for side in ("text-indent", "left", "top", "right", "margin-left", "margin-top"):
        if side in style and _pixels(style[side]) < -_FAR_PX:
            return f"{side}: {style[side]}"
    if style.get("overflow") == "hidden" and any(
        name in style and _pixels(style[name]) <= _TINY_PX
        for name in ("width", "height", "max-height", "max-width")
    ):
        return "cut off to nothing"
    if "clip" in style and re.fullmatch(r"rect\((?:[01](?:px)?[ ,]*){4}\)", style["clip"]):
        return "clipped to nothing"
    return ""


def _nearest(element: Tag, styles: Mapping[int, Declarations], name: str) -> str | None:
    owners = (element, *element.parents)
    return next((v for o in owners if (v := styles.get(id(o), {}).get(name))), None)


def _inherited(
    element: Tag, styles: Mapping[int, Declarations], name: str
) -> tuple[int, int, int] | None:
    for owner in (element, *element.parents):
        value = styles.get(id(owner), {}).get(name)
        colour = _colour(value) if value else None
        if colour is not None:
            return colour
    return None


def _colour(value: str) -> tuple[int, int, int] | None:
    value = value.strip()
    if value in _NAMED:
        return _NAMED[value]
    if value == "transparent":
        return None
    if re.fullmatch(r"#[0-9a-f]{3,4}", value):
        return int(value[1] * 2, 16), int(value[2] * 2, 16), int(value[3] * 2, 16)
    if re.fullmatch(r"#[0-9a-f]{6}(?:[0-9a-f]{2})?", value):
        return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
    match = _RGB.search(value)
    numbers = [float(n) for n in _NUMBER.findall(match[1])] if match else []
    if len(numbers) >= 3 and "%" not in value:
        return int(numbers[0]), int(numbers[1]), int(numbers[2])
    return None


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield selector and body of every rule that hides or colours on a screen, in order."""
    sheet = _without_comments(sheet)
    above: list[tuple[str, bool]] = []
    last = 0
    for brace in _BRACE.finditer(sheet):
        before = sheet[last : brace.start()]
        last = brace.end()
        if brace.group() == "{":
            prelude = before.rpartition(";")[2].strip()
            printed = prelude.startswith("@media") and "print" in prelude.lower()
            above.append((prelude, printed or (bool(above) and above[-1][1])))
        elif above:
            selector, printed = above.pop()
            if not selector.startswith("@") and not printed and _RELEVANT.search(before):
                yield selector, before


def _without_comments(sheet: str) -> str:
    parts: list[str] = []
    last = 0
    while (start := sheet.find("/*", last)) >= 0:
        parts.append(sheet[last:start])
        end = sheet.find("*/", start + 2)
        last = len(sheet) if end < 0 else end + 2
    return "".join((*parts, sheet[last:]))


def _selected(soup: BeautifulSoup, selector: str) -> list[Tag]:
    if not selector or _PSEUDO.search(selector):
        return []
    return _select(soup, selector) or []


def _select(soup: BeautifulSoup, selector: str) -> list[Tag] | None:
    """Return the elements of a selector; None where it cannot be judged, see `not_judged`."""
    try:
        return list(soup.select(selector))
    except (SelectorSyntaxError, NotImplementedError):
        return None


def _parsed(body: str) -> Declarations:
    found: Declarations = {}
    for part in body.split(";"):
        name, colon, value = part.partition(":")
        if colon:
            name = name.strip().lower()
            value = value.replace("!important", "").strip().lower()
            if name == "background":
                name, value = "background-color", _ground(value)
            found[name] = value
    return found


def _ground(value: str) -> str:
    """Return the colour of a `background` shorthand; a picture is taken as a mid grey."""
    if "url(" in value or "gradient" in value:
        return "#808080"
    words = re.findall(r"rgba?\([^)]*\)|#[0-9a-f]+|[a-z]+", value)
    return next((word for word in words if _colour(word) is not None), "")


def _pixels(value: str) -> float:
    """Return a length in CSS px; lengths relative to the text count 16 px for 1 em."""
    number = _first_number(value)
    if number is None:
        return 16.0
    unit = re.sub(r"[^a-z%]", "", value.lower())
    return number * {"em": 16.0, "rem": 16.0, "pt": 4 / 3, "%": 0.16, "vw": 10.0}.get(unit, 1.0)


def _first_number(value: str) -> float | None:
    match = _NUMBER.search(value)
    return float(match.group()) if match else None
