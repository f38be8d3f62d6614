"""What a watched folder holds: only regular files that match, whatever else is there."""

import os
import shutil
from pathlib import Path

import pytest

from floe_dagster.sensors.file_listing import FilePattern, FolderUnavailableError, list_folder, show_path


def listed(root: Path, pattern: str = "*") -> list[str]:
    return sorted(show_path(file.path) for file in list_folder(root, FilePattern.of(pattern)).files)


def write(root: Path, *names: str | bytes) -> None:
    for name in names:
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")


@pytest.mark.requirement("010-FR-030")
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["a.csv", "b.txt"]),
        ("*.csv", ["a.csv"]),
        ("./*.csv", ["a.csv"]),
        ("?.txt", ["b.txt"]),
        ("[!a].*", ["b.txt"]),
        ("*/*.csv", ["eu/c.csv", "us/d.csv"]),
        ("eu/*", ["eu/c.csv"]),
        ("{eu,us/deep}/*.csv", ["eu/c.csv", "us/deep/e.csv"]),
        ("**", ["a.csv", "b.txt", "eu/c.csv", "us/d.csv", "us/deep/e.csv"]),
        ("**/*.csv", ["a.csv", "eu/c.csv", "us/d.csv", "us/deep/e.csv"]),
        ("us/**/*.csv", ["us/d.csv", "us/deep/e.csv"]),
        (".*", [".hidden"]),
        ("none", []),
    ],
)
def test_a_pattern_reaches_what_a_shell_finds(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    write(tmp_path, "a.csv", "b.txt", "eu/c.csv", "us/d.csv", "us/deep/e.csv", ".hidden", ".cache/f.csv")

    assert listed(tmp_path, pattern) == expected


def test_names_of_any_bytes_are_files(tmp_path: Path) -> None:
    write(tmp_path, b"a\xff.csv", "line\nbreak.csv", "\N{SNOWMAN}\N{GRINNING FACE}.csv", " .csv", "{file.name}.csv")

    assert listed(tmp_path, "*.csv") == [
        " .csv",
        r"a\xff.csv",
        "line\nbreak.csv",
        "{file.name}.csv",
        "\N{SNOWMAN}\N{GRINNING FACE}.csv",
    ]


def test_what_is_no_regular_file_is_none(tmp_path: Path) -> None:
    write(tmp_path, "file.csv")
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "broken.csv").symlink_to("nowhere")
    (tmp_path / "circle.csv").symlink_to("circle.csv")
    (tmp_path / "device.csv").symlink_to("/dev/null")
    (tmp_path / "link.csv").symlink_to("file.csv")

    found = list_folder(tmp_path, FilePattern.of("*.csv"))

    assert sorted(file.path for file in found.files) == ["file.csv", "link.csv"]
    assert found.problems == []


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    write(tmp_path / "in", "a/x.csv")
    write(tmp_path / "out", "y.csv")
    (tmp_path / "in" / "other").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "a" / "up").symlink_to("..")
    (tmp_path / "in" / "self").symlink_to(".")

    assert listed(tmp_path / "in", "**/*.csv") == ["a/x.csv", "other/y.csv"]


def test_a_broken_link_is_a_file_as_soon_as_it_leads_to_one(tmp_path: Path) -> None:
    (tmp_path / "late.csv").symlink_to("target")
    assert listed(tmp_path) == []

    write(tmp_path, "target")

    assert listed(tmp_path, "*.csv") == ["late.csv"]


def test_a_folder_knows_its_place_and_itself(tmp_path: Path) -> None:
    write(tmp_path, "a/b/c.csv")
    first = list_folder(tmp_path, FilePattern.of("**"))
    (tmp_path / "a").rename(tmp_path / "z")
    shutil.copytree(tmp_path / "z", tmp_path / "a")

    again = list_folder(tmp_path, FilePattern.of("**"))

    assert [folder.parent for folder in first.folders] == [-1, 0, 1]
    assert {folder.key for folder in first.folders} & {folder.key for folder in again.folders} == {first.folders[0].key}


@pytest.mark.parametrize("kind", ["missing", "file", "below a file", "circle"])
def test_a_folder_that_is_not_there_says_why(tmp_path: Path, kind: str) -> None:
    write(tmp_path, "file")
    (tmp_path / "circle").symlink_to("circle")
    path = tmp_path / ("file/below" if kind == "below a file" else kind)

    with pytest.raises(FolderUnavailableError) as raised:
        listed(path)

    assert (
        str(raised.value)
        == {
            "missing": f"folder '{path}' does not exist",
            "file": f"'{path}' is no folder",
            "below a file": f"'{path}' is no folder",
            "circle": f"folder '{path}' cannot be read: Too many levels of symbolic links",
        }[kind]
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, "open/a.csv", "closed/b.csv")
    (tmp_path / "closed").chmod(0)
    try:
        found = list_folder(tmp_path, FilePattern.of("**/*.csv"))
    finally:
        (tmp_path / "closed").chmod(0o755)

    assert [file.path for file in found.files] == ["open/a.csv"]
    assert found.problems == ["'closed' cannot be read: Permission denied"]
