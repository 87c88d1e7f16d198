"""What a browser would make of a page: its elements, ids, links and texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})
SVG_LEAVES = frozenset({"rect", "path"})


@dataclass
class Element:
    """An element with its attributes and the text that is directly in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page:
    """All elements of a page, in order; ``open_count`` is how many were not closed, or closed and not open."""

    elements: list[Element] = field(default_factory=list)
    text: str = ""
    open_count: int = 0

    def tags(self) -> set[str]:
        return {element.tag for element in self.elements}

    def attribute_names(self) -> set[str]:
        return {name for element in self.elements for name in element.attributes}

    def values(self, name: str) -> list[str]:
        return [element.attributes[name] for element in self.elements if name in element.attributes]

    def texts(self, tag: str) -> list[str]:
        return [element.text for element in self.elements if element.tag == tag]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._stack: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.page.elements.append(element)
        if tag not in VOID:
            self._stack.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self._stack and self._stack[-1].tag == tag:
            self._stack.pop()
        else:
            self.page.open_count += 1

    def handle_data(self, data: str) -> None:
        self.page.text += data
        for element in self._stack[-1:]:
            element.text += data

    def close(self) -> None:
        super().close()
        self.page.open_count += len(self._stack)


def read_page(markup: str) -> Page:
    """Return a page as it is read."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.page
