"""How much one submission may use."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Limits:
    """Seconds of wall time, megabytes (2**20 bytes), kilobytes (2**10 bytes), and counts.
    output_kb: what is kept of a cell's output; all_output_kb: of all cells together; printed_kb:
    where a cell is stopped."""

    cell_seconds: float = 30
    submission_seconds: float = 120
    start_seconds: float = 20
    grace_seconds: float = 2
    memory_mb: int = 2048
    files_mb: int = 64
    output_kb: int = 64
    all_output_kb: int = 2048
    printed_kb: int = 4096
    processes: int = 64
    cores: float = 1.0
    open_files: int = 256
    reply_mb: int = 64
    asks: int = 200_000

    def plain(self) -> dict:
        """A dict that travels as JSON."""
        return asdict(self)
