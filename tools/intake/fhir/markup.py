"""The words of an HTML attachment: its text, without scripts, styles and what is hidden."""

from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "head", "template", "noscript", "title"})
_BREAKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table"})
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "wbr", "area", "base"})
_HIDDEN = ("display:none", "visibility:hidden", "font-size:0", "opacity:0")


def text_of_html(markup: str) -> str:
    r"""Return the text of a page, one line for each block; nothing is fetched or run.

    Examples:
        >>> text_of_html("<p>Pale,<br>sweating</p><script>x</script><p hidden>y</p>")
        'Pale,\nsweating'
    """
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")
        if tag not in _VOID and (self._silent or tag in _SILENT or _is_hidden(attrs)):
            self._silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            while self._silent.pop() != tag:
                pass
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data.replace("\n", " "))


def _is_hidden(attrs: list[tuple[str, str | None]]) -> bool:
    given = {name: (value or "").replace(" ", "").lower() for name, value in attrs}
    styled = any(mark in given.get("style", "") for mark in _HIDDEN)
    return "hidden" in given or given.get("aria-hidden") == "true" or styled
