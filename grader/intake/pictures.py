"""Pictures in a student's Markdown: kept as attachments with plain names, whatever way they came.

Jupyter attaches a pasted picture under any name, Colab and others write it into the text itself.
"""

import re
from urllib.parse import unquote

MAX_PICTURES, MAX_PICTURE = 10, 8 << 20
# A picture's first bytes, in base64.
PICTURES = {"image/png": "iVBORw0KGgo", "image/jpeg": "/9j/"}
NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+=*\s*")
_DATA = re.compile(r"data:(image/[\w.+-]{1,40});base64,([A-Za-z0-9+/=%\s]*?)(?=[\s)\"'>\]]|$)")
_TAG = re.compile(
    r"<img\b[^<>]{0,200}?\bsrc\s{0,9}=\s{0,9}[\"']?attachment:([\w.-]{1,100})[^<>]{0,200}>",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"!\[([^\[\]]{0,200})\]\(\s{0,9}<?attachment:([^)>\n]{1,200}?)>?(?:\s{1,9}\"[^\"\n]{0,200}\")?\s{0,9}\)"
)


class Pictures:
    """The pictures of one cell. kept: name -> {type: base64 text}; lost: types that can't be
    shown."""

    def __init__(self):
        self.kept, self.lost, self._names = {}, [], {}

    def keep(self, name, kind, data) -> str:
        """The name under which a picture is kept; "" where it isn't."""
        kind = "image/jpeg" if kind == "image/jpg" else kind
        start = PICTURES.get(kind)
        right = isinstance(data, str) and start and data.startswith(start)
        right = right and "/" not in name and len(data) < MAX_PICTURE and _BASE64.fullmatch(data)
        if not right or len(self.kept) >= MAX_PICTURES:
            self.lost.append(kind)
            return ""
        plain = name if NAME.fullmatch(name) and name not in self.kept else self._new(kind)
        self.kept[plain] = {kind: data}
        self._names[name] = plain
        return plain

    def _new(self, kind):
        number = len(self.kept) + 1
        return f"picture-{number}.{kind.removeprefix('image/')}"

    def attached(self, attachments):
        """Keeps what Jupyter attached."""
        for name, kinds in attachments.items():
            kinds = kinds if isinstance(kinds, dict) else {}
            kind = next((kind for kind in (*PICTURES, *kinds) if kind in kinds), "")
            data = kinds.get(kind)
            if isinstance(data, list) and all(isinstance(line, str) for line in data):
                data = "".join(data)
            self.keep(name, kind, data)

    def in_text(self, text) -> str:
        """The text with its own pictures as attachments, and all of them named as they are kept."""
        if "data:image/" in text:
            text = _DATA.sub(self._taken_out, text)
        if "attachment:" in text:
            text = _LINK.sub(self._renamed, _TAG.sub(r"![](attachment:\1)", text))
        return text

    def _taken_out(self, found):
        data = re.sub(r"\s", "", unquote(found[2]))
        name = self.keep(f"inline-{len(self.kept) + 1}", found[1], data)
        return f"attachment:{name}" if name else "attachment:lost"

    def _renamed(self, found):
        name = self._names.get(found[2].strip(), self._names.get(unquote(found[2]).strip()))
        words = re.sub(r"[^\w .-]", " ", found[1], flags=re.ASCII)[:100]
        return f"![{words}](attachment:{name or 'lost'})"
