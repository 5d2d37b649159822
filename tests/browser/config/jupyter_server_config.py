"""What the tests' JupyterLab does otherwise than a student's: its kernels start warm."""

import sys
from pathlib import Path

# For the server alone: a kernel sees what it sees anywhere.
sys.path.append(str(Path(__file__).resolve().parents[3]))

c = get_config()  # noqa: F821  Jupyter defines it
c.AsyncMappingKernelManager.kernel_manager_class = "tests.browser.kernels.WarmKernelManager"
