"""The project folder."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from floe_core.errors import DocumentError
from floe_core.project import ProjectFolder, find_project_dir


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "assets" / "deep").mkdir(parents=True)
    (folder / "floe.yaml").write_text("orchestration: {}\n")
    return folder


@pytest.mark.parametrize("start", [".", "assets", "assets/deep", "floe.yaml", "assets/../assets"])
def test_the_project_folder_is_found_upwards(shop: Path, start: str) -> None:
    assert find_project_dir(shop / start) == shop


def test_the_project_folder_is_found_from_a_relative_start(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop / "assets" / "deep")

    assert find_project_dir(Path()) == shop
    assert find_project_dir(Path("..")) == shop


def test_the_nearest_floe_yaml_counts(shop: Path) -> None:
    (shop / "assets" / "floe.yaml").write_text("orchestration: {}\n")

    assert find_project_dir(shop / "assets" / "deep") == shop / "assets"


def test_without_a_floe_yaml_the_error_says_where_was_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DocumentError) as raised:
        find_project_dir(tmp_path / "empty")

    assert str(raised.value) == snapshot("""\
error[FLOE-130]: there is no floe.yaml
  --> empty
  why: looked in empty and in every folder above it
  fix: run 'floe init', or name the folder with --project DIR\
""")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path.symlink_to(path.name), "floe.yaml is a link that leads back to itself"),
        (lambda path: path.symlink_to("nowhere"), "floe.yaml is a link to 'nowhere', which does not exist"),
        (lambda path: path.symlink_to("/dev/zero"), "floe.yaml is a device"),
        (lambda path: path.mkdir(), "floe.yaml is a folder"),
        (os.mkfifo, "floe.yaml is a pipe"),
    ],
    ids=["loop", "dangling link", "device", "folder", "pipe"],
)
def test_a_floe_yaml_that_is_no_file_is_told_and_no_other_one_is_taken(
    make: Callable[[Path], None], what: str, shop: Path
) -> None:
    make(shop / "assets" / "floe.yaml")

    with pytest.raises(DocumentError) as raised:
        find_project_dir(shop / "assets" / "deep")

    problem = raised.value.problems[0]
    assert (problem.code, problem.what) == ("FLOE-130", what)
    assert problem.location
    assert problem.location.file.endswith("shop/assets/floe.yaml")


def test_a_file_of_nearly_that_name_is_mentioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "floe.yml").touch()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DocumentError) as raised:
        find_project_dir(tmp_path)

    assert raised.value.problems[0].fix == "rename floe.yml to floe.yaml"


def test_the_floe_folder_ignores_itself(shop: Path) -> None:
    folder = ProjectFolder(shop).make_floe_dir()

    assert folder == shop / ".floe"
    assert (folder / ".gitignore").read_text().splitlines()[-1] == "*"
    assert ProjectFolder(shop).make_floe_dir() == folder
    assert sorted(path.name for path in shop.iterdir()) == [".floe", "assets", "floe.yaml"]


def test_a_gitignore_of_the_user_is_kept(shop: Path) -> None:
    (shop / ".floe").mkdir()
    (shop / ".floe" / ".gitignore").write_text("!keep\n")

    ProjectFolder(shop).make_floe_dir()

    assert (shop / ".floe" / ".gitignore").read_text() == "!keep\n"


def test_where_the_floe_folder_cannot_be_made_the_error_says_so(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / ".floe").write_text("a file in its place")
    monkeypatch.chdir(shop)

    with pytest.raises(DocumentError) as raised:
        ProjectFolder(shop).make_floe_dir()

    assert str(raised.value) == snapshot("""\
error[FLOE-131]: .floe cannot be written: File exists
  why: floe keeps compiled artifacts, caches and the embedded warehouse there
  fix: make the project folder writable; Dagster can load it from what 'floe compile' wrote elsewhere\
""")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_project_has_a_floe_folder_to_read_from(shop: Path) -> None:
    shop.chmod(0o500)
    try:
        with pytest.raises(DocumentError, match="cannot be written"):
            ProjectFolder(shop).make_floe_dir()
        assert ProjectFolder(shop).floe_dir == shop / ".floe"
    finally:
        shop.chmod(0o700)


def test_a_floe_folder_that_cannot_be_made_still_has_a_path(shop: Path) -> None:
    (shop / ".floe").write_text("a file in its place")

    assert ProjectFolder(shop).floe_dir == shop / ".floe"


def test_the_parent_of_the_topmost_package_is_found(tmp_path: Path) -> None:
    project = tmp_path / "src" / "company" / "shop"
    project.mkdir(parents=True)

    assert ProjectFolder(project).topmost_package_parent == project

    (project / "__init__.py").touch()
    assert ProjectFolder(project).topmost_package_parent == tmp_path / "src" / "company"

    (project.parent / "__init__.py").touch()
    assert ProjectFolder(project).topmost_package_parent == tmp_path / "src"


def test_the_repository_root_is_the_nearest_folder_with_git(shop: Path) -> None:
    (shop.parent / ".git").write_text("gitdir: elsewhere\n")

    assert ProjectFolder(shop).repository_root == shop.parent


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"),
        ("my shop (2)", "my-shop-2"),
        ("e-commerce_1", "e-commerce_1"),
        ("läden", "l-den"),
        ("--", "floe"),
    ],
)
def test_the_name_of_a_project_follows_from_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    assert ProjectFolder(tmp_path / folder).name == name


@pytest.mark.parametrize("name", ["C#", "what?", "a%20b", "50%c3"])
def test_a_folder_whose_name_means_something_else_in_urls_is_an_error(tmp_path: Path, name: str) -> None:
    shop = tmp_path / name / "shop"
    shop.mkdir(parents=True)

    with pytest.raises(DocumentError) as raised:
        ProjectFolder(shop).make_floe_dir()

    [problem] = raised.value.problems
    assert problem.code == "FLOE-132"
    assert problem.what in {f"the path of the project folder holds '{part}'" for part in ("#", "?", "%20", "%c3")}
    assert not (shop / ".floe").exists()


@pytest.mark.parametrize("name", ["100%", "50% off", "it's", 'a "b"', "größe", "[x]", "a b"])
def test_any_other_name_will_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    assert ProjectFolder(tmp_path / name).make_floe_dir().is_dir()
