"""Names that systems and programs leave behind on their own: nobody handed them in."""

from pathlib import PurePath

_LEFT_BEHIND = {
    "__macosx",  # macOS, in archives
    "__pycache__",
    ".ds_store",
    ".ipynb_checkpoints",
    "desktop.ini",
    "thumbs.db",
    "ehthumbs.db",
}


def is_junk(path) -> bool:
    """Whether some part of the path is no one's work: ``__MACOSX/...``, ``._x``, ``Thumbs.db``."""
    return any(
        part.casefold() in _LEFT_BEHIND or part.startswith(("._", "~$"))
        for part in PurePath(path).parts
    )
