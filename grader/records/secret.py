"""The course's secret, from which the hidden cases of each exercise are drawn.

Whoever knows it can work out the hidden cases; whoever changes it changes them for everybody. It
lies in ``.grader/secret`` of the course's folder (the variable COURSE_SECRET_FILE or the option
``--secret-file`` name another file), readable by its owner alone, and no sandbox sees it.
"""

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from grader.course import HERE
from grader.course.reasons import reason
from grader.errors import UserError
from grader.i18n import _


class SecretError(UserError):
    """The secret can't be read, made or trusted; says what to do."""


def default_path() -> Path:
    return Path(os.environ.get("COURSE_SECRET_FILE") or HERE / ".grader" / "secret")


def read_secret(path=None) -> bytes:
    """The secret in the file, made on the first call (mode 0600)."""
    path = Path(path) if path else default_path()
    try:
        _make(path)
        _check_mode(path)
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        words = _("{path}: {why}. Name a file that you may read and write with --secret-file.")
        raise SecretError(words.format(path=path, why=reason(error))) from None
    except ValueError:
        secret = b""
    if len(secret) < 16:
        words = _(
            "{path} holds no secret (32 or more hexadecimal digits). Restore it from "
            "a copy; a new one changes every hidden case."
        )
        raise SecretError(words.format(path=path))
    return secret


def _make(path):
    """Writes a new secret unless there is one; two runs at once end with the same."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_hex(32).encode())
        os.fsync(handle)
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        os.close(handle)
        os.unlink(part)


def _check_mode(path):
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        words = _("{path} can be read by others. Remedy: chmod 600 {path}")
        raise SecretError(words.format(path=path))


def seeds_of(secret: bytes, lesson: str, exercises) -> dict:
    """exercise -> seed of its hidden cases: HMAC-SHA256 of lesson and exercise under the secret."""
    return {name: _number(secret, f"{lesson}/{name}") for name in exercises}


def _number(secret, text) -> int:
    return int.from_bytes(hmac.digest(secret, text.encode(), hashlib.sha256)[:7], "big")


def mark_of(secret: bytes) -> str:
    """Tells two secrets apart without telling either."""
    return hmac.digest(secret, b"which secret", hashlib.sha256).hex()[:16]
