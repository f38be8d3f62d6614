import signal
import sys
from pathlib import Path

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_core.errors import AssetModuleError
from floe_core.project import ProjectFolder
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.yaml_source import parse_yaml
from floe_dagster.loaders.asset_loader import load_assets
from floe_dagster.selection.asset_index import AssetIndex
from floe_dagster.user_code.loaded_modules import LoadedModules
from plugins.user_project import UserProject

BRONZE = """
    from floe_dagster.assets import floe_asset

    @floe_asset(group_name="bronze", description="All customers", compute_kind="csv", outputs=["bronze.customers"])
    def bronze_customers():
        return {"rows": 1}

    @floe_asset(group_name="bronze", outputs=["bronze.orders"])
    def bronze_orders():
        return {"rows": 2}
    """
GOLD = """
    from floe_dagster.assets import floe_asset
    from shop.assets.bronze import bronze_customers

    @floe_asset(group_name="gold", deps=[bronze_customers], inputs=["bronze.orders"])
    def gold_revenue():
        return {"rows": 3}
    """
SHOP = {
    "shop/__init__.py": "",
    "shop/assets/__init__.py": "",
    "shop/assets/bronze.py": BRONZE,
    "shop/assets/gold.py": GOLD,
}


def load(project: UserProject, entries: str, *, skip_files: frozenset[Path] = frozenset()) -> LoadedModules:
    """Load a floe.yaml whose `asset_modules` is *entries*, in flow style."""
    text = f"orchestration:\n  asset_modules: {entries}\n"
    document = parse_yaml(text, file=project.path / "floe.yaml")
    assert isinstance(document.value, dict)
    config = OrchestrationConfig.model_validate(document.value["orchestration"])
    return load_assets(
        config.asset_modules, project=ProjectFolder(project.path), source=document.source, skip_files=skip_files
    )


def labels(loaded: LoadedModules) -> list[str]:
    return [node.label for node in AssetIndex.from_assets(loaded.assets).nodes.values()]


def message(project: UserProject, entries: str, *, skip_files: frozenset[Path] = frozenset()) -> str:
    with pytest.raises(AssetModuleError) as caught:
        load(project, entries, skip_files=skip_files)
    return f"\n{caught.value}\n"


class TestEntries:
    @pytest.mark.requirement("010-FR-002", "010-FR-003")
    def test_several_modules_and_what_they_import_from_one_another(self, user_project: UserProject) -> None:
        user_project.write(SHOP)

        loaded = load(user_project, "[shop.assets.gold, shop.assets.bronze]")

        index = AssetIndex.from_assets(loaded.assets)
        assert list(index.nodes) == [("gold_revenue",), ("bronze_customers",), ("bronze_orders",)]
        assert index.nodes["bronze_customers",].group == "bronze"
        assert index.nodes["bronze_customers",].kinds == {"csv"}
        assert loaded.assets[1].get_asset_spec().description == "All customers"  # type: ignore[union-attr]
        assert loaded.origins["bronze_customers",] == "shop/assets/bronze.py:3"

    @pytest.mark.requirement("010-FR-005")
    @pytest.mark.parametrize(
        "entry",
        [
            pytest.param(".assets.bronze", id="relative"),
            pytest.param("assets.bronze", id="absolute from the project folder"),
            pytest.param("shop.assets.bronze", id="absolute from the project folder's own name"),
        ],
    )
    def test_a_project_folder_that_is_no_package(self, user_project: UserProject, entry: str) -> None:
        folder = UserProject(user_project.path / "shop")
        folder.write({"assets/__init__.py": "", "assets/bronze.py": BRONZE})

        loaded = load(folder, f"[{entry}]")

        assert labels(loaded) == ["bronze_customers", "bronze_orders"]
        assert sys.modules["assets.bronze"].__name__ == "assets.bronze"

    @pytest.mark.requirement("010-FR-005")
    @pytest.mark.parametrize("entry", [".assets.bronze", "assets.bronze", "shop.assets.bronze"])
    def test_a_project_folder_that_is_a_package(self, user_project: UserProject, entry: str) -> None:
        user_project.write(SHOP)

        loaded = load(UserProject(user_project.path / "shop"), f"[{entry}]")

        assert labels(loaded) == ["bronze_customers", "bronze_orders"]
        assert loaded.assets[0].op.compute_fn.decorated_fn.__module__ == "shop.assets.bronze"  # type: ignore[union-attr]

    def test_every_module_below_a_package(self, user_project: UserProject) -> None:
        user_project.write(
            {
                **SHOP,
                "shop/assets/deep/er/x.py": "import dagster as dg\n\n@dg.asset\ndef deepest(): ...",
                "shop/assets/__main__.py": "raise SystemExit('a script')",
                "shop/assets/helpers.py": "def helper(): ...",
                "shop/assets/not-a-module.py": "raise ValueError",
                "shop/assets/definitions.py": """
                    from floe_dagster import FloeDefinitions

                    defs = FloeDefinitions.from_compiled_artifacts()
                    """,
                "shop/assets/about.py": '''
                    """How to call FloeDefinitions.from_compiled_artifacts()."""
                    import dagster as dg

                    about = dg.AssetSpec("about")
                    ''',
                "shop/assets/caller.py": "raise ValueError('already running')",
            }
        )

        loaded = load(
            user_project, "[shop.assets.*]", skip_files=frozenset({user_project.path / "shop/assets/caller.py"})
        )

        assert labels(loaded) == ["about", "bronze_customers", "bronze_orders", "deepest", "gold_revenue"]

    def test_an_entry_that_names_a_module_comes_before_a_pattern(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "shop/__init__.py": "",
                "shop/a.py": "import dagster as dg\n@dg.asset\ndef one(): ...",
                "shop/b.py": "import dagster as dg\n@dg.asset\ndef two(): ...",
            }
        )

        loaded = load(user_project, "[{module: shop.*, group_name: rest}, {module: shop.b, group_name: own}]")

        index = AssetIndex.from_assets(loaded.assets)
        assert {node.label: node.group for node in index.nodes.values()} == {"one": "rest", "two": "own"}

    def test_no_entries(self, user_project: UserProject) -> None:
        assert load(user_project, "[]") == LoadedModules()


class TestContents:
    def test_everything_that_dagster_can_load_is_loaded_once(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "everything.py": """
                    import dagster as dg
                    from dagster.components.definitions import definitions

                    @dg.asset
                    def plain(): ...

                    same = plain

                    @dg.multi_asset(specs=[dg.AssetSpec("multi_a"), dg.AssetSpec("multi_b")])
                    def multi(): ...

                    @dg.op
                    def one():
                        return 1

                    @dg.graph_asset
                    def from_graph():
                        return one()

                    external = dg.AssetSpec("external")
                    many = [dg.AssetSpec("listed_a"), dg.AssetSpec("listed_b")]
                    by_name = {"x": dg.AssetSpec("from_dict")}

                    @dg.asset_check(asset=plain)
                    def fine():
                        return dg.AssetCheckResult(passed=True)

                    assets_job = dg.define_asset_job("assets_job", selection="plain")

                    @dg.job
                    def ops_job():
                        one()

                    nightly = dg.ScheduleDefinition(job=assets_job, cron_schedule="0 0 * * *", name="nightly")
                    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
                    def daily(): ...

                    partitioned = dg.build_schedule_from_partitioned_job(
                        dg.define_asset_job("daily_job", selection="daily")
                    )

                    @dg.sensor(job=ops_job)
                    def watcher(context): ...

                    @dg.asset
                    def inside(): ...

                    api = dg.ResourceDefinition.none_resource()
                    defs = dg.Definitions(assets=[plain, inside], resources={"api": api})

                    @definitions
                    def lazily():
                        return dg.Definitions(assets=[dg.AssetSpec("lazy")])
                    """,
                "again.py": "from everything import *",
            }
        )

        loaded = load(user_project, "[again, everything]")

        assert sorted(labels(loaded)) == snapshot(
            [
                "daily",
                "external",
                "from_dict",
                "from_graph",
                "inside",
                "lazy",
                "listed_a",
                "listed_b",
                "multi_a",
                "multi_b",
                "plain",
            ]
        )
        assert [check.check_key.name for check in loaded.checks] == ["fine"]
        assert [job.name for job in loaded.jobs] == ["assets_job", "ops_job"]
        assert [schedule.name for schedule in loaded.schedules] == ["nightly", "daily_job_schedule"]
        assert [sensor.name for sensor in loaded.sensors] == ["watcher"]
        assert list(loaded.resources) == ["api"]
        assert loaded.places == snapshot(
            {
                "job assets_job": "everything.py:28",
                "job ops_job": "everything.py:30",
                "schedule nightly": "everything.py:34",
                "schedule daily_job_schedule": "everything.py:38",
                "sensor watcher": "everything.py:42",
                "resource api": "everything.py:49",
            }
        )
        assert loaded.origins == snapshot(
            {
                ("plain",): "everything.py:4",
                ("multi_a",): "everything.py:9",
                ("multi_b",): "everything.py:9",
                ("from_graph",): "everything.py:16",
                ("external",): "everything.py:20",
                ("listed_a",): "everything.py:21",
                ("listed_b",): "everything.py:21",
                ("from_dict",): "everything.py:22",
                ("daily",): "everything.py:35",
                ("inside",): "everything.py:45",
                ("lazy",): "everything.py:51",
            }
        )
        definitions = dg.Definitions(
            assets=loaded.assets,
            asset_checks=loaded.checks,
            jobs=loaded.jobs,
            schedules=loaded.schedules,
            sensors=loaded.sensors,
            resources=loaded.resources,
        )
        dg.Definitions.validate_loadable(definitions)

    def test_the_specs_of_a_multi_asset_are_not_external_assets(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "shop.py": """
                    import dagster as dg

                    SPECS = [dg.AssetSpec("a", group_name="x", tags={"t": "1"}), dg.AssetSpec("b")]

                    @dg.multi_asset(specs=SPECS)
                    def both(): ...
                    """
            }
        )

        loaded = load(user_project, "[shop]")

        assert len(loaded.assets) == 1

    def test_the_group_of_the_entry_goes_to_assets_without_one(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "shop.py": """
                    import dagster as dg

                    @dg.asset
                    def plain(): ...

                    @dg.asset(group_name="own")
                    def grouped(plain): ...

                    @dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("b", group_name="own")])
                    def both(): ...

                    external = dg.AssetSpec("external")
                    """
            }
        )

        loaded = load(user_project, "[{module: shop, group_name: bronze}]")

        groups = {node.label: node.group for node in AssetIndex.from_assets(loaded.assets).nodes.values()}
        assert groups == {"plain": "bronze", "grouped": "own", "a": "bronze", "b": "own", "external": "bronze"}

    def test_the_prefix_of_the_entry_goes_before_keys_and_wherever_they_are_referred_to(
        self, user_project: UserProject
    ) -> None:
        user_project.write(
            {
                "bronze.py": """
                    import dagster as dg

                    raw = dg.AssetSpec("raw")

                    @dg.asset(deps=[raw])
                    def customers():
                        return 1

                    @dg.asset_check(asset=customers)
                    def fine():
                        return dg.AssetCheckResult(passed=True)
                    """,
                "gold.py": """
                    import dagster as dg
                    from bronze import customers

                    @dg.asset(key_prefix="gold", deps=["other"])
                    def revenue(customers):
                        return customers + 1

                    @dg.asset(deps=[customers])
                    def report(): ...
                    """,
            }
        )

        loaded = load(user_project, "[{module: bronze, key_prefix: [lake, bronze]}, gold]")

        index = AssetIndex.from_assets(loaded.assets)
        assert {node.label: sorted(node.deps) for node in index.nodes.values()} == snapshot(
            {
                "lake/bronze/raw": [],
                "lake/bronze/customers": [("lake", "bronze", "raw")],
                "gold/revenue": [("lake", "bronze", "customers"), ("other",)],
                "report": [("lake", "bronze", "customers")],
            }
        )
        assert loaded.checks[0].check_key.asset_key == dg.AssetKey(["lake", "bronze", "customers"])
        result = dg.materialize(
            [asset for asset in loaded.assets if isinstance(asset, dg.AssetsDefinition | dg.AssetSpec)]
        )
        assert result.success


class TestDefinedTwice:
    def test_an_asset(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "shop/__init__.py": "",
                "shop/bronze.py": "import dagster as dg\n\n@dg.asset\ndef orders(): ...",
                "shop/gold.py": "import dagster as dg\n\n\n\norders = dg.AssetSpec('orders')",
            }
        )

        assert message(user_project, "[shop.bronze, shop.gold]") == snapshot("""\

error[FLOE-360]: asset 'orders' is defined twice
  --> floe.yaml:2:32  orchestration.asset_modules[1]
   |  asset_modules: [shop.bronze, shop.gold]
  why: in shop/bronze.py:3 (shop.bronze) and in shop/gold.py:5 (shop.gold)
  fix: rename one of them, or give its module a key_prefix
""")

    def test_names_and_resources(self, user_project: UserProject) -> None:
        module = """
            import dagster as dg

            @dg.asset
            def {name}(): ...

            job = dg.define_asset_job("load", selection="{name}")
            defs = dg.Definitions(resources={{"api": dg.ResourceDefinition.hardcoded_resource("{name}")}})

            @dg.asset_check(asset="a", name="fine")
            def check_{name}():
                return dg.AssetCheckResult(passed=True)
            """
        user_project.write({"one.py": module.format(name="a"), "two.py": module.format(name="b")})

        assert message(user_project, "[one, two]") == snapshot("""\

error[FLOE-360]: asset check 'a:fine' is defined twice
  --> floe.yaml:2:24  orchestration.asset_modules[1]
   |  asset_modules: [one, two]
  why: in one.py:9 (one) and in two.py:9 (two)
  fix: rename one of them

error[FLOE-360]: job 'load' is defined twice
  --> floe.yaml:2:24  orchestration.asset_modules[1]
   |  asset_modules: [one, two]
  why: in one.py:6 (one) and in two.py:6 (two)
  fix: rename one of them

error[FLOE-360]: resource 'api' is defined twice
  --> floe.yaml:2:24  orchestration.asset_modules[1]
   |  asset_modules: [one, two]
  why: in one.py:7 (one) and in two.py:7 (two)
  fix: rename one of them

3 errors
""")


@pytest.mark.requirement("010-FR-004")
class TestBroken:
    def test_a_module_that_does_not_exist(self, user_project: UserProject) -> None:
        user_project.write(SHOP)

        assert message(user_project, "[shop.assets.bronz]") == snapshot("""\

error[FLOE-301]: module 'shop.assets.bronz' does not exist
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.assets.bronz]
  why: there is no 'bronz' in package 'shop.assets' (shop/assets/), which holds bronze, gold
  fix: did you mean 'shop.assets.bronze'?
""")

    def test_a_relative_module_that_does_not_exist(self, user_project: UserProject) -> None:
        user_project.write(SHOP)

        assert message(UserProject(user_project.path / "shop"), "[.asets.bronze]") == snapshot("""\

error[FLOE-301]: module 'shop.asets.bronze' does not exist
  --> shop/floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [.asets.bronze]
  why: there is no 'asets' in package 'shop' (shop/), which holds assets
  fix: did you mean 'shop.assets.bronze'?
""")

    def test_a_module_of_the_same_name_elsewhere(self, user_project: UserProject) -> None:
        user_project.write(SHOP)

        assert message(user_project, "[bronze]") == snapshot("""\

error[FLOE-301]: module 'bronze' does not exist
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [bronze]
  why: there is no 'bronze' in the project folder (.) or on Python's path
  fix: did you mean 'shop.assets.bronze'?
""")

    def test_below_a_module_that_is_no_package(self, user_project: UserProject) -> None:
        user_project.write(SHOP)

        assert message(user_project, "[shop.assets.bronze.customers, shop.assets.bronze.*]") == snapshot("""\

error[FLOE-301]: module 'shop.assets.bronze.customers' does not exist
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.assets.bronze.customers, shop.assets.bronze.*]
  why: 'shop.assets.bronze' is a module (shop/assets/bronze.py), not a package with modules in it
  fix: did you mean 'shop.assets.bronze'?

error[FLOE-306]: 'shop.assets.bronze' is a module, so there are no modules below it
  --> floe.yaml:2:49  orchestration.asset_modules[1]
   |  asset_modules: [shop.assets.bronze.customers, shop.assets.bronze.*]
  why: 'package.*' means every module below a package
  fix: write 'shop.assets.bronze'

2 errors
""")

    def test_a_syntax_error(self, user_project: UserProject) -> None:
        user_project.write({"shop/bronze.py": "import dagster as dg\n\n@dg.asset\ndef orders(:\n    ...\n"})

        assert message(user_project, "[shop.bronze]") == snapshot("""\

error[FLOE-302]: module 'shop.bronze' cannot be parsed
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.bronze]
      shop/bronze.py:4:12
          def orders(:
                     ^
      SyntaxError: invalid syntax
""")

    def test_a_syntax_error_in_a_module_that_it_imports(self, user_project: UserProject) -> None:
        user_project.write({"shop/bronze.py": "from shop import helpers\n", "shop/helpers.py": "x = (1,\ny = 2\n"})

        assert message(user_project, "[shop.bronze]") == snapshot("""\

error[FLOE-302]: module 'shop.bronze' imports shop/helpers.py, which cannot be parsed
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.bronze]
      shop/bronze.py:1
          from shop import helpers
      shop/helpers.py:1:5
          x = (1,
              ^
      SyntaxError: '(' was never closed
""")

    def test_an_exception(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "shop/bronze.py": "from shop.settings import read\n\nLIMIT = read('limit')\n",
                "shop/settings.py": """
                    def read(name):
                        try:
                            return {}[name]
                        except KeyError as error:
                            raise LookupError(f"no setting {name}") from error
                    """,
            }
        )

        assert message(user_project, "[shop.bronze]") == snapshot("""\

error[FLOE-303]: module 'shop.bronze' raises LookupError when it is imported
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.bronze]
      shop/bronze.py:3
          LIMIT = read('limit')
      shop/settings.py:5 in read
          raise LookupError(f"no setting {name}") from error
      LookupError: no setting limit
      caused by KeyError: 'limit' (shop/settings.py:3)
""")

    def test_an_exception_of_a_decorator(self, user_project: UserProject) -> None:
        user_project.write({"bronze.py": "import dagster as dg\n\n@dg.asset(name='a b')\ndef orders(): ...\n"})

        assert message(user_project, "[bronze]") == snapshot("""\

error[FLOE-303]: module 'bronze' raises DagsterInvalidDefinitionError when it is imported
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [bronze]
      bronze.py:3
          @dg.asset(name='a b')
      DagsterInvalidDefinitionError: "a b" is not a valid name in Dagster. Names must be in regex ^[A-Za-z0-9_]+$.
""")

    def test_a_library_that_is_not_installed(self, user_project: UserProject) -> None:
        user_project.write({"shop/bronze.py": "import no_such_library.client\n"})

        assert message(user_project, "[shop.bronze]") == snapshot("""\

error[FLOE-304]: module 'shop.bronze' imports 'no_such_library', which is not installed
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.bronze]
      shop/bronze.py:1
          import no_such_library.client
      ModuleNotFoundError: No module named 'no_such_library'
  fix: install what provides 'no_such_library' into the environment that runs floe
""")

    def test_a_module_of_the_project_under_a_wrong_name(self, user_project: UserProject) -> None:
        user_project.write({**SHOP, "shop/ops.py": "from shop.asets import bronze\n"})

        assert message(user_project, "[shop.ops]") == snapshot("""\

error[FLOE-304]: module 'shop.ops' imports 'shop.asets', which does not exist
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.ops]
      shop/ops.py:1
          from shop.asets import bronze
      ModuleNotFoundError: No module named 'shop.asets'
  fix: did you mean 'shop.assets'?
""")

    def test_an_exit(self, user_project: UserProject) -> None:
        user_project.write({"shop/bronze.py": "import sys\n\nsys.exit('no data today')\n"})

        assert message(user_project, "[shop.bronze]") == snapshot("""\

error[FLOE-303]: module 'shop.bronze' exits while it is imported
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.bronze]
      shop/bronze.py:3
          sys.exit('no data today')
      SystemExit: no data today
  fix: put what is to run as a script below `if __name__ == "__main__":`
""")

    def test_an_interrupt_is_not_an_error_of_the_module(self, user_project: UserProject) -> None:
        before = signal.getsignal(signal.SIGINT)
        wait = "import time\n\ntime.sleep(30)\n"
        user_project.write({"shop/bronze.py": f"import os, signal\n\nos.kill(os.getpid(), signal.SIGINT)\n{wait}"})

        with pytest.raises(KeyboardInterrupt):
            load(user_project, "[shop.bronze]")
        assert signal.getsignal(signal.SIGINT) is before

    def test_an_interrupt_that_only_the_module_raises_is_its_error(self, user_project: UserProject) -> None:
        user_project.write({"shop/bronze.py": "raise KeyboardInterrupt\n"})

        assert message(user_project, "[shop.bronze]") == snapshot("""\

error[FLOE-303]: module 'shop.bronze' raises KeyboardInterrupt when it is imported
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.bronze]
      shop/bronze.py:1
          raise KeyboardInterrupt
      KeyboardInterrupt
""")

    def test_a_module_may_handle_signals_itself(self, user_project: UserProject) -> None:
        before = signal.getsignal(signal.SIGINT)
        ignoring = "import signal\n\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n1 / 0\n"
        user_project.write({"shop/bronze.py": ignoring})

        try:
            assert "ZeroDivisionError" in message(user_project, "[shop.bronze]")
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        finally:
            signal.signal(signal.SIGINT, before)

    def test_a_broken_package_above_is_told_once(self, user_project: UserProject) -> None:
        user_project.write({**SHOP, "shop/assets/__init__.py": "1 / 0\n"})

        assert message(user_project, "[shop.assets.*]") == snapshot("""\

error[FLOE-303]: module 'shop.assets' raises ZeroDivisionError when it is imported
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.assets.*]
      shop/assets/__init__.py:1
          1 / 0
      ZeroDivisionError: division by zero
""")

    def test_a_function_that_builds_definitions(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "shop.py": """
                    from dagster.components.definitions import definitions

                    @definitions
                    def defs():
                        raise OSError("no network")
                    """
            }
        )

        assert message(user_project, "[shop]") == snapshot("""\

error[FLOE-303]: 'shop.defs' raises OSError when it builds its Definitions
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop]
      shop.py:5 in defs
          raise OSError("no network")
      OSError: no network
""")

    def test_nothing_in_it(self, user_project: UserProject) -> None:
        user_project.write({**SHOP, "shop/helpers.py": "def helper(): ...", "empty/a.py": "", "empty/b.py": ""})

        assert message(user_project, "[shop.helpers, shop.assets, empty.*]") == snapshot("""\

error[FLOE-305]: module 'shop.helpers' defines nothing for Dagster
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.helpers, shop.assets, empty.*]
  why: it has no asset, asset check, job, schedule, sensor or Definitions object at its top level

error[FLOE-305]: module 'shop.assets' defines nothing for Dagster
  --> floe.yaml:2:33  orchestration.asset_modules[1]
   |  asset_modules: [shop.helpers, shop.assets, empty.*]
  why: it has no asset, asset check, job, schedule, sensor or Definitions object at its top level
  fix: write 'shop.assets.*' for the modules below it

error[FLOE-305]: no module below 'empty' defines anything for Dagster
  --> floe.yaml:2:46  orchestration.asset_modules[2]
   |  asset_modules: [shop.helpers, shop.assets, empty.*]
  why: it has 2 modules

3 errors
""")

    def test_the_module_that_builds_the_definitions(self, user_project: UserProject) -> None:
        user_project.write(
            {
                **SHOP,
                "shop/definitions.py": """
                    from floe_dagster import FloeDefinitions

                    defs = FloeDefinitions.from_compiled_artifacts()
                    """,
            }
        )

        assert message(user_project, "[shop.definitions]") == snapshot("""\

error[FLOE-306]: module 'shop.definitions' builds the definitions, so it cannot be one of their asset modules
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [shop.definitions]
  why: importing it calls FloeDefinitions.from_compiled_artifacts() again
  fix: name the modules with the assets, or 'package.*', which passes over this one
""")

    def test_all_broken_entries_are_in_one_report_with_their_lines(self, user_project: UserProject) -> None:
        user_project.write({**SHOP, "shop/bad.py": "1 +\n", "shop/worse.py": "None.x\n"})
        entries = """
    - shop.assets.bronze
    - shop.bad
    - {module: shop.worse, group_name: g}
    - shop.nowhere"""

        assert message(user_project, entries) == snapshot("""\

error[FLOE-302]: module 'shop.bad' cannot be parsed
  --> floe.yaml:4:7  orchestration.asset_modules[1]
   |  - shop.bad
      shop/bad.py:1:4
          1 +
             ^
      SyntaxError: invalid syntax

error[FLOE-303]: module 'shop.worse' raises AttributeError when it is imported
  --> floe.yaml:5:16  orchestration.asset_modules[2].module
   |  - {module: shop.worse, group_name: g}
      shop/worse.py:1
          None.x
      AttributeError: 'NoneType' object has no attribute 'x'

error[FLOE-301]: module 'shop.nowhere' does not exist
  --> floe.yaml:6:7  orchestration.asset_modules[3]
   |  - shop.nowhere
  why: there is no 'nowhere' in package 'shop' (shop/), which holds assets, bad, worse
  fix: did you mean 'shop.worse'?

3 errors
""")

    def test_the_next_attempt_says_the_same(self, user_project: UserProject) -> None:
        user_project.write(
            {
                "shop/__init__.py": "",
                "shop/assets/__init__.py": "from shop.assets import good, bad\n",
                "shop/assets/good.py": "import dagster as dg\n\nspec = dg.AssetSpec('good')\n",
                "shop/assets/bad.py": "from shop.assets.good import missing\n",
            }
        )

        first = message(user_project, "[shop.assets.*]")
        second = message(user_project, "[shop.assets.*]")

        assert first == second
        assert not [name for name in sys.modules if name.startswith("shop.")]

    def test_a_mended_module_loads_in_the_same_process(self, user_project: UserProject) -> None:
        user_project.write({"shop/__init__.py": "", "shop/a.py": "import dagster as dg\n\nspec = dg.AssetSpec('a'\n"})
        message(user_project, "[shop.a]")
        user_project.write({"shop/a.py": "import dagster as dg\n\nspec = dg.AssetSpec('mended')\n"})

        assert labels(load(user_project, "[shop.a]")) == ["mended"]

    def test_warnings_are_the_users_to_see(self, user_project: UserProject) -> None:
        user_project.write(
            {"shop.py": "import warnings, dagster as dg\n\nwarnings.warn('old data')\nspec = dg.AssetSpec('a')\n"}
        )

        with pytest.warns(UserWarning, match="old data"):
            load(user_project, "[shop]")
