"""Where a file is in its Git repository."""

from pathlib import Path

import pytest

from floe_dagster.observability.lineage.source_code import locate_code

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def repository(folder: Path, remote: str, *, head: str = "ref: refs/heads/main\n") -> Path:
    git = folder / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text(head)
    (git / "config").write_text(
        f'[core]\n\tbare = false\n[remote "up"]\n\turl = http://no\n[remote "origin"]\n\turl = {remote}\n'
    )
    (git / "refs/heads/main").write_text(f"{COMMIT}\n")
    file = folder / "models" / "orders.sql"
    file.parent.mkdir()
    file.write_text("select 1")
    return file


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:shop/lake.git", "https://github.com/shop/lake"),
        ("ssh://git@git.example:2222/shop/lake.git", "https://git.example/shop/lake"),
        ("https://ada:hunter22@git.example/shop/lake.git", "https://git.example/shop/lake"),
        ("https://git.example/shop/lake/", "https://git.example/shop/lake"),
    ],
)
def test_a_remote_is_shown_as_a_page_without_credentials(tmp_path: Path, remote: str, address: str) -> None:
    file = repository(tmp_path, remote)

    assert locate_code(file, 7) == {
        "type": "git",
        "url": f"{address}/blob/{COMMIT}/models/orders.sql#L7",
        "repoUrl": address,
        "path": "models/orders.sql",
        "version": COMMIT,
        "branch": "main",
    }


@pytest.mark.parametrize("remote", ["/srv/lake.git", "file:///srv/lake.git"])
def test_a_repository_that_is_published_nowhere_is_not_told(tmp_path: Path, remote: str) -> None:
    assert locate_code(repository(tmp_path, remote)) is None


def test_a_commit_may_be_checked_out_by_itself(tmp_path: Path) -> None:
    found = locate_code(repository(tmp_path, "git@github.com:shop/lake.git", head=COMMIT))

    assert found is not None
    assert (found["version"], "branch" in found) == (COMMIT, False)


def test_packed_references_and_worktrees_are_read(tmp_path: Path) -> None:
    repository(tmp_path / "main", "git@github.com:shop/lake.git")
    git = tmp_path / "main" / ".git"
    (git / "refs/heads/main").unlink()
    (git / "packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/side\n")
    (git / "worktrees/side").mkdir(parents=True)
    (git / "worktrees/side/HEAD").write_text("ref: refs/heads/side\n")
    (git / "worktrees/side/commondir").write_text("../..\n")
    (tmp_path / "side").mkdir()
    (tmp_path / "side" / ".git").write_text(f"gitdir: {git}/worktrees/side\n")

    found = locate_code(tmp_path / "side" / "a.py")

    assert found is not None
    assert (found["version"], found["path"], found["branch"]) == (COMMIT, "a.py", "side")


def test_a_folder_without_a_repository_is_nowhere(tmp_path: Path) -> None:
    assert locate_code(tmp_path / "a.py") is None


def test_a_broken_repository_is_nowhere(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()

    assert locate_code(tmp_path / "a.py") is None
