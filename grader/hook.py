"""The name under which configurations of earlier versions find nbgrader's converters."""

from grader.nbgrader_plugin.converters import IntakeExporter, SandboxedExecute, name_notebook

__all__ = ["IntakeExporter", "SandboxedExecute", "name_notebook"]
