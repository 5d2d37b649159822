"""Run a notebook from top to bottom in a kernel of its own, and measure it."""

import functools
import os
import queue
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import matplotlib.font_manager  # makes the font cache, which a kernel would announce on stderr
from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync

from publish.claiming import MIME, cell_source
from publish.expand import LANGUAGE_INFO, kind_of
from publish.kernels import warm

# One thread and a fixed hash seed: the same numbers on every machine and in every run. Figures go
# into the notebook, whatever backend the maintainer has chosen.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")
LOOK_EVERY, SILENCE = 0.05, 0.02  # seconds
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass
class Measure:
    """What one run cost: seconds, and the kernel's peak memory in MB (None where unknown)."""

    seconds: float
    peak_mb: float | None


class Stopped(Exception):
    """The kernel died or a cell took too long; `index` is that cell's."""

    def __init__(self, index, reason):
        self.index = index
        super().__init__(reason)


class OwnKernel(KernelSpecManager):
    """The kernel of this very Python, whatever kernel specs the machine's users have installed."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(argv=make_ipkernel_cmd(), language="python", display_name="Python 3")


class Kernel(AsyncKernelClient):
    """jupyter_client's connection to a kernel, which waits less for one that is there: once it has
    answered, a fifth of a second of silence has to pass, lest old messages be taken for a cell's.
    nbclient knows those by their parents."""

    async def wait_for_ready(self, timeout=None):
        channel = self.iopub_channel
        get_msg = channel.get_msg
        channel.get_msg = lambda timeout: get_msg(timeout=min(timeout, SILENCE))
        try:
            await super().wait_for_ready(timeout)
        finally:
            channel.get_msg = get_msg


class Client(NotebookClient):
    """nbclient's, which runs a claim without counting it, and hands on what it tells."""

    last_index, tell = 0, None

    async def async_execute_cell(self, cell, cell_index, execution_count=None, store_history=True):
        self.last_index = cell_index
        if kind_of(cell) != "claim":
            return await super().async_execute_cell(
                cell, cell_index, execution_count, store_history
            )
        written, counted = cell.source, self.code_cells_executed
        cell.source = cell_source(written, cell.metadata["policy_gradients"].get("pairs", ()))
        try:
            return await super().async_execute_cell(cell, cell_index, None, store_history=False)
        finally:
            cell.source, self.code_cells_executed = written, counted

    async def async_start_new_kernel_client(self):
        self.km.client_factory = Kernel
        client = await super().async_start_new_kernel_client()
        for channel in (client.shell_channel, client.iopub_channel):
            channel.get_msg = functools.partial(_asked_again, channel.get_msg)
        return client

    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    def output(self, outs, msg, display_id, cell_index):
        told = msg["content"].get("data", {}).get(MIME)
        if told is not None and self.tell:
            self.tell(self.nb.cells[cell_index], told)
        return super().output(outs, msg, display_id, cell_index)


async def _asked_again(get_msg, timeout=None):
    """The next message; Empty after ``timeout`` seconds.

    A message that comes just as something else is sent can stay unnoticed until the wait is over
    (seen with widgets: a reply that was there lay for all 600 seconds). So wait a second at a time.
    """
    end = float("inf") if timeout is None else time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        try:
            return await get_msg(timeout=max(0.0, min(LOOK_EVERY, left)))
        except queue.Empty:
            if left <= LOOK_EVERY:
                raise


def execute(notebook, import_from, timeout=600, environment=None, tell=None):
    """Execute `notebook` in place in an empty folder; returns a Measure.

    `import_from` is put on the kernel's module path; messages come in the notebook's language.
    Cells that may raise in the student's version go on here, too: see `faults` for what went
    wrong. Other errors raise nbclient's CellExecutionError, a dead kernel or a cell that takes
    too long raises Stopped. `environment` is added to the kernel's; `tell(cell, dict)` hears
    each claim and each rerun of one at once.
    """
    peaks = []
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=OwnKernel())
    warm(manager, notebook, environment)
    client = Client(
        notebook,
        km=manager,
        timeout=timeout,
        # The kernel's own log says nothing that a maintainer can act on.
        extra_arguments=["--IPKernelApp.log_level=50"],
        record_timing=False,
        coalesce_streams=True,
        on_cell_executed=lambda **_: peaks.append(_peak_mb(manager)),
    )
    client.tell = tell
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as profile:
        settings = {**_environment(notebook, import_from, profile), **(environment or {})}
        try:
            client.execute(cwd=folder, env=settings, cleanup_kc=True)
        except BaseException as error:
            # At Ctrl-C nbclient shuts the kernel down and then stumbles over its absence.
            if getattr(client, "_async_cleanup_kernel_future", None) is not None:
                raise KeyboardInterrupt from None
            if isinstance(error, (CellTimeoutError, DeadKernelError)):
                reason = str(error).strip().splitlines()[0]
                raise Stopped(client.last_index, reason) from None
            raise
    _settle(notebook)
    known = [peak for peak in peaks if peak is not None]
    return Measure(time.perf_counter() - started, max(known, default=None))


def _environment(notebook, import_from, profile):
    paths = [str(import_from), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {
        "PYTHONPATH": os.pathsep.join(paths),
        "COURSE_LANGUAGE": notebook.metadata["policy_gradients"]["language"],
        # The maintainer's own start-up files and figure styles must not act in a lesson.
        "IPYTHONDIR": profile,
        "MPLCONFIGDIR": matplotlib.get_cachedir(),
    }
    return {**os.environ, **ENVIRONMENT, **own}


def _peak_mb(manager):
    """Peak resident memory of the kernel so far, where the system tells (Linux)."""
    try:
        status = Path(f"/proc/{manager.provisioner.pid}/status").read_text(encoding="ascii")
    except (OSError, AttributeError):
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) / 1024 if found else None


def _settle(notebook):
    """Take out what differs between two runs of the same notebook."""
    notebook.metadata["language_info"] = LANGUAGE_INFO
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            # A widget's view names a model that no longer exists once the kernel is gone.
            output.get("data", {}).pop(WIDGET_VIEW, None)


def faults(notebook):
    """Yield (cell index, message, remedy) for every output that no lesson should have."""
    for index, cell in enumerate(notebook.cells):
        kind = kind_of(cell)
        for output in cell.get("outputs", []):
            for message, remedy in _output_faults(kind, output):
                yield index, message, remedy
            pictured = "image/png" in output.get("data", {}) and kind != "claim"
            if pictured and "alt" not in cell.metadata:
                message = "The figure has no words for those who cannot see it."
                yield index, message, 'add alt="what the figure shows" to the header.'


def _output_faults(kind, output):
    if output.output_type == "error":
        message = f"The {kind} cell raised {output.ename}: {_short(output.evalue)}."
        yield message, "correct it, or what it calls."
        return
    if output.get("name") == "stderr":
        remedy = "avoid the warning; in a check it would cost the points."
        yield f"The {kind} cell wrote to stderr: {_short(output.text)}.", remedy
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    address = ADDRESS.search(text)
    if address:
        remedy = "end the cell with a semicolon or print something else."
        yield f"An output differs each time: '...{address.group(0)}'.", remedy


def _short(text):
    return " ".join(text.split())[:200].rstrip(".")
