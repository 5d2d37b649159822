"""Where submissions are marked: processes of this machine, or a Dask cluster. One interface.

``with local.LocalExecutor(...) as executor: for key, outcome in executor.run(tasks): ...`` pulls
tasks as workers become free, so memory stays bounded however many there are, and yields each
outcome as soon as it is there.
"""
