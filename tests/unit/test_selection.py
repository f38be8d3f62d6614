"""Selections: which assets they mean, what is wrong with them, and the same in Dagster's terms."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from floe_core.errors import SelectionError
from floe_core.yaml_source import parse_yaml
from floe_dagster.selection.asset_index import AssetIndex, AssetNode
from floe_dagster.selection.resolution import SelectionPlace, resolve_selection, translate_selection

SHOP = AssetIndex(
    [
        AssetNode(("raw", "orders"), group="raw", executable=False, materializable=False),
        AssetNode(("raw", "prices"), group="raw", executable=True, materializable=False),
        AssetNode(("bronze_customers",), group="bronze", kinds=frozenset({"python"}), owners=("team:data",)),
        AssetNode(("bronze_orders",), group="bronze", kinds=frozenset({"python"}), deps=frozenset({("raw", "orders")})),
        AssetNode(
            ("silver", "stg_orders"),
            group="silver",
            tags={"tier": "1", "nightly": ""},
            kinds=frozenset({"dbt"}),
            deps=frozenset({("bronze_orders",)}),
        ),
        AssetNode(
            ("silver", "stg_customers"), group="silver", tags={"tier": "2"}, deps=frozenset({("bronze_customers",)})
        ),
        AssetNode(
            ("gold", "customer_orders"),
            group="gold",
            owners=("jo+x@example.com",),
            deps=frozenset({("silver", "stg_orders"), ("silver", "stg_customers")}),
        ),
        AssetNode(("gold", "revenue"), group="gold", deps=frozenset({("silver", "stg_orders"), ("raw", "prices")})),
        AssetNode(("eu", "revenue"), group="eu"),
    ]
)


def place_of(text: str) -> SelectionPlace:
    path = ("orchestration", "jobs", "nightly")
    source = parse_yaml(text, file=Path("floe.yaml")).source
    return SelectionPlace("job 'nightly'", source, (*path, "selection"), (*path, "exclude"))


def selected(*items: str, exclude: Sequence[str] = (), index: AssetIndex = SHOP) -> list[str]:
    keys = resolve_selection(items, exclude=exclude, index=index, place=place_of("x: 1"))
    return sorted("/".join(key) for key in keys)


def message(
    selection: str, *, exclude: str = "", environ: Mapping[str, str] | None = None, index: AssetIndex = SHOP
) -> str:
    """What the error says about a job with that selection (and exclude) in floe.yaml."""
    lines = ["orchestration:", "  jobs:", "    nightly:", f"      selection: {selection}"]
    text = "\n".join([*lines, *([f"      exclude: {exclude}"] if exclude else [])])
    document = parse_yaml(text, file=Path("floe.yaml")).value
    texts = [(environ or {}).get(item, item) for item in _texts(document, "selection")]
    excluded = _texts(document, "exclude")
    with pytest.raises(SelectionError) as caught:
        resolve_selection(texts, exclude=excluded, index=index, place=place_of(text))
    return str(caught.value)


def _texts(document: object, name: str) -> list[str]:
    match document:
        case {"orchestration": {"jobs": {"nightly": {**job}}}}:
            texts = job.get(name, [])
            assert isinstance(texts, list | str)
            return [texts] if isinstance(texts, str) else texts
        case _:
            return []


class TestWhatIsSelected:
    @pytest.mark.requirement("010-FR-018")
    def test_a_group_selects_its_materializable_assets(self) -> None:
        assert selected("group:bronze") == ["bronze_customers", "bronze_orders"]

    def test_items_are_united(self) -> None:
        assert selected("group:bronze", "group:gold") == [
            "bronze_customers",
            "bronze_orders",
            "gold/customer_orders",
            "gold/revenue",
        ]

    @pytest.mark.requirement("010-FR-019")
    @pytest.mark.parametrize(
        ("item", "labels"),
        [
            pytest.param("tag:tier", ["silver/stg_customers", "silver/stg_orders"], id="tag-with-any-value"),
            pytest.param("tag:tier=1", ["silver/stg_orders"], id="tag-with-value"),
            pytest.param("tag:nightly", ["silver/stg_orders"], id="tag-without-value"),
            pytest.param("kind:python", ["bronze_customers", "bronze_orders"], id="kind"),
            pytest.param("owner:team:data", ["bronze_customers"], id="owner"),
            pytest.param('owner:"jo+x@example.com"', ["gold/customer_orders"], id="quoted-owner"),
            pytest.param("asset:bronze_orders", ["bronze_orders"], id="asset"),
            pytest.param("key:gold/revenue", ["gold/revenue"], id="key"),
            pytest.param("stg_orders", ["silver/stg_orders"], id="last-part"),
            pytest.param("bronze_*", ["bronze_customers", "bronze_orders"], id="glob"),
            pytest.param(
                "*_orders", ["bronze_orders", "gold/customer_orders", "silver/stg_orders"], id="glob-in-last-part"
            ),
            pytest.param("{gold,eu}/*", ["eu/revenue", "gold/customer_orders", "gold/revenue"], id="braces"),
            pytest.param(
                "+customer_orders",
                [
                    "bronze_customers",
                    "bronze_orders",
                    "gold/customer_orders",
                    "silver/stg_customers",
                    "silver/stg_orders",
                ],
                id="everything-upstream",
            ),
            pytest.param(
                "1+customer_orders", ["gold/customer_orders", "silver/stg_customers", "silver/stg_orders"], id="one-up"
            ),
            pytest.param(
                "bronze_orders+",
                ["bronze_orders", "gold/customer_orders", "gold/revenue", "silver/stg_orders"],
                id="everything-downstream",
            ),
            pytest.param("bronze_orders+1", ["bronze_orders", "silver/stg_orders"], id="one-down"),
            pytest.param(
                "1+stg_customers+",
                ["bronze_customers", "gold/customer_orders", "silver/stg_customers"],
                id="both-ways",
            ),
            pytest.param("raw/prices+", ["gold/revenue"], id="downstream-of-what-is-only-observed"),
            pytest.param("group:raw+1", ["bronze_orders", "gold/revenue"], id="downstream-of-an-external-group"),
            pytest.param("raw/prices", ["raw/prices"], id="what-is-only-observed-by-name"),
            pytest.param("group:gold and +stg_orders+", ["gold/customer_orders", "gold/revenue"], id="and"),
            pytest.param("group:gold and not revenue*", ["gold/customer_orders"], id="and-not"),
            pytest.param("not (group:gold or group:silver or eu/*)", ["bronze_customers", "bronze_orders"], id="not"),
        ],
    )
    def test_an_item_selects(self, item: str, labels: list[str]) -> None:
        assert selected(item) == labels

    def test_everything_is_what_can_be_materialized(self) -> None:
        assert selected("*") == sorted("/".join(key) for key, node in SHOP.nodes.items() if node.materializable)

    def test_a_whole_key_goes_before_a_last_part(self) -> None:
        index = AssetIndex([AssetNode(("orders",)), AssetNode(("gold", "orders"))])

        assert selected("orders", index=index) == ["orders"]

    def test_what_begins_with_a_mark_is_taken_away(self) -> None:
        assert selected("group:bronze", "group:gold", "!gold/*") == ["bronze_customers", "bronze_orders"]

    def test_the_order_of_items_does_not_matter(self) -> None:
        assert selected("!gold/*", "group:bronze", "group:gold") == ["bronze_customers", "bronze_orders"]

    def test_exclude_takes_away(self) -> None:
        assert selected("group:bronze", exclude=["bronze_orders"]) == ["bronze_customers"]

    def test_marked_items_alone_take_away_from_everything(self) -> None:
        assert selected("!group:silver", "!group:gold") == ["bronze_customers", "bronze_orders", "eu/revenue"]

    def test_an_item_may_be_taken_away_whole(self) -> None:
        assert selected("bronze_orders", "group:gold", exclude=["bronze_orders"]) == [
            "gold/customer_orders",
            "gold/revenue",
        ]

    def test_an_exclusion_may_match_what_is_not_selected(self) -> None:
        assert selected("group:bronze", exclude=["group:gold", "raw/orders"]) == ["bronze_customers", "bronze_orders"]


@pytest.mark.requirement("010-FR-023")
class TestWhatIsWrong:
    def test_an_unknown_group_names_the_groups(self) -> None:
        assert message('["group:bronz"]') == snapshot("""\
error[FLOE-331]: job 'nightly' selects group 'bronz', which no asset has
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ["group:bronz"]
  why: the groups are bronze, eu, gold, raw, silver
  fix: did you mean 'bronze'?\
""")

    @pytest.mark.parametrize(
        ("selection", "exclude", "fix"),
        [
            pytest.param("['*', -bronze_orders]", "", "write '!bronze_orders' to take it away", id="minus"),
            pytest.param("['*', ~bronze_orders]", "", "write '!bronze_orders' to take it away", id="tilde"),
            pytest.param("['*', -group:bronze]", "", "write '!group:bronze' to take it away", id="group"),
            pytest.param("['*', '-bronze_*']", "", "write '!bronze_*' to take it away", id="glob"),
            pytest.param("['*',\n        -bronze_orders]", "", "write '!bronze_orders' to take it away", id="own-line"),
            pytest.param("['group:gold or -bronze_orders']", "", "write 'not bronze_orders'", id="inside-an-item"),
            pytest.param(
                "['*']",
                "[-bronze_orders]",
                "write 'bronze_orders': what stands below 'exclude' is taken away as it is",
                id="in-exclude",
            ),
        ],
    )
    def test_an_asset_with_the_sign_of_another_language_is_taken_away(
        self, selection: str, exclude: str, fix: str
    ) -> None:
        assert message(selection, exclude=exclude).endswith(f"\n  fix: {fix}")

    @pytest.mark.parametrize(
        ("selection", "fix"),
        [
            ("\n        -group:bronze", "write a blank behind the '-': '- group:bronze'"),
            ("“group:bronze”", "write 'group:bronze': typographic quotes are a part of the text"),
        ],
    )
    def test_a_list_or_a_quote_that_is_not_written_as_such(self, selection: str, fix: str) -> None:
        assert message(selection).endswith(f"\n  fix: {fix}")

    def test_an_unknown_group_that_is_an_asset(self) -> None:
        assert message("[group:bronze_orders]") == snapshot("""\
error[FLOE-331]: job 'nightly' selects group 'bronze_orders', which no asset has
  --> floe.yaml:4:19  orchestration.jobs.nightly.selection[0]
   |  selection: [group:bronze_orders]
  why: the groups are bronze, eu, gold, raw, silver
  fix: write 'bronze_orders' for the asset of that name\
""")

    def test_a_wildcard_in_a_group(self) -> None:
        assert message("['group:bronz*']") == snapshot("""\
error[FLOE-331]: job 'nightly' selects group 'bronz*', which no asset has
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ['group:bronz*']
  why: wildcards work in asset names, not in groups; the groups are bronze, eu, gold, raw, silver
  fix: did you mean 'bronze'?\
""")

    def test_an_unknown_tag_value(self) -> None:
        assert message("[bronze_orders, 'group:gold and tag:tier=3']") == snapshot("""\
error[FLOE-331]: job 'nightly' selects tag 'tier=3', which no asset has
  --> floe.yaml:4:50  orchestration.jobs.nightly.selection[1]
   |  selection: [bronze_orders, 'group:gold and tag:tier=3']
  why: the values of tag 'tier' are 1, 2
  fix: write one of these\
""")

    def test_an_unknown_kind(self) -> None:
        assert message("['kind:Python']") == snapshot("""\
error[FLOE-331]: job 'nightly' selects kind 'Python', which no asset has
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ['kind:Python']
  why: the kinds are dbt, python
  fix: did you mean 'python'?\
""")

    def test_an_unknown_owner(self) -> None:
        assert message("['owner:team:dta']") == snapshot("""\
error[FLOE-331]: job 'nightly' selects owner 'team:dta', which no asset has
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ['owner:team:dta']
  why: the owners are jo+x@example.com, team:data
  fix: did you mean 'team:data'?\
""")

    def test_no_asset_has_a_tag(self) -> None:
        assert message("['tag:x']", index=AssetIndex([AssetNode(("a",))])) == snapshot("""\
error[FLOE-331]: job 'nightly' selects tag 'x', which no asset has
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ['tag:x']
  why: no asset has any tag
  fix: run 'floe list assets' to see the assets with their groups, tags, kinds and owners\
""")

    def test_an_unknown_asset(self) -> None:
        assert message("['+customer_order']") == snapshot("""\
error[FLOE-331]: job 'nightly' selects asset 'customer_order', which does not exist
  --> floe.yaml:4:21  orchestration.jobs.nightly.selection[0]
   |  selection: ['+customer_order']
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'customer_orders'?\
""")

    def test_a_group_written_as_an_asset(self) -> None:
        assert message("[gold]") == snapshot("""\
error[FLOE-331]: job 'nightly' selects asset 'gold', which does not exist
  --> floe.yaml:4:19  orchestration.jobs.nightly.selection[0]
   |  selection: [gold]
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: write 'group:gold' for the assets of that group\
""")

    def test_an_asset_like_no_other(self) -> None:
        assert message("[zzz]") == snapshot("""\
error[FLOE-331]: job 'nightly' selects asset 'zzz', which does not exist
  --> floe.yaml:4:19  orchestration.jobs.nightly.selection[0]
   |  selection: [zzz]
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: run 'floe list assets' to see the assets with their groups, tags, kinds and owners\
""")

    def test_an_ambiguous_name(self) -> None:
        assert message("[revenue]") == snapshot("""\
error[FLOE-332]: job 'nightly' selects asset 'revenue', which may be any of 2
  --> floe.yaml:4:19  orchestration.jobs.nightly.selection[0]
   |  selection: [revenue]
  why: the keys gold/revenue, eu/revenue all end so
  fix: write the whole key, or '**/revenue' for all of them\
""")

    def test_a_pattern_that_matches_nothing(self) -> None:
        assert message("['bronz_*']") == snapshot("""\
error[FLOE-331]: job 'nightly' selects pattern 'bronz_*', which matches no asset
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ['bronz_*']
  why: a pattern is matched against the whole key and against the last part of it
  fix: did you mean 'bronze_orders' or 'bronze_customers'?\
""")

    def test_a_star_that_does_not_cross(self) -> None:
        assert message("['silver*']") == snapshot("""\
error[FLOE-331]: job 'nightly' selects pattern 'silver*', which matches no asset
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ['silver*']
  why: '*' stays between two slashes of a key, '**' crosses them
  fix: write 'silver**'\
""")

    def test_an_external_asset(self) -> None:
        assert message("[raw/orders]") == snapshot("""\
error[FLOE-333]: job 'nightly' selects asset 'raw/orders', which nothing materialises
  --> floe.yaml:4:19  orchestration.jobs.nightly.selection[0]
   |  selection: [raw/orders]
  why: it is an external asset: the definitions know of it, but no code of theirs writes it
  fix: write 'raw/orders+' for what is made from it\
""")

    def test_a_group_of_external_assets(self) -> None:
        assert message("['group:raw']") == snapshot("""\
error[FLOE-333]: job 'nightly' selects 'group:raw', which nothing materialises
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ['group:raw']
  why: all that it matches is external: the definitions know of it, but no code of theirs writes it
  fix: change the item or delete it\
""")

    def test_a_combination_of_nothing(self) -> None:
        assert message("['group:gold and kind:python']") == snapshot("""\
error[FLOE-331]: job 'nightly' selects 'group:gold and kind:python', which matches no asset
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ['group:gold and kind:python']
  why: each part of it matches assets, but none is matched by all of it
  fix: change the item or delete it\
""")

    def test_an_unknown_name_in_exclude(self) -> None:
        assert message("['*']", exclude="[stg_order]") == snapshot("""\
error[FLOE-331]: job 'nightly' excludes asset 'stg_order', which does not exist
  --> floe.yaml:5:17  orchestration.jobs.nightly.exclude[0]
   |  exclude: [stg_order]
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'stg_orders'?\
""")

    def test_everything_excluded(self) -> None:
        assert message("['group:bronze']", exclude="['bronze_*']") == snapshot("""\
error[FLOE-334]: job 'nightly' excludes everything that it selects
  --> floe.yaml:5:16  orchestration.jobs.nightly.exclude
   |  exclude: ['bronze_*']
  why: its items select bronze_customers, bronze_orders
  fix: exclude less, or select more\
""")

    def test_no_assets_at_all(self) -> None:
        assert message("['*']", index=AssetIndex([])) == snapshot("""\
error[FLOE-334]: job 'nightly' selects nothing, since there is no asset that can be materialised
  --> floe.yaml:4:18  orchestration.jobs.nightly.selection
   |  selection: ['*']
  fix: name modules with assets under orchestration.asset_modules, or a dbt project under orchestration.dbt\
""")

    def test_all_problems_come_at_once(self) -> None:
        assert message("['group:bronz or nope']", exclude="['kind:x']") == snapshot("""\
error[FLOE-331]: job 'nightly' selects group 'bronz', which no asset has
  --> floe.yaml:4:20  orchestration.jobs.nightly.selection[0]
   |  selection: ['group:bronz or nope']
  why: the groups are bronze, eu, gold, raw, silver
  fix: did you mean 'bronze'?

error[FLOE-331]: job 'nightly' selects asset 'nope', which does not exist
  --> floe.yaml:4:35  orchestration.jobs.nightly.selection[0]
   |  selection: ['group:bronz or nope']
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: run 'floe list assets' to see the assets with their groups, tags, kinds and owners

error[FLOE-331]: job 'nightly' excludes kind 'x', which no asset has
  --> floe.yaml:5:18  orchestration.jobs.nightly.exclude[0]
   |  exclude: ['kind:x']
  why: the kinds are dbt, python
  fix: write one of these

3 errors\
""")

    def test_a_value_of_the_environment_is_not_shown(self) -> None:
        environ = {"group:${LAYER}": "group:hunter2"}

        text = message("['group:${LAYER}', bronze_order]", environ=environ)

        assert "hunter2" not in text
        assert text == snapshot("""\
error[FLOE-331]: job 'nightly' selects 'group:${LAYER}', which no asset has
  --> floe.yaml:4:19  orchestration.jobs.nightly.selection[0]
   |  selection: ['group:${LAYER}', bronze_order]
  why: the groups are bronze, eu, gold, raw, silver
  fix: write one of these

error[FLOE-331]: job 'nightly' selects asset 'bronze_order', which does not exist
  --> floe.yaml:4:37  orchestration.jobs.nightly.selection[1]
   |  selection: ['group:${LAYER}', bronze_order]
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'bronze_orders'?

2 errors\
""")


Asset: TypeAlias = dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset
GROUPS = ["g1", "g2"]
NAMES = ["a", "b", "c", "d", "e"]


@st.composite
def assets(draw: st.DrawFn) -> list[Asset]:
    """Up to five assets of every sort, each depending on some of those before it."""
    made: list[Asset] = []
    keys: list[dg.AssetKey] = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)):
        key = dg.AssetKey([*draw(st.sampled_from([[], ["x"], ["x", "y"]])), name])
        spec = dg.AssetSpec(
            key,
            deps=draw(st.lists(st.sampled_from(keys), unique=True)) if keys else [],
            group_name=draw(st.sampled_from([None, *GROUPS])),
            tags=draw(st.dictionaries(st.sampled_from(["t", "u"]), st.sampled_from(["", "1", "2"]))),
            kinds=draw(st.sets(st.sampled_from(["dbt", "python"]))),
            owners=draw(st.lists(st.sampled_from(["team:p", "team:q"]), unique=True)),
        )
        match draw(st.sampled_from(["asset", "asset", "asset", "external", "observed"])):
            case "asset":
                made.append(dg.multi_asset(specs=[spec], name=f"make_{name}")(lambda: None))
            case "external":
                made.append(spec)
            case _:
                observe = dg.observable_source_asset(key=key, group_name=spec.group_name, tags=spec.tags)
                made.append(observe(lambda: dg.DataVersion("1")))
        keys.append(key)
    return made


def items(made: Sequence[Asset]) -> st.SearchStrategy[str]:
    """Items about what the assets have."""
    nodes = AssetIndex.from_assets(made).nodes.values()
    atoms = ["*", "**", "x/*", "x/**", "**/a", "?", "[ab]"]
    for node in nodes:
        atoms += [node.name, node.label, f"group:{node.group}", *(f"tag:{tag}" for tag in node.tags)]
        atoms += [f"tag:{tag}={value}" for tag, value in node.tags.items()]
        atoms += [f"kind:{kind}" for kind in node.kinds] + [f"owner:{owner}" for owner in node.owners]
    return st.recursive(
        st.sampled_from(atoms),
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(["", "+", "1+"]), inner, st.sampled_from(["", "+", "+1"])).map(
                lambda parts: f"{parts[0]}({parts[1]}){parts[2]}"
            ),
            inner.map(lambda text: f"not ({text})"),
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
                lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
            ),
        ),
        max_leaves=4,
    )


@st.composite
def selections(draw: st.DrawFn) -> tuple[list[Asset], list[str], list[str]]:
    """Assets, selection items over them and exclusions."""
    made = draw(assets())
    texts = draw(st.lists(items(made), min_size=1, max_size=3))
    taken_away = draw(st.lists(items(made), max_size=1))
    if draw(st.booleans()):
        return made, [*texts, *(f"!({text})" for text in taken_away)], []
    return made, texts, taken_away


# Dagster 1.13 uses for observable assets what it declares deprecated, and calls them beta.
@pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Function `observable_source_asset`")
@settings(max_examples=settings().max_examples * 3 // 5)
@given(selections())
def test_dagster_selects_the_same(selection: tuple[list[Asset], list[str], list[str]]) -> None:
    made, texts, exclude = selection
    index = AssetIndex.from_assets(made)
    try:
        keys = resolve_selection(texts, exclude=exclude, index=index, place=place_of("x: 1"))
    except SelectionError:
        return

    translated = translate_selection(texts, exclude=exclude, index=index)

    graph = dg.Definitions(assets=made).resolve_asset_graph()
    assert {tuple(key.path) for key in translated.resolve(graph)} == keys
