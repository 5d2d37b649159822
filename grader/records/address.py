"""Where a gradebook is: a file in the --out folder, or a database on a PostgreSQL server."""

import importlib.util
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from grader.errors import UserError
from grader.i18n import N_, _

FILE, NOTE = "gradebook.db", "gradebook.address"
EXAMPLE = N_("postgresql://USER@HOST/DATABASE")
# A server that doesn't answer: nobody waits for minutes.
ANSWER_SECONDS = "10"
# Any number, the same in all runs: one run at a time writes a database.
LOCK = 0x706F6C696379


class AddressError(UserError):
    """There is no gradebook at the address, or it is another run's; says what to do."""


def gradebook_of(root, asked="") -> Path | URL:
    """The gradebook of the --out folder: at the address asked for, or the one that a run into
    this folder was given before, or the folder's own file."""
    file, note = Path(root) / FILE, Path(root) / NOTE
    if asked and file.exists():
        words = _(
            "{file} holds this folder's marks already, and they don't move to a server by "
            "themselves. Remedy: grade into a new --out folder."
        )
        raise AddressError(words.format(file=file))
    if not asked and note.is_file():
        asked = note.read_text(encoding="utf-8").strip()
    return server(asked) if asked else file


def server(address) -> URL:
    """The database at an address such as postgresql://USER@HOST/DATABASE."""
    try:
        url = make_url(address)
    except ArgumentError:
        words = _("{address} is no database's address. Write {example}.")
        raise AddressError(words.format(address=address, example=_(EXAMPLE))) from None
    if url.get_backend_name() != "postgresql":
        words = _(
            "{name} is no server that was tried with this grader. "
            "Write {example}, or leave --gradebook out: then the gradebook is a file."
        )
        raise AddressError(words.format(name=url.get_backend_name(), example=_(EXAMPLE)))
    if url.password is not None:
        words = _(
            "The address holds a password, and it would stand in files of the --out folder. "
            "Remedy: take it out; write it into ~/.pgpass, where PostgreSQL's programs look for it."
        )
        raise AddressError(words)
    if not url.database:
        words = _("{address} names no database. Write {example}.")
        raise AddressError(words.format(address=address, example=_(EXAMPLE)))
    if importlib.util.find_spec("psycopg") is None:
        words = _(
            "The package psycopg, which speaks to PostgreSQL, is missing. "
            "Remedy: pip install -e '.[postgres]'"
        )
        raise AddressError(words)
    url = url.set(drivername="postgresql+psycopg")
    waits = {"connect_timeout": url.query.get("connect_timeout", ANSWER_SECONDS)}
    return url.update_query_dict(waits)


def shown(url) -> str:
    """A server's address for people: what they wrote."""
    plain = url.set(drivername="postgresql").difference_update_query(["connect_timeout"])
    return plain.render_as_string(hide_password=True).replace("%2F", "/")


def setting(url) -> str:
    """A server's address for configuration files."""
    return url.render_as_string(hide_password=False)


@contextmanager
def alone(url):
    """No other run writes the server's database meanwhile. A run that dies frees it."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            held = connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": LOCK})
            if not held.scalar():
                words = _("{name}: another run is grading into this gradebook. Wait for it.")
                raise AddressError(words.format(name=shown(url)))
            # The lock belongs to the connection; an open transaction would hold up the server's
            # tidying.
            connection.commit()
            try:
                yield
            finally:
                # The server hears of an ended connection late; the next run may begin at once.
                with suppress(SQLAlchemyError):  # or the server is gone, and the lock with it
                    connection.execute(text("select pg_advisory_unlock(:key)"), {"key": LOCK})
    finally:
        engine.dispose()
