"""What a page of HTML says to those who don't see it: headings, images, colours of its text."""

import re
from base64 import b64decode
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "link", "meta"}


@dataclass
class Page(HTMLParser):
    """A parsed page: texts are (words, the elements around them as (tag, classes) pairs)."""

    source: str
    language: str = ""
    title: str = ""
    headings: list = field(default_factory=list)
    images: list = field(default_factory=list)
    texts: list = field(default_factory=list)
    styles: str = ""

    def __post_init__(self):
        super().__init__()
        self.inside = []
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "html":
            self.language = attrs.get("lang", "")
        if tag == "img":
            self.images.append(attrs)
        if tag == "svg" and attrs.get("role") == "img":
            self.images.append(attrs | {"alt": attrs.get("aria-label", "")})
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.inside.append((tag, tuple(attrs.get("class", "").split())))

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tags = [tag for tag, _classes in self.inside]
        if "style" in tags:
            self.styles += data
        elif "title" in tags:
            self.title += data
        elif data.strip():
            self.texts.append((data.strip(), tuple(self.inside)))
            for level in "123456":
                if f"h{level}" in tags:
                    self.headings[-1] = int(level), self.headings[-1][1] + data

    def colors(self, inside) -> tuple:
        """(colour of the text, colour behind it) inside these elements, by the page's own CSS.

        It knows selectors of tags and classes with ancestors, which is all that our pages use;
        where nothing is said it takes what browsers do: black on white, links in #0000EE.
        """
        ink, ground = "#000000", "#FFFFFF"
        for depth, (tag, _classes) in enumerate(inside, start=1):
            rules = [
                (weight, said)
                for selector, said in self.rules()
                if (weight := _weight(selector, inside[:depth]))
            ]
            found = {"color": "#0000EE"} if tag == "a" else {}
            for _specific, said in sorted(rules, key=lambda rule: rule[0]):
                found |= said
            ink, ground = found.get("color", ink), found.get("background", ground)
        return ink, ground

    def rules(self):
        """(selector, {"color": ..., "background": ...}) of the style sheet, one selector each."""
        for selectors, body in re.findall(r"([^{}]+){([^}]*)}", self.styles):
            said = dict(re.findall(r"(?:^|;)\s*(color|background)\s*:\s*(#\w+)", body))
            yield from ((selector.strip(), said) for selector in selectors.split(","))


def _weight(selector, inside):
    """How specific a selector is that fits the innermost of these elements: (classes, tags), or
    None where it doesn't fit."""
    *outer, last = selector.split()
    if not _fits(last, inside[-1]):
        return None
    above = list(inside[:-1])
    for part in reversed(outer):
        while above and not _fits(part, above[-1]):
            above.pop()
        if not above:
            return None
        above.pop()
    return selector.count("."), sum(not part.startswith(".") for part in selector.split())


def _fits(part, element):
    tag, *classes = part.split(".")
    return tag in ("", element[0]) and set(classes) <= set(element[1])


def jumps(levels) -> list:
    """Pairs of neighbouring levels of headings between which one was left out; the first heading
    must be of level 1, and no other one may be."""
    levels = list(levels)
    skipped = [(a, b) for a, b in zip([0, *levels], levels) if b > a + 1]
    return skipped + [(a, 1) for a, b in zip(levels, levels[1:]) if b == 1]


def pictured(html) -> tuple:
    """(bytes, alternative text) of the one PNG in a piece of HTML."""
    (image,) = Page(html).images
    kind, data = image["src"].split(",")
    assert kind == "data:image/png;base64"
    drawn = b64decode(data)
    assert drawn.startswith(b"\x89PNG")
    return drawn, image["alt"]
