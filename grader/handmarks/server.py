"""The page for marking by hand, for this machine's browser alone.

It listens on the loopback address, answers under a random token only, and to no other site: a
request must name this very host, and one that writes must come from the page itself.
"""

import functools
import json
import secrets
import sys
import webbrowser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

from grader.handmarks.book import HandMarks
from grader.i18n import N_, _
from grader.records.gradebook import GradebookError
from grader.reports.pages import environment
from policy_gradients.i18n import language, set_language

HERE = Path(__file__).resolve().parent
MOST_BODY = 1 << 20
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "script-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
SAID = {
    "title": N_("Marking by hand"),
    "question": N_("question"),
    "lesson": N_("lesson"),
    "marked": N_("marked"),
    "none": N_("No written text waits in this gradebook, and none is marked."),
    "back": N_("all questions"),
    "text": N_("Text {n} of {total}"),
    "points": N_("points"),
    "of": N_("of {most}"),
    "comment": N_("comment for the student"),
    "waits": N_("waits"),
    "clear": N_("let it wait again"),
    "other": N_("given elsewhere"),
    "scheme": N_("Mark scheme"),
    "worth": N_("worth"),
    "again": N_("A change counts for all texts in which the box is ticked."),
    "answer": N_("Model answer"),
    "keys": N_(
        "Keys: 1 to 9 tick a box, 0 gives no points, Enter goes to the next text, Backspace to the "
        "one before, c writes a comment."
    ),
    "saved": N_("saved"),
    "unsaved": N_("not saved: is the command still running?"),
    "then": N_(
        "When you are done, close this with Ctrl+C in the terminal and run autograde again."
    ),
    "picture": N_("a picture of the answer"),
}


@functools.cache
def _template():
    return environment(HERE, SAID).get_template("page.html")


class Server(ThreadingHTTPServer):
    """Serves the texts of a HandMarks. address: what to open in a browser."""

    daemon_threads = True

    def __init__(self, marks: HandMarks, port: int = 0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.marks, self.token = marks, secrets.token_urlsafe(24)
        self.spoken = language()
        self.host = f"127.0.0.1:{self.server_port}"
        self.address = f"http://{self.host}/{self.token}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        """The list of questions, or one question's texts."""
        self._answered(self._get)

    def do_POST(self):
        """A mark, or what a box of the scheme is worth."""
        self._answered(self._post)

    def _answered(self, act):
        set_language(self.server.spoken)
        try:
            act(self._path())
        except (KeyError, ValueError, TypeError, LookupError):
            self._send(HTTPStatus.NOT_FOUND, "text/plain", "not found")
        except PermissionError:
            self._send(HTTPStatus.FORBIDDEN, "text/plain", "forbidden")
        except GradebookError as error:
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", str(error))

    def _path(self):
        """What stands behind the token. PermissionError for everybody who isn't our own page."""
        parts = [unquote(part) for part in self.path.split("?")[0].split("/")[1:]]
        if not secrets.compare_digest(parts[0].encode(), self.server.token.encode()):
            raise PermissionError
        if self.headers.get("Host") != self.server.host:  # a name that was rebound to this address
            raise PermissionError
        return parts[1:]

    def _get(self, parts):
        marks = self.server.marks
        if parts in ([""], []):
            found = [(one, marks.answers(one)) for one in marks.questions()]
            shown = {"questions": [pair for pair in found if pair[1]], "question": None}
        else:
            lesson, name = parts
            question = marks.question(lesson, name)
            shown = {
                "question": question,
                "answers": marks.answers(question),
                "points": marks.points(question),
            }
        nonce = secrets.token_urlsafe(16)
        page = _template().render(
            **shown, nonce=nonce, root=f"/{self.server.token}/", language=language(), quote=quote
        )
        self._send(HTTPStatus.OK, "text/html", page, nonce)

    def _post(self, parts):
        origin = self.headers.get("Origin")
        if origin not in (None, f"http://{self.server.host}"):
            raise PermissionError
        if self.headers.get("Content-Type") != "application/json":
            raise PermissionError
        length = int(self.headers.get("Content-Length", 0))
        if not 0 < length <= MOST_BODY:
            raise ValueError
        told = json.loads(self.rfile.read(length))
        marks, question = self.server.marks, self.server.marks.question(*parts[1:])
        if parts[0] == "mark":
            score = marks.mark(
                question, told["id"], told["ticks"], told["points"], str(told["comment"])
            )
            answer = {"score": score}
        elif parts[0] == "worth":
            answer = {"scores": marks.set_points(question, told["item"], told["points"])}
        else:
            raise KeyError(parts[0])
        waiting = sum(one.score is None for one in marks.answers(question))
        self._send(HTTPStatus.OK, "application/json", json.dumps({**answer, "waiting": waiting}))

    def _send(self, status, kind, text, nonce=""):
        data = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        policy = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
        )
        policy += f"script-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'"
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Nothing: the address holds the token."""


def serve(marks: HandMarks, port: int = 0, browser: bool = True) -> None:
    """Serves until Ctrl+C."""
    for question in marks.questions():  # the lesson's scheme may be another than at the last time
        marks.rescore(question)
    with Server(marks, port) as server:
        print(
            _("Open {address} in this machine's browser. Ctrl+C ends it.").format(
                address=server.address
            ),
            flush=True,
        )
        if browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(
                _("Marks are in the gradebook. Run autograde again to write them on the pages."),
                file=sys.stderr,
            )
