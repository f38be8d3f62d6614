import pytest
from inline_snapshot import snapshot

from floe_core.errors import Location, TargetError
from floe_dagster.targets import load_callable, load_target
from floe_dagster.user_code.import_paths import set_up_import_paths
from plugins.user_project import UserProject

LOCATION = Location("floe.yaml", 12, 24, "orchestration.jobs.vacuum.target_function", "target_function: …")


FILES = {
    "shop/__init__.py": "",
    "shop/ops/__init__.py": "from shop.ops.vacuum import vacuum_old_snapshots",
    "shop/ops/vacuum.py": """
        import json

        RETENTION = 30

        class Maintenance:
            @staticmethod
            def compact():
                return "compacted"

        def vacuum_old_snapshots():
            return "vacuumed"
        """,
    "shop/ops/report.py": "def report(): ...",
    "shop/broken.py": "def f(:",
    "shop/raising.py": """
        settings = {}

        def read():
            return settings["retention"]

        read()
        """,
    "shop/needs.py": "import no_such_library",
    "shop/lazy.py": """
        def __getattr__(name):
            raise ValueError(name)
        """,
}


@pytest.fixture(autouse=True)
def shop(user_project: UserProject) -> None:
    user_project.write(FILES)
    set_up_import_paths(user_project.path)


def message(reference: str) -> str:
    with pytest.raises(TargetError) as caught:
        load_callable(reference, location=LOCATION)
    return f"\n{caught.value}\n"


def test_a_function_of_a_module() -> None:
    assert load_callable("shop.ops.vacuum.vacuum_old_snapshots")() == "vacuumed"


def test_a_function_that_a_package_exports() -> None:
    assert load_callable("shop.ops.vacuum_old_snapshots")() == "vacuumed"


def test_a_method_of_a_class() -> None:
    assert load_callable("shop.ops.vacuum.Maintenance.compact")() == "compacted"


def test_a_function_named_like_its_module() -> None:
    assert load_target("shop.ops.report.report", location=LOCATION).__name__ == "report"  # type: ignore[attr-defined] # a function


def test_what_is_no_function() -> None:
    assert load_target("shop.ops.vacuum.RETENTION") == 30
    assert message("shop.ops.vacuum.RETENTION") == snapshot("""\

error[FLOE-312]: 'shop.ops.vacuum.RETENTION' is of type int, which cannot be called
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
  why: a function is wanted here
""")


def test_a_misspelt_function() -> None:
    assert message("shop.ops.vacuum.vacuum_old_snapshot") == snapshot("""\

error[FLOE-311]: module 'shop.ops.vacuum' has no 'vacuum_old_snapshot'
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
  why: it defines Maintenance, vacuum_old_snapshots
  fix: did you mean 'shop.ops.vacuum.vacuum_old_snapshots'?
""")


def test_a_misspelt_method() -> None:
    assert message("shop.ops.vacuum.Maintenance.compct") == snapshot("""\

error[FLOE-311]: class 'shop.ops.vacuum.Maintenance' has no 'compct'
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
  why: it defines compact
  fix: did you mean 'shop.ops.vacuum.Maintenance.compact'?
""")


def test_a_misspelt_module() -> None:
    assert message("shop.ops.vacum.vacuum_old_snapshots") == snapshot("""\

error[FLOE-301]: module 'shop.ops.vacum' does not exist
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
  why: there is no 'vacum' in package 'shop.ops' (shop/ops/), which holds report, vacuum
  fix: did you mean 'shop.ops.vacuum'?
""")


def test_a_misspelt_package() -> None:
    assert message("shopp.ops.vacuum.vacuum_old_snapshots") == snapshot("""\

error[FLOE-301]: module 'shopp.ops.vacuum' does not exist
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
  why: there is no 'shopp' in the project folder (.) or on Python's path
  fix: did you mean 'shop.ops.vacuum'?
""")


def test_a_module_instead_of_a_function() -> None:
    assert message("shop.ops.report") == snapshot("""\

error[FLOE-311]: 'shop.ops.report' names a module, not something in it
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
  why: the module defines report
  fix: did you mean 'shop.ops.report.report'?
""")


def test_nothing_is_suggested_for_a_module_that_is_near_nothing_in_it(user_project: UserProject) -> None:
    user_project.write({"shop/ops/daily.py": "LIMIT = 3\n\n\ndef vacuum(): ...\n"})

    text = message("shop.ops.daily")

    assert "  why: the module defines vacuum\n" in text
    assert "  fix: add a dot and the name of the function\n" in text


def test_a_syntax_error_in_the_module() -> None:
    assert message("shop.broken.f") == snapshot("""\

error[FLOE-302]: module 'shop.broken' cannot be parsed
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
      shop/broken.py:1:7
          def f(:
                ^
      SyntaxError: invalid syntax
""")


def test_an_exception_while_importing() -> None:
    assert message("shop.raising.read") == snapshot("""\

error[FLOE-303]: module 'shop.raising' raises KeyError when it is imported
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
      shop/raising.py:6
          read()
      shop/raising.py:4 in read
          return settings["retention"]
      KeyError: 'retention'
""")


def test_a_library_that_is_not_installed() -> None:
    assert message("shop.needs.anything") == snapshot("""\

error[FLOE-304]: module 'shop.needs' imports 'no_such_library', which is not installed
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
      shop/needs.py:1
          import no_such_library
      ModuleNotFoundError: No module named 'no_such_library'
  fix: install what provides 'no_such_library' into the environment that runs floe
""")


def test_an_exception_of_the_modules_own_lookup() -> None:
    assert message("shop.lazy.anything") == snapshot("""\

error[FLOE-303]: 'shop.lazy.anything' raises ValueError when it is looked up
  --> floe.yaml:12:24  orchestration.jobs.vacuum.target_function
   |  target_function: …
      shop/lazy.py:2 in __getattr__
          raise ValueError(name)
      ValueError: anything
""")
