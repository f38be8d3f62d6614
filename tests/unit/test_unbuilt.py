"""Names in sensors, of which nothing is made yet."""

from inline_snapshot import snapshot

from builders import floe_yaml, parse_document
from floe_core.errors import render_problems
from floe_dagster.launching.unbuilt import check_unbuilt
from floe_dagster.selection.asset_index import AssetIndex, AssetNode
from floe_dagster.user_code.import_paths import set_up_import_paths
from plugins.user_project import UserProject

INDEX = AssetIndex(
    [
        AssetNode(("raw", "orders"), group="raw", executable=False, materializable=False),
        AssetNode(("bronze_orders",), group="bronze"),
        AssetNode(("eu", "revenue")),
        AssetNode(("us", "revenue")),
    ]
)


def report(orchestration: str) -> str:
    document = parse_document(floe_yaml(orchestration))
    return render_problems(check_unbuilt(document.spec.orchestration, index=INDEX, source=document.source))


def test_names_that_lead_somewhere(user_project: UserProject) -> None:
    user_project.write({"shop/__init__.py": "", "shop/ops.py": "def clean() -> None: ...\n"})
    set_up_import_paths(user_project.path)

    assert (
        report("""
        jobs: {clean: {type: ops, target_function: shop.ops.clean}, load: {type: batch, selection: nothing}}
        sensors:
          arrival: {type: custom, target_function: shop.ops.clean, selection: "group:bronze"}
          conditions: {type: automation, selection: nothing}
        """)
        == ""
    )


def test_names_that_lead_nowhere(user_project: UserProject) -> None:
    user_project.write({"shop/__init__.py": "", "shop/ops.py": "def clean() -> None: ...\n"})
    set_up_import_paths(user_project.path)

    assert report("""
        jobs: {clean: {type: ops, target_function: shop.ops.claen}}
        sensors:
          arrival: {type: custom, target_function: shop.ops.clean, selection: [bronze_order, revenue, "group:ra"]}
          ticks: {type: custom, target_function: shop.sensor.check}
        """) == snapshot("""\
error[FLOE-331]: sensor 'arrival' selects asset 'bronze_order', which does not exist
  --> floe.yaml:4:74  orchestration.sensors.arrival.selection[0]
   |  arrival: {type: custom, target_function: shop.ops.clean, selection: [bronze_order, revenue, "group:ra"]}
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'bronze_orders'?

error[FLOE-332]: sensor 'arrival' selects asset 'revenue', which may be any of 2
  --> floe.yaml:4:88  orchestration.sensors.arrival.selection[1]
   |  arrival: {type: custom, target_function: shop.ops.clean, selection: [bronze_order, revenue, "group:ra"]}
  why: the keys eu/revenue, us/revenue all end so
  fix: write the whole key, or '**/revenue' for all of them

error[FLOE-331]: sensor 'arrival' selects group 'ra', which no asset has
  --> floe.yaml:4:98  orchestration.sensors.arrival.selection[2]
   |  arrival: {type: custom, target_function: shop.ops.clean, selection: [bronze_order, revenue, "group:ra"]}
  why: the groups are bronze, default, raw
  fix: did you mean 'raw'?

error[FLOE-301]: module 'shop.sensor' does not exist
  --> floe.yaml:5:44  orchestration.sensors.ticks.target_function
   |  ticks: {type: custom, target_function: shop.sensor.check}
  why: there is no 'sensor' in package 'shop' (shop/), which holds ops
  fix: did you mean 'shop'?

4 errors\
""")
