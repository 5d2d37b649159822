"""A JupyterLab server as ``make lab`` starts it, and a headless Chromium that drives it."""

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "for-the-tests-only"
MUCH = 150 << 20  # bytes that scripts hold
CHROMIUM = [
    shutil.which("chromium") or shutil.which("chromium-browser"),
    shutil.which("chromedriver"),
]
# Cells whose output comes out of training take two thirds of a lesson's time. tests/test_claims.py
# runs the same code to its end.
TRAINED = "w => !!w.model.getMetadata('policy_gradients').trained"
# JupyterLab puts cells into the window before a frame is drawn, and formulas after it; the second
# frame has both. What grows then moves what is below it, so the window's height stays.
DRAWN = """
const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
const height = () => document.querySelector('.jp-WindowedPanel-outer').scrollHeight;
for (let was = -1; was != height();) { was = height(); await frame(); await frame(); }
"""
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1300,1600",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(folder: Path):
    """The address of a server over ``folder``, which plays the repository's root."""
    warm = Path(__file__).with_name("config")
    words = f"--ServerApp.root_dir={folder}"
    with serving(["make", "lab"], ROOT, words, JUPYTER_CONFIG_PATH=str(warm)) as address:
        yield address


@contextlib.contextmanager
def serving(command: list, cwd: Path, words: str = "", **variables):
    """The address of the server that a command of ours starts in a folder."""
    port = free_port()
    words += f" --no-browser --allow-root --ServerApp.port={port} --expose-app-in-browser"
    words += f" --IdentityProvider.token={TOKEN}"
    words = [f"ARGS={words}"] if command[0] == "make" else words.split()
    log = tempfile.TemporaryFile()  # noqa: SIM115 - read when the server fails to start
    env = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    process = subprocess.Popen(
        [*command, *words],
        cwd=cwd,
        env={**env, **variables},
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(address, process, log)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait_until_up(address, process, log):
    for _ in range(1200):
        try:
            urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=2)
            return
        except OSError:
            if process.poll() is not None:
                log.seek(0)
                raise RuntimeError(log.read().decode()) from None
            time.sleep(0.1)
    raise RuntimeError("JupyterLab did not start")


@contextlib.contextmanager
def browser():
    """A fresh headless Chromium."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM[0]
    with tempfile.TemporaryDirectory() as profile:
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(CHROMIUM[1]))
        try:
            yield driver
        finally:
            driver.quit()


def code_cells(path: Path) -> list[dict]:
    """The code cells of a notebook's file."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def solutions(path: Path) -> dict[str, str]:
    """grade id -> source of every solution cell of a notebook's file."""
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
        for cell in code_cells(path)
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }


def excerpt(course: Path, notebook: str, *texts: str) -> str:
    """The first code cells of a notebook that hold these texts, as a notebook beside it: to show
    all the others takes most of the time of a test which is about a few. Returns its path."""
    path = course / notebook
    whole, code = json.loads(path.read_text(encoding="utf-8")), code_cells(path)
    whole["cells"] = [
        next(cell for cell in code if text in "".join(cell["source"])) for text in texts
    ]
    beside = path.with_name(f"some_{path.name}")
    beside.write_text(json.dumps(whole), encoding="utf-8")
    return str(beside.relative_to(course))


class Window:
    """The browser's window."""

    def __init__(self, driver):
        self.driver = driver

    def wait(self, script: str, *values, seconds: float = 90):
        """Until the script, asked less and less often, returns something true; values are its
        arguments."""
        end, pause = time.monotonic() + seconds, 0.01
        while not (value := self.driver.execute_script(script, *values)):
            if time.monotonic() > end:
                raise TimeoutError(script)
            time.sleep(pause)
            pause = min(1.5 * pause, 0.2)
        return value

    def awaited(self, script: str, *values, seconds: float = 90):
        """What the body of an async function returns; values are its arguments. While it waits,
        WebDriver's own asynchronous scripts keep half a processor busy; looking now and then
        doesn't."""
        self.driver.execute_script(
            "const mine = window.awaited = {};"
            f"(async function() {{ {script} }})(...arguments)"
            ".then(value => { mine.value = value; }, error => { mine.error = String(error); })"
            ".finally(() => { mine.over = true; });",
            *values,
        )
        self.wait("return window.awaited.over", seconds=seconds)
        value, error = self.driver.execute_script("return [awaited.value, awaited.error]")
        if error:
            raise RuntimeError(error)
        return value

    def choose(self, menu: str, entry: str):
        """An entry of one of JupyterLab's menus, by the mouse."""
        for place, words in (("lm-MenuBar-item", menu), ("lm-Menu-item", entry)):
            script = f"return [...document.querySelectorAll('.{place}')].find(n =>"
            script += " n.innerText.trim().startsWith(arguments[0]))"
            self.wait(script, words).click()

    def screenshot(self, name: str):
        """Into the folder SCREENSHOTS, where somebody wants pictures."""
        if not (folder := os.environ.get("SCREENSHOTS")):
            return
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        time.sleep(0.5)  # formulas and pictures may still be growing into their places
        # Few colours: a whole lesson is some twenty pictures.
        picture = Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")
        picture.quantize(128).save(folder / f"{name}.png")


class Lab(Window):
    """One notebook open in JupyterLab, with a kernel of its own."""

    def __init__(self, driver, address: str, notebook: str):
        super().__init__(driver)
        if not self._opened_here(address, notebook):
            driver.get(f"{address}/lab/tree/{notebook}?token={TOKEN}&reset")
        self.wait(
            "return !!(window.jupyterapp && jupyterapp.shell.currentWidget"
            " && jupyterapp.shell.currentWidget.context?.path == arguments[0]"
            " && jupyterapp.shell.currentWidget.sessionContext"
            " && jupyterapp.shell.currentWidget.sessionContext.session"
            " && jupyterapp.shell.currentWidget.content.widgets.length > 1)",
            notebook,
        )
        self.awaited("await jupyterapp.shell.currentWidget.sessionContext.ready")

    def _opened_here(self, address, notebook) -> bool:
        """Opens the notebook in a page that shows this server already, which takes a tenth of
        loading one. What stood there goes, with its kernel and whatever wasn't saved; False where
        there is no such page with a notebook in it, or a dialogue that somebody left open."""
        if not self.driver.current_url.startswith(f"{address}/lab/"):
            return False
        if not self.driver.execute_script(
            "return !!window.jupyterapp?.shell?.currentWidget?.sessionContext"
            " && !document.querySelector('.jp-Dialog')"
        ):
            return False
        self.awaited(
            "for (const shown of [...jupyterapp.shell.widgets('main')]) {"
            "  if (shown.sessionContext?.session) await shown.sessionContext.shutdown();"
            "  shown.dispose();"
            "}"
            "await jupyterapp.commands.execute('docmanager:open', {path: arguments[0]});",
            notebook,
        )
        # Pictures of the last notebooks would stay for as long as there is memory.
        if self.driver.execute_script("return performance.memory.usedJSHeapSize") > MUCH:
            self.driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        return True

    def index_of(self, text: str) -> int:
        """The first code cell whose source holds the text."""
        found = self.wait(
            "return 1 + jupyterapp.shell.currentWidget.content.widgets.findIndex(w => w.model.type"
            f" == 'code' && w.model.sharedModel.getSource().includes({json.dumps(text)}))"
        )
        return found - 1

    def write(self, index: int, source: str):
        """Puts source into a cell, as pasting over everything does."""
        self.driver.execute_script(
            "jupyterapp.shell.currentWidget.content.widgets[arguments[0]]"
            ".model.sharedModel.setSource(arguments[1])",
            index,
            source,
        )

    def run(self, index: int) -> str:
        """Runs one cell and returns the text below it."""
        self.awaited(
            "const nb = jupyterapp.shell.currentWidget.content;"
            "nb.deselectAll(); nb.activeCellIndex = arguments[0];"
            "await jupyterapp.commands.execute('notebook:run-cell').catch(() => null)",
            index,
            seconds=300,
        )
        return self.output(index)

    def run_all(self, seconds: float = 240):
        """Run > Run All Cells, until the last code cell has run (the command itself returns at the
        first error, while the kernel goes on)."""
        self.driver.execute_script("jupyterapp.commands.execute('notebook:run-all-cells')")
        self._have_run("", seconds)

    def run_all_but_training(self, seconds: float = 240):
        """Edit > Clear Cell Output, so that what stands there later was made here, and Run > Run
        Selected Cells, on all code cells but the TRAINED ones. Those keep what they came with."""
        self.awaited(
            f"const wanted = w => w.model.type == 'code' && !({TRAINED})(w);"
            "const nb = jupyterapp.shell.currentWidget.content;"
            "nb.deselectAll(); nb.activeCellIndex = nb.widgets.findIndex(wanted);"
            "nb.widgets.filter(wanted).forEach(w => nb.select(w));"
            "await jupyterapp.commands.execute('notebook:clear-cell-output');"
            "jupyterapp.commands.execute('notebook:run-cell')"
        )
        self._have_run(f"|| ({TRAINED})(w)", seconds)

    def _have_run(self, or_else, seconds):
        self.wait(
            "return jupyterapp.shell.currentWidget.content.widgets.every(w => "
            "w.model.type != 'code' || !w.model.sharedModel.getSource().trim()"
            f" || w.model.executionCount {or_else}) && jupyterapp.shell.currentWidget"
            ".sessionContext.session.kernel.status == 'idle'",
            seconds=seconds,
        )

    def output(self, index: int) -> str:
        """What stands below a cell, as text."""
        return self.driver.execute_script(
            "const w = jupyterapp.shell.currentWidget.content.widgets[arguments[0]];"
            "return [...w.node.querySelectorAll('.jp-OutputArea-output')]"
            ".map(n => n.innerText).join('\\n')",
            index,
        )

    def outputs(self) -> list[dict]:
        """Every code cell's source, execution count, outputs, and what the course says about it."""
        return self.driver.execute_script(
            "return jupyterapp.shell.currentWidget.content.widgets"
            ".filter(w => w.model.type == 'code').map(w => ({"
            "source: w.model.sharedModel.getSource(), count: w.model.executionCount,"
            "about: w.model.getMetadata('policy_gradients'),"
            "outputs: w.model.outputs.toJSON()}))"
        )

    def show(self, index: int):
        self.driver.execute_script(
            "const nb = jupyterapp.shell.currentWidget.content; nb.activeCellIndex = arguments[0];"
            "nb.widgets[arguments[0]].node.scrollIntoView({block: 'center'})",
            index,
        )

    def shut_down(self):
        """Kernel > Shut Down Kernel."""
        self.awaited("await jupyterapp.shell.currentWidget.sessionContext.shutdown()")

    def scroll_through(self, name: str):
        """The notebook from top to bottom, with one picture for each windowful where pictures are
        wanted: what was never in the window may not have been drawn."""
        panel = "const n = document.querySelector('.jp-WindowedPanel-outer');"
        self.driver.execute_script(f"{panel} n.scrollTop = 0")
        for number in range(200):
            self.awaited(DRAWN)
            self.screenshot(f"{name}-{number:02}")
            moved = self.driver.execute_script(
                f"{panel} const top = n.scrollTop; n.scrollTop += 0.9 * n.clientHeight;"
                "return n.scrollTop - top"
            )
            if moved < 1:
                break
        self.wait("return [...document.images].every(n => n.complete)")
