"""Kernels of the tests' JupyterLab that start warm, as those of the build do (publish.kernels)."""

from jupyter_server.services.kernels.kernelmanager import ServerKernelManager

from publish.kernels import HEAVY, WarmProvisioner

# Kernels that start as Jupyter starts them: a check, a table, figures and a slider are seen there.
COLD = ("00_start.ipynb", "03_baseline_critic.ipynb")
# What a kernel sets for itself, before it imports Matplotlib.
INLINE = "module://matplotlib_inline.backend_inline"


class WarmKernelManager(ServerKernelManager):
    """The server's, which forks each kernel but those of the notebooks named above."""

    async def _async_pre_start_kernel(self, **options):
        environment = options.get("env", {})
        if not environment.get("JPY_SESSION_NAME", "").endswith(COLD):
            environment["MPLBACKEND"] = INLINE
            self.provisioner = WarmProvisioner(
                kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
            )
            self.provisioner.imports, self.provisioner.settings = HEAVY, {}
        return await super()._async_pre_start_kernel(**options)

    pre_start_kernel = _async_pre_start_kernel
