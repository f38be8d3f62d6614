"""Where a file is in its Git repository, read from the repository's own files."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from floe_dagster.observability.masking import without_credentials

_SSH = re.compile(r"(?:ssh://)?[\w.-]+@([\w.-]+)(?::(?!\d+/)|(?::\d+)?/)(.+)")
_URL = re.compile(r"""^\s*url\s*=\s*["']?([^"'\s]+)""", re.MULTILINE)
_SHA = re.compile(r"[0-9a-f]{40,64}")
_BRANCH = "ref: refs/heads/"


@dataclass(frozen=True, slots=True)
class Repository:
    """A working tree: where it is, where it is published, and what is checked out."""

    folder: Path
    url: str
    commit: str
    branch: str


def locate_code(file: str | Path, line: int | None = None) -> dict[str, str] | None:
    """Where *file* can be read, as OpenLineage's facet has it; None where its repository is published nowhere."""
    path = Path(file)
    repository = find_repository(path.parent)
    if repository is None or not repository.url:
        return None
    inside = path.resolve().relative_to(repository.folder).as_posix()
    url = f"{repository.url}/blob/{repository.commit or repository.branch or 'HEAD'}/{inside}"
    values = {
        "type": "git",
        "url": f"{url}#L{line}" if line is not None else url,
        "repoUrl": repository.url,
        "path": inside,
        "version": repository.commit,
        "branch": repository.branch,
    }
    return {name: value for name, value in values.items() if value}


@cache
def find_repository(folder: Path) -> Repository | None:
    """The repository that *folder* is in."""
    for parent in (folder.resolve(), *folder.resolve().parents):
        marker = parent / ".git"
        if marker.exists():
            try:
                return _read(parent, marker)
            except (OSError, UnicodeDecodeError):
                return None
    return None


def _read(folder: Path, marker: Path) -> Repository:
    git = marker if marker.is_dir() else folder / marker.read_text().removeprefix("gitdir:").strip()
    common = git / "commondir"
    shared = (git / common.read_text().strip()) if common.is_file() else git
    head = (git / "HEAD").read_text().strip()
    branch = head.removeprefix(_BRANCH) if head.startswith(_BRANCH) else ""
    return Repository(folder, _web_address(_read_remote(shared / "config")), _read_commit(shared, head), branch)


def _read_remote(config: Path) -> str:
    """The address of `origin`, else of the remote that comes first."""
    sections = re.split(r"^\[", config.read_text(), flags=re.MULTILINE)
    remotes = [section for section in sections if section.startswith("remote ")]
    remotes.sort(key=lambda section: not section.startswith('remote "origin"'))
    found = (_URL.search(section) for section in remotes)
    return next((match[1] for match in found if match), "")


def _web_address(remote: str) -> str:
    ssh = _SSH.fullmatch(remote)
    address = f"https://{ssh[1]}/{ssh[2]}" if ssh else without_credentials(remote)
    return address.removesuffix("/").removesuffix(".git") if address.startswith(("http://", "https://")) else ""


def _read_commit(git: Path, head: str) -> str:
    if _SHA.fullmatch(head):
        return head
    name = head.removeprefix("ref:").strip()
    loose = git / name
    if loose.is_file():
        return loose.read_text().strip()
    packed = git / "packed-refs"
    lines = packed.read_text().splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")
