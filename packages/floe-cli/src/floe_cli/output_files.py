"""Writing the file that an option names."""

from pathlib import Path

from floe_core.errors import Problem, RunError, shown_path


class OutputError(RunError):
    """The file that an option names cannot be written."""

    exit_code = 2


def check_folder(file: Path, option: str) -> None:
    """Find out that *file* has no place before anything is made for it.

    Raises:
        OutputError: The folder in which *option* wants it is not there.
    """
    if not file.parent.is_dir():
        folder = shown_path(file.parent)
        raise OutputError(
            Problem(
                "FLOE-457",
                f"{option} cannot write {shown_path(file)}: there is no folder {folder}",
                why="only the file is made, not the folder that it is to lie in: a slip in its name would go unseen",
                fix=f"mkdir -p {folder}",
            )
        )


def write_output(file: Path, text: str, option: str) -> None:
    """Write *text* into *file*, which may be there already.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        why = f"the system says: {error.strerror or error}"
        what = f"{option} cannot write {shown_path(file)}"
        raise OutputError(Problem("FLOE-457", what, why=why, fix="name another file")) from error
