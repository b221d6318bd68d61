"""What maintainers work on: files with texts not saved yet, checked, mended and watched."""

from clustergraph.workbench.files import Files, LooseFiles, ProjectFiles, project_above

__all__ = ["Files", "LooseFiles", "ProjectFiles", "project_above"]
