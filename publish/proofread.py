"""What a translation must keep of the English text, rule by rule, and how its language is written.

Each rule is a function (english, translated) that yields what is wrong, in words.
"""

import re
import string
from collections import Counter

FORMULA = re.compile(r"\$\$.*?\$\$|(?<![\\$])\$(?!\$)(?:\\.|[^$\\])+\$", re.DOTALL)
# Words inside a formula are translated; an index such as \pi_\text{old} is a name.
WORDS_IN_FORMULA = re.compile(r"(?<!_)\\text\{[^{}]*\}")
FENCE = re.compile(r"^(```+|~~~+).*?^\1", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)|(?:href|src)=['\"]([^'\"]+)['\"]")
ADDRESS = re.compile(r"https?://[^\s)>\"']+")
# STUDENT/LESSON, but no ARGS=..., TORCH_INDEX or README.md.
PLACEHOLDER = re.compile(r"(?<![\w$.-])[A-ZÁÉÍÓÚÑ]{3,}\b(?!=|\.md)")
OWN_NOTEBOOKS = re.compile(r"\bnotebooks/[a-z]{2}(?:_[A-Z]{2})?\b")
TAG = re.compile(r"</?[a-z]+\b[^>]*>")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
THOUSANDS = re.compile(
    r"(?<=\d)[,\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}\N{NO-BREAK SPACE} ](?=\d{3}\b)"
)
# Titles, and words of the course's little language, are quoted in English.
QUOTED = re.compile(
    r"\[[^][]*\]\(https?:[^)]*\)|(?<!\*)\*(?!\*)[^*]+(?<!\*)\*(?!\*)|«[^»]*»|\"[^\"]*\""
    r"|(?<!\w)'[^'\n]+'(?!\w)",
    re.DOTALL,
)
AUTHOR = re.compile(r"\b[A-Z]\. (?:[A-Z]\. )?[A-Z]\w+")
LIST_ITEM = re.compile(r"( *)([-*+]|\d{1,2}[.)]) ")
ENGLISH_WORDS = re.compile(r"\b(the|and|of|with|this|that|which|not|for)\b")
GAP = " \N{SQUARE LOZENGE} "


def differ(what, english, translated):
    """Yields a sentence where two collections don't hold the same things equally often."""
    lost, new = Counter(english) - Counter(translated), Counter(translated) - Counter(english)
    if lost or new:
        parts = [
            f"{word} {', '.join(map(str, some.elements()))}"
            for word, some in (("missing:", lost), ("not in the English:", new))
            if some
        ]
        yield f"{what} differ; {'; '.join(parts)}"


def formulas(english, translated):
    """The same formulas, words inside them apart."""

    def found(text):
        plain = (WORDS_IN_FORMULA.sub(r"\\text{}", one) for one in FORMULA.findall(_no_code(text)))
        return ["".join(one.split()) for one in plain]

    yield from differ("formulas", found(english), found(translated))


def code_spans(english, translated):
    """The same code between backticks and in fences, but for comments there, words that stand for
    something (STUDENT, ESTUDIANTE) and notebooks/en, which is each language's own folder."""

    def found(text):
        fenced = [re.sub(r"(?m)#.*$", "", one.group()) for one in FENCE.finditer(text)]
        inline = [one.group(2) for one in CODE.finditer(FENCE.sub(GAP, text))]
        return [" ".join(OWN_NOTEBOOKS.sub("notebooks/..", one).split()) for one in fenced + inline]

    ours, theirs = found(english), found(translated)
    words = [set(PLACEHOLDER.findall(" ".join(spans))) for spans in (ours, theirs)]
    own = [mine - other for mine, other in zip(words, reversed(words), strict=True)]
    ours, theirs = map(_without, (ours, theirs), own)
    yield from differ("code spans", ours, theirs)


def _without(spans, names):
    """The code spans with # in the place of these words."""
    return [PLACEHOLDER.sub(lambda one: "#" if one[0] in names else one[0], s) for s in spans]


def placeholders(english, translated):
    """The same {fields} with the same formats; none where the English is no format."""

    def found(text):
        fields = string.Formatter().parse(FORMULA.sub(GAP, text))
        return [
            f"{{{name}!{convert}:{spec}}}" for _, name, spec, convert in fields if name is not None
        ]

    try:
        wanted = found(english)
    except ValueError:
        return
    try:
        yield from differ("placeholders", wanted, found(translated))
    except ValueError as error:
        yield f"its braces are no format ({error})"


def links(english, translated):
    """The same targets."""

    def found(text):
        text = OWN_NOTEBOOKS.sub("notebooks/..", text)
        return [*(a or b for a, b in LINK.findall(text)), *ADDRESS.findall(LINK.sub(GAP, text))]

    yield from differ("link targets", found(english), found(translated))


def structure(english, translated):
    """The same headings, list items, table rows, quotes and tags, in the same order."""
    ours, theirs = _skeleton(english), _skeleton(translated)
    if ours != theirs:
        yield f"Markdown differs: {' '.join(ours) or 'plain'} became {' '.join(theirs) or 'plain'}"
    yield from differ("tags", TAG.findall(_no_code(english)), TAG.findall(_no_code(translated)))
    if prose(english).count("**") != prose(translated).count("**"):
        yield "bold words differ in number"


def edges(english, translated):
    """The same white space before and behind, where it joins other text."""
    for strip in (str.lstrip, str.rstrip):
        cut = [len(text) - len(strip(text)) for text in (english, translated)]
        if cut[0] != cut[1]:
            yield "white space at its beginning or end differs"


def numbers(english, translated):
    """The same numbers in digits, but a count below ten may be a digit where it was a word."""
    texts = (THOUSANDS.sub("", prose(text)) for text in (english, translated))
    ours, theirs = map(NUMBER.findall, texts)
    more = Counter(theirs) - Counter(ours)
    theirs = Counter(theirs) - Counter({one: n for one, n in more.items() if len(one) == 1})
    yield from differ("numbers", ours, list(theirs.elements()))


def left_in_english(_english, translated):
    """Two of the small words that only English has, outside titles and quotations."""
    found = set(ENGLISH_WORDS.findall(own_words(translated)))
    if len(found) > 1:
        yield f"still English: {', '.join(sorted(found))}"


def untouched(english, translated):
    """A sentence that was copied and not translated; what authors wrote is quoted as it is."""
    words = re.findall(r"\b[a-z]{2,}\b", own_words(english))
    if english == translated and len(words) > 3 and not AUTHOR.search(english):
        yield "it is the English text"


RULES = (
    formulas,
    code_spans,
    placeholders,
    links,
    structure,
    edges,
    numbers,
    left_in_english,
    untouched,
)


def prose(text) -> str:
    """The text without code, formulas, placeholders, tags and addresses."""
    text = FORMULA.sub(GAP, _no_code(text))
    text = LINK.sub("] ", text)
    return re.sub(r"\{[^{}\s]*\}", GAP, TAG.sub(" ", ADDRESS.sub(GAP, text)))


def own_words(text) -> str:
    """Its prose without titles and quotations."""
    return prose(QUOTED.sub(GAP, _no_code(text)))


def _no_code(text):
    return CODE.sub(GAP, FENCE.sub(GAP, text))


def _skeleton(text):
    """One word for each line that is more than plain text."""
    return [kind for line in FENCE.sub("```", text).split("\n") if (kind := _kind(line))]


def _kind(line):
    bare = line.strip()
    if heading := re.match(r"#{1,6}(?= )", bare):
        return heading.group()
    if item := LIST_ITEM.match(line):
        return item.group(1).replace(" ", "_") + ("-" if item.group(2) in "-*+" else "1.")
    if bare.startswith("|"):
        return f"|x{_no_code(bare).replace(chr(92) + '|', '').count('|')}"
    return bare[0] if bare[:1] in (">",) else ""
