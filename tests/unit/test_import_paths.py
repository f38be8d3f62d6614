import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from floe_dagster.user_code.import_paths import (
    ImportRoots,
    current_roots,
    list_modules_below,
    list_project_modules,
    set_up_import_paths,
)
from plugins.user_project import UserProject

COUNTED = """
    import builtins

    builtins.imported = [*getattr(builtins, "imported", []), __name__]
    """


class TestRoots:
    def test_a_folder_that_is_no_package(self, user_project: UserProject) -> None:
        user_project.write({"assets/__init__.py": "", "assets/bronze.py": "", "loose/gold.py": ""})

        roots = ImportRoots.of(user_project.path)

        assert (roots.project_dir, roots.root, roots.package) == (user_project.path, user_project.path, "")
        assert roots.absolute_name(".assets.bronze") == "assets.bronze"
        assert roots.module_name(user_project.path / "assets/bronze.py") == "assets.bronze"
        assert roots.module_name(user_project.path / "assets/__init__.py") == "assets"
        assert roots.module_name(user_project.path / "loose/gold.py") == "loose.gold"
        assert roots.module_name(user_project.path / "not-a-name.py") is None
        assert roots.module_name(user_project.path.parent / "elsewhere.py") is None

    def test_a_folder_inside_packages(self, user_project: UserProject) -> None:
        user_project.write({"shop/__init__.py": "", "shop/eu/__init__.py": "", "shop/eu/assets/bronze.py": ""})

        roots = ImportRoots.of(user_project.path / "shop/eu")

        assert (roots.root, roots.package) == (user_project.path, "shop.eu")
        assert roots.absolute_name(".assets.bronze") == "shop.eu.assets.bronze"
        assert roots.absolute_name("shop.eu.assets.bronze") == "shop.eu.assets.bronze"
        assert roots.module_name(user_project.path / "shop/eu/assets/bronze.py") == "shop.eu.assets.bronze"

    def test_libraries_below_the_project_are_not_the_projects(self, user_project: UserProject) -> None:
        roots = ImportRoots.of(user_project.path)

        assert roots.holds(str(user_project.path / "a.py"))
        assert not roots.holds(str(user_project.path / ".venv/lib/python3.11/site-packages/lib.py"))
        assert not roots.holds(str(user_project.path.parent / "a.py"))

    def test_the_other_files_beside_a_package_are_not_the_projects(self, user_project: UserProject) -> None:
        user_project.write({"shop/__init__.py": ""})

        roots = ImportRoots.of(user_project.path / "shop")

        assert roots.holds(str(user_project.path / "shop/a.py"))
        assert not roots.holds(str(user_project.path / "other/a.py"))


class TestSysPath:
    def test_a_package_comes_by_its_parent_first_and_its_own_folder_last(self, user_project: UserProject) -> None:
        user_project.write(
            {"shop/__init__.py": "", "shop/calendar.py": "raise ImportError('not the standard library')"}
        )

        set_up_import_paths(user_project.path / "shop")

        assert sys.path[0] == str(user_project.path)
        assert sys.path[-1] == str(user_project.path / "shop")
        assert "shop" not in str(importlib.import_module("calendar").__file__)

    def test_doing_it_again_changes_nothing(self, user_project: UserProject) -> None:
        set_up_import_paths(user_project.path)
        path, finders = list(sys.path), len(sys.meta_path)

        set_up_import_paths(user_project.path)

        assert (sys.path, len(sys.meta_path)) == (path, finders)

    def test_a_symbolic_link_is_the_folder_that_it_names(self, user_project: UserProject) -> None:
        user_project.write({"real/a.py": ""})
        (user_project.path / "link").symlink_to(user_project.path / "real")

        assert set_up_import_paths(user_project.path / "link").project_dir == user_project.path / "real"


class TestOneName:
    @pytest.mark.parametrize(
        ("files", "project", "names", "own"),
        [
            pytest.param(
                {"shop/__init__.py": "", "shop/assets/__init__.py": "", "shop/assets/bronze.py": COUNTED},
                "shop",
                ["assets.bronze", "shop.assets.bronze"],
                "shop.assets.bronze",
                id="a package, the short name first",
            ),
            pytest.param(
                {"shop/__init__.py": "", "shop/assets/__init__.py": "", "shop/assets/bronze.py": COUNTED},
                "shop",
                ["shop.assets.bronze", "assets.bronze"],
                "shop.assets.bronze",
                id="a package, the full name first",
            ),
            pytest.param(
                {"shop/assets/bronze.py": COUNTED},
                "shop",
                ["shop.assets.bronze", "assets.bronze"],
                "assets.bronze",
                id="no package, by the folder's name",
            ),
            pytest.param(
                {"shop/__init__.py": "", "shop/bronze.py": COUNTED},
                "shop",
                ["bronze", "shop.bronze"],
                "shop.bronze",
                id="a single file",
            ),
        ],
    )
    def test_a_file_is_imported_once(
        self, user_project: UserProject, files: dict[str, str], project: str, names: list[str], own: str
    ) -> None:
        user_project.write(files)
        set_up_import_paths(user_project.path / project)

        modules = [importlib.import_module(name) for name in names]

        assert modules[0] is modules[1]
        assert modules[0].__name__ == own
        assert modules[0].__spec__ is not None
        assert modules[0].__spec__.name == own

    def test_a_name_that_was_imported_before_the_set_up_stays_the_one(
        self, user_project: UserProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user_project.write({"orchestration/assets.py": "X = object()", "orchestration/__init__.py": ""})
        monkeypatch.syspath_prepend(user_project.path / "orchestration")
        early = importlib.import_module("assets")

        set_up_import_paths(user_project.path)

        assert importlib.import_module("orchestration.assets") is early

    def test_imports_in_the_users_own_modules_are_the_same_modules(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "shop/__init__.py": "",
                "shop/a.py": "X = object()",
                "shop/b.py": "from a import X\nfrom shop.a import X as Y\nfrom . import a\nimport a as again",
            }
        )
        set_up_import_paths(user_project.path / "shop")

        b = importlib.import_module("shop.b")

        assert b.X is b.Y
        assert b.a is b.again

    def test_a_circular_import_under_two_names(self, user_project: UserProject) -> None:
        user_project.write(
            {"shop/__init__.py": "", "shop/a.py": "import b\nX = 1", "shop/b.py": "import shop.a\nfrom shop import a"}
        )
        set_up_import_paths(user_project.path / "shop")

        assert importlib.import_module("shop.a").X == 1
        assert importlib.import_module("b") is importlib.import_module("shop.b")

    def test_a_library_is_left_alone(self, user_project: UserProject) -> None:
        user_project.write({"shop/__init__.py": "", "shop/json/__init__.py": "raise ImportError"})
        set_up_import_paths(user_project.path / "shop")

        assert importlib.import_module("json.tool").__name__ == "json.tool"


class TestSeveralProjects:
    def test_each_has_its_own_modules_under_the_same_names(self, user_project: UserProject) -> None:
        user_project.write({"one/assets/bronze.py": "WHERE = 'one'", "two/assets/bronze.py": "WHERE = 'two'"})

        found = []
        for name in ["one", "two", "one"]:
            set_up_import_paths(user_project.path / name)
            found.append(importlib.import_module("assets.bronze").WHERE)

        assert found == ["one", "two", "one"]
        roots = current_roots()
        assert roots is not None
        assert roots.project_dir == user_project.path / "one"


def test_listing_imports_nothing_and_passes_over_what_is_no_module(user_project: UserProject) -> None:
    raising = "raise AssertionError"
    user_project.write(
        {
            "shop/__init__.py": "",
            "shop/a.py": raising,
            "shop/below/b.py": raising,
            "shop/__main__.py": raising,
            "shop/.hidden/c.py": raising,
            "shop/__pycache__/d.py": raising,
            "shop/not-a-name/e.py": raising,
            "shop/venv/pyvenv.cfg": "",
            "shop/venv/lib/f.py": raising,
        }
    )
    roots = set_up_import_paths(user_project.path)

    below = list_modules_below(importlib.import_module("shop"))

    assert list(below) == ["shop", "shop.a", "shop.below.b"]
    assert list_project_modules(roots) == ("shop", "shop.__main__", "shop.a", "shop.below.b")


def test_other_processes_find_the_modules_by_the_same_names(user_project: UserProject) -> None:
    user_project.write({"shop/__init__.py": "", "shop/assets/bronze.py": "WHERE = __name__"})
    code = (
        "import sys; from pathlib import Path; from floe_dagster.user_code.import_paths import set_up_import_paths;"
        "set_up_import_paths(Path(sys.argv[1])); import assets.bronze; print(assets.bronze.WHERE)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(user_project.path / "shop")],
        cwd="/",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "shop.assets.bronze\n"
    assert Path.cwd() == user_project.path
