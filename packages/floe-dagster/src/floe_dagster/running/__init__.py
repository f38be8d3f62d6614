"""Running a project: its instance, its code location, its runs."""
