"""What has to hold for the three packages to find each other, and nobody else's."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGES = sorted((ROOT / "packages").iterdir())
PINNED = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ;]+)( ; .+)?")


def read_project(package: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def read_pins() -> dict[str, str]:
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    matches = [PINNED.fullmatch(line) for line in lines if not line.startswith("#")]
    assert all(matches), "a line of the constraints is not name==version, with a marker at most"
    return {match["name"]: match["version"] for match in matches if match}


def test_all_packages_have_one_version_that_no_index_can_hold() -> None:
    versions = {read_project(package)["version"] for package in PACKAGES}

    assert len(PACKAGES) == 3
    assert len(versions) == 1
    assert "+" in versions.pop()


def test_the_packages_name_each_other_by_that_version_alone() -> None:
    own = {read_project(package)["name"]: read_project(package)["version"] for package in PACKAGES}
    between = [
        Requirement(text)
        for package in PACKAGES
        for text in read_project(package)["dependencies"]
        if Requirement(text).name in own
    ]

    assert sorted(str(requirement) for requirement in between) == sorted(
        f"{requirement.name}=={own[requirement.name]}" for requirement in between
    )
    assert {requirement.name for requirement in between} == {"floe-core", "floe-dagster"}


def test_namesakes_on_an_index_are_refused(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    pins = read_pins()
    for text in read_project(ROOT / "packages" / "floe-cli")["dependencies"]:
        name = Requirement(text).name
        if name in pins:  # what the package asks for beside the other two is there
            write_empty_wheel(index, name, pins[name])
    for version in ("1.0.0", "1.0.0.post1", "99.0"):
        write_empty_wheel(index, "floe_core", version)
        write_empty_wheel(index, "floe_dagster", version)

    result = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--isolated", "install", "--dry-run", "--disable-pip-version-check"),
            *("--no-index", "--find-links", str(index), "--no-build-isolation", "--target", str(tmp_path / "target")),
            str(ROOT / "packages" / "floe-cli"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))},
    )

    assert result.returncode != 0
    assert "No matching distribution found for floe-core==1.0.0+floe" in result.stderr


def write_empty_wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize("source", [*(package.name for package in PACKAGES), ".ci/tools.txt"])
def test_every_dependency_is_pinned_to_a_version_in_its_range(source: str) -> None:
    pins = read_pins()
    if source.endswith(".txt"):
        lines = (ROOT / source).read_text(encoding="utf-8").splitlines()
        wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    else:
        wanted = [Requirement(text) for text in read_project(ROOT / "packages" / source)["dependencies"]]

    wrong = [
        str(requirement)
        for requirement in wanted
        if not requirement.name.startswith("floe-")
        and not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]

    assert wanted
    assert wrong == []


def test_no_file_of_the_project_says_where_packages_come_from() -> None:
    files = [ROOT / "pyproject.toml", *(ROOT / ".ci").iterdir(), *(package / "pyproject.toml" for package in PACKAGES)]

    assert [
        path.name for path in files if re.search(r"(?<!emit-)index-url|https?://", path.read_text(encoding="utf-8"))
    ] == []
    assert "uv.lock" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
