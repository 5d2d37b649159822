"""How the course's Spanish is written: "tú", its signs, and the words of the glossary."""

import functools
import re
import unicodedata
from dataclasses import dataclass

from publish.proofread import own_words, prose

EXCEPTIONS = "## Exceptions"
# A sentence's beginning, where a verb is an order.
START = r"(?:[.!?:;]\s+|(?:^|\n)\s*(?:[-*]|\d+\.)?\s*|[¿¡(«*])"
# What usted and vosotros would hear there. Some are also nouns or subjunctives: elsewhere they may
# stand.
ORDERS = (
    "abra|añada|asegúrese|baje|borre|busque|calcule|cambie|cierre|comience|compare|complete|"
    "compruebe|considere|construya|convierta|copie|corrija|cuente|deje|defina|derive|devuelva|"
    "dibuje|divida|ejecute|elija|empiece|escriba|espere|evalúe|evite|explique|fíjese|guarde|haga|"
    "imagine|implemente|imprima|intente|lea|llame|marque|mida|mire|mueva|multiplique|muestre|"
    "observe|pase|piense|ponga|prediga|pregunte|pruebe|pulse|recorra|recuerde|repita|reste|"
    "responda|revise|seleccione|siga|sume|suponga|sustituya|tenga|tome|use|utilice|vea|verifique|"
    "vuelva|abrid|calculad|cambiad|comparad|comprobad|corregid|ejecutad|elegid|escribid|guardad|"
    "haced|leed|mirad|mostrad|poned|predecid|probad|recordad|usad|ved|volved"
)
ADDRESSES = (
    re.compile(r"\b(ustedes|usted|vosotr[oa]s|vuestr[oa]s?)\b", re.IGNORECASE),
    re.compile(rf"{START}({ORDERS})\b", re.IGNORECASE),
    re.compile(r"\b(\w+(?:áis|éis))\b"),
)


def address(_english, spanish):
    """The reader is "tú"."""
    for pattern in ADDRESSES:
        for word in pattern.findall(prose(spanish)):
            yield f"{word!r} is not said to tú"


def signs(english, spanish):
    """Opening signs, «comillas» but for strings of code, no comma in thousands, a space before %,
    no accent on solo."""
    text = own_words(spanish).replace("[!", "[")
    for opening, closing in ("¿?", "¡!", "«»"):
        if text.count(opening) != text.count(closing):
            yield f"{opening} and {closing} don't pair"
    strings = set(re.findall(r'"[^"]*"', prose(spanish))) - set(re.findall(r'"[^"]*"', english))
    if strings or re.search("[“”]", spanish):
        yield "quotation marks are « and »"
    if re.search(r"\d,\d{3}\b", text):
        yield "thousands are set off by a thin space; a comma reads as a decimal sign"
    if re.search(r"\d%", text):
        yield "a space belongs before %"
    if re.search(r"\bs[óÓ]l[oO]\b", text):
        yield "solo has no accent"


@dataclass(frozen=True)
class Term:
    """One row of the glossary."""

    english: str
    spanish: str
    banned: tuple

    @property
    def ambiguous(self) -> bool:
        """Whether the row is for one sense of the English word alone."""
        return "(" in self.english


def read_glossary(text) -> list:
    """The rows of its table: English, Spanish, and what is not said."""
    rows = _table(text.split(EXCEPTIONS)[0])
    return [
        Term(english, spanish, tuple(filter(None, map(str.strip, banned.split(",")))))
        for english, spanish, banned in rows
    ]


def read_exceptions(text) -> set:
    """(term, how the English text begins) where the glossary does not bind."""
    rows = _table(text.partition(EXCEPTIONS)[2])
    return {(term, begins.strip("`")) for term, begins, _ in rows}


def _table(text):
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.split("\n")
        if line.startswith("| ")
    ]
    return [row for row in rows[1:] if len(row) == 3]


# Verbs, where the English word is a verb as well and the Spanish one has another stem.
VERBS = {
    "check": ("comprueb", "revis"),
    "grading": ("corrig", "correg"),
    "mask": ("enmascar",),
    "mean": ("signific",),
    "return": ("devuelv", "devolv"),
}
ARTICLES = ("el", "la", "los", "las", "un", "una", "del", "al", "su", "este", "esta", "cada")
# rollout(env), epochs=4, envs.step, logp_old, returns (N, T): names of the code, without backticks.
NAMES = re.compile(r"\w*[._]\w+|\w+(?=\(|=|\[| \([\dA-Z]|, or None)|(?<=\.)\w+|\b\w+_\w*")


def glossary_rule(text):
    """The rule that the terms of the glossary, given as its text, are kept."""
    # The longest first: "policy gradient" is no "policy".
    terms = sorted(read_glossary(text), key=lambda term: -len(_bare(term.english)))
    exceptions = read_exceptions(text)

    def glossary(english, spanish):
        """Each term has its twin in some form, and none of the words beside it."""
        left, words = NAMES.sub(" ", own_words(english)), _plain(own_words(spanish))
        for term in terms:
            for word in term.banned:
                if _forms(word).search(words):
                    yield f"{word!r} is {term.spanish!r} in this course"
            if not (found := set(english_forms(term.english).findall(left))):
                continue
            left = english_forms(term.english).sub(" ", left)
            excused = term.ambiguous or any(
                term.english == other and english.startswith(begins) for other, begins in exceptions
            )
            if excused or _stems(term).search(_plain(spanish)):
                continue
            if not all(_is_name(word, spanish) for word in found):
                yield f"{term.english!r} is {term.spanish!r}"

    return glossary


def _is_name(word, spanish):
    """Whether the Spanish has the very word, and no article before it: a name of the code."""
    articles = "".join(rf"(?<!\b{one}\s)" for one in ARTICLES)
    pattern = re.compile(rf"{articles}\b{re.escape(word)}\b", re.IGNORECASE)
    return pattern.search(spanish) is not None


def _stems(term):
    """The term's words, or words of the same stem: recorte, recortar, recortada."""
    stems = (word[: min(7, max(4, len(word) - 3))] for word in _plain(term.spanish).split())
    words = r"\S*\s+".join(stems)
    return re.compile(rf"\b(?:{'|'.join([words, *VERBS.get(term.english, ())])})", re.IGNORECASE)


@functools.cache
def english_forms(term):
    """The term and its plural (rewards-to-go, too), a space or a hyphen between its words."""
    words = _bare(term).replace("-", " ").split()
    last = words[-1]
    plural = rf"(?:{last[:-1]}(?:y|ies))" if last.endswith("y") else rf"{last}(?:e?s)?"
    return re.compile(r"\b" + r"s?[-\s]+".join([*words[:-1], plural]) + r"\b", re.IGNORECASE)


def _bare(term):
    """The term without the words in brackets that say which sense is meant."""
    return re.sub(r" \(.*\)", "", term)


@functools.cache
def _forms(term):
    """The term in any gender and number, accents aside."""
    return re.compile(r"\b" + r"\s+".join(map(_form, _plain(term).split())) + r"\b", re.IGNORECASE)


def _form(word):
    if word[-1] in "oa":
        return rf"{word[:-1]}[oa]s?"
    return rf"{word[:-1]}(?:z|ces)" if word.endswith("z") else rf"{word}(?:e?s)?"


def _plain(text):
    """Without accents; ñ stays."""
    parts = unicodedata.normalize("NFD", text.replace("ñ", "\0").replace("Ñ", "\0"))
    return "".join(c for c in parts if unicodedata.category(c) != "Mn").replace("\0", "ñ")
