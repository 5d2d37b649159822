"""What to do about a gradebook that can't be read or written."""

from grader.i18n import N_, _

NO_GRADEBOOK = N_("The file is no gradebook, or a damaged one: move it away, then start again.")
SAFE = N_("Marks written so far are safe.")


def for_file(words) -> str:
    """The remedy for a file, by what the database says in small letters."""
    if "locked" in words:
        remedy = _("Another program holds it: close formgrader or the other run, then start again.")
    elif "full" in words or "disk i/o" in words:
        remedy = _("The disk is full: free some space, then start again.")
    elif "readonly" in words or "unable to open" in words:
        remedy = _("Make the --out folder and the file writable.")
    else:
        remedy = _("Back the file up; `nbgrader db upgrade` may help.")
    return f"{remedy} {_(SAFE)}"


def for_server(words) -> str:
    """The remedy for a server, by what it says in small letters."""
    if "permission denied" in words or "no schema" in words:
        remedy = _("The database must belong to its user: ALTER DATABASE ... OWNER TO ...")
    elif "does not exist" in words:
        remedy = _(
            "Make the user and the database first: createuser USER; createdb -O USER DATABASE."
        )
    elif "password" in words or "authentication" in words or "no pg_hba" in words:
        remedy = _("The server doesn't let this user in: look at ~/.pgpass and at its pg_hba.conf.")
    else:
        remedy = _("Is the server running and within reach? Then start the same command again.")
    return f"{remedy} {_(SAFE)}"
