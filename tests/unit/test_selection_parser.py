"""Items of selections, read into trees and written again."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from builders import floe_yaml
from floe_core.documents import build_floe_document
from floe_core.errors import DocumentError
from floe_core.selection.parser import SelectionSyntaxError, canonical_name, parse_item
from floe_core.selection.tree import And, Expression, Item, Labelled, Named, Not, Or, Traversal, item_text
from floe_core.yaml_source import parse_yaml

A, B, C = Named("a"), Named("b"), Named("c")


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        pytest.param("orders", Named("orders"), id="name"),
        pytest.param("bronze/orders", Named("bronze/orders"), id="whole-key"),
        pytest.param("  orders ", Named("orders"), id="blanks-around"),
        pytest.param("asset:orders", Named("orders"), id="asset"),
        pytest.param('key:"bronze_*"', Named("bronze_*"), id="quoted-glob-as-in-dagster"),
        pytest.param("key:{a,b}/[!x,y]*", Named("{a,b}/[!x,y]*"), id="commas-in-brackets"),
        pytest.param("'odd name (1)'", Named("odd name (1)"), id="quoted-name"),
        pytest.param(r'"a \"b\" c"', Named('a "b" c'), id="quote-in-quotes"),
        pytest.param(r"a\ b\*", Named(r"a b\*"), id="escapes"),
        pytest.param("2024", Named("2024"), id="digits"),
        pytest.param("order", Named("order"), id="name-that-begins-like-an-operator"),
        pytest.param("notes", Named("notes"), id="name-that-begins-with-not"),
        pytest.param("'and'", Named("and"), id="operator-in-quotes"),
        pytest.param("group:bronze", Labelled("group", "bronze"), id="group"),
        pytest.param("group:a/b", Labelled("group", "a/b"), id="group-of-two-parts"),
        pytest.param("kind:python", Labelled("kind", "python"), id="kind"),
        pytest.param("owner:team:data", Labelled("owner", "team:data"), id="team"),
        pytest.param("owner:jo@example.com", Labelled("owner", "jo@example.com"), id="email"),
        pytest.param('owner:"jo+x@example.com"', Labelled("owner", "jo+x@example.com"), id="email-with-plus"),
        pytest.param("tag:nightly", Labelled("tag", "nightly"), id="tag"),
        pytest.param("tag:tier=1", Labelled("tag", "tier", "1"), id="tag-with-value"),
        pytest.param('tag:"tier"="1"', Labelled("tag", "tier", "1"), id="tag-as-dagster-writes-it"),
        pytest.param("tag:tier=", Labelled("tag", "tier", ""), id="tag-with-empty-value"),
        pytest.param("tag:tier= and a", And((Labelled("tag", "tier", ""), A)), id="empty-value-before-and"),
        pytest.param("+a", Traversal(A, up=None), id="upstream"),
        pytest.param("a+", Traversal(A, down=None), id="downstream"),
        pytest.param("+a+", Traversal(A, up=None, down=None), id="both-ways"),
        pytest.param("2+a", Traversal(A, up=2), id="two-up"),
        pytest.param("a+3", Traversal(A, down=3), id="three-down"),
        pytest.param("1+a+", Traversal(A, up=1, down=None), id="one-up-and-all-down"),
        pytest.param("0+a", A, id="no-level"),
        pytest.param("2024+", Traversal(Named("2024"), down=None), id="downstream-of-digits"),
        pytest.param("2+group:a+", Traversal(Labelled("group", "a"), up=2, down=None), id="levels-around-a-group"),
        pytest.param("+(a or b)", Traversal(Or((A, B)), up=None), id="upstream-of-several"),
        pytest.param("not a", Not(A), id="not"),
        pytest.param("not(a)", Not(A), id="not-before-a-parenthesis"),
        pytest.param("NOT a AND b", And((Not(A), B)), id="capitals-as-dagster-writes-them"),
        pytest.param("a and b or c", Or((And((A, B)), C)), id="and-binds-first"),
        pytest.param("a and (b or c)", And((A, Or((B, C)))), id="parentheses"),
        pytest.param("a or (b or c)", Or((A, B, C)), id="flat-or"),
        pytest.param("not not a", Not(Not(A)), id="twice-not"),
        pytest.param("not a+", Not(Traversal(A, down=None)), id="not-of-a-traversal"),
    ],
)
def test_what_an_item_says(text: str, expression: Expression) -> None:
    assert parse_item(text) == Item(expression)


def test_an_exclamation_mark_takes_the_item_away() -> None:
    assert parse_item("!+a") == Item(Traversal(A, up=None), removes=True)
    assert parse_item("! (a or b)") == Item(Or((A, B)), removes=True)


@pytest.mark.parametrize(
    ("text", "message", "offset", "fix"),
    [
        pytest.param("", "is empty", 0, "name an asset or a group, or write '*' for everything", id="empty"),
        pytest.param(
            "a, b",
            "has a comma",
            1,
            snapshot("make two items of it, or write 'and' for what dbt means by a comma"),
            id="comma",
        ),
        pytest.param(
            "a b",
            "has two parts side by side",
            2,
            snapshot("write 'and' or 'or' between them, or make two items of them"),
            id="blank",
        ),
        pytest.param("a | b", "has the sign '|'", 2, snapshot("write 'or' in its place"), id="bar"),
        pytest.param("a & b", "has the sign '&'", 2, snapshot("write 'and' in its place"), id="ampersand"),
        pytest.param(
            "(a or b", "has a parenthesis that is not closed", 0, snapshot("close the parenthesis"), id="open"
        ),
        pytest.param(
            "a)", "closes a parenthesis that was never opened", 1, snapshot("delete the parenthesis"), id="closed"
        ),
        pytest.param(
            "(a, b)",
            "has a comma",
            2,
            snapshot("make two items of it, or write 'and' for what dbt means by a comma"),
            id="comma-in-parentheses",
        ),
        pytest.param(
            "()",
            "has nothing to select before ')'",
            1,
            snapshot("name an asset or a group; put quotes around an odd name"),
            id="nothing-in-parentheses",
        ),
        pytest.param(
            "a and",
            "has nothing to select at the end",
            4,
            snapshot("name an asset or a group; put quotes around an odd name"),
            id="nothing-after-and",
        ),
        pytest.param(
            "or a",
            "has nothing to select before 'or'",
            0,
            snapshot("name an asset or a group; put quotes around an odd name"),
            id="nothing-before-or",
        ),
        pytest.param(
            "group:",
            "has nothing to select after 'group:'",
            5,
            snapshot("name an asset or a group; put quotes around an odd name"),
            id="nothing-after-a-label",
        ),
        pytest.param(
            "group: a",
            "has nothing to select after 'group:'",
            6,
            snapshot("name an asset or a group; put quotes around an odd name"),
            id="blank-after-a-label",
        ),
        pytest.param(
            "''",
            "has nothing between the quotes",
            0,
            snapshot("name an asset or a group between the quotes"),
            id="empty-quotes",
        ),
        pytest.param(
            "path:models/silver",
            "selects by 'path:', which is a method of dbt",
            0,
            snapshot("name the assets, or select by one of these"),
            id="method-of-dbt",
        ),
        pytest.param(
            "tag:tier:gold", "has a second ':' in 'tag:tier:gold'", 8, snapshot("write 'tag:tier=gold'"), id="tag-value"
        ),
        pytest.param(
            "grop:a", "selects by 'grop:', which is not known", 0, snapshot("did you mean 'group'?"), id="unknown-label"
        ),
        pytest.param(
            "s3:a",
            "selects by 's3:', which is not known",
            0,
            snapshot("put quotes around a name that has a colon in it"),
            id="colon-in-a-name",
        ),
        pytest.param(
            "sinks(a)",
            "has 'sinks(…)', which is not part of the language",
            0,
            snapshot("name the assets, or select by group:, tag:, kind: or owner:"),
            id="function",
        ),
        pytest.param("++a", "has one '+' after another", 1, snapshot("write '2+x' for two levels"), id="two-signs"),
        pytest.param(
            "a++",
            "has a '+' that belongs to nothing",
            1,
            snapshot("write it without blanks; put quotes around a name that has a '+' in it"),
            id="two-signs-behind",
        ),
        pytest.param(
            "+ a",
            "has a '+' that belongs to nothing",
            0,
            snapshot("write it without blanks; put quotes around a name that has a '+' in it"),
            id="blank-behind-the-sign",
        ),
        pytest.param(
            "a +b",
            "has a '+' that belongs to nothing",
            2,
            snapshot("write it without blanks; put quotes around a name that has a '+' in it"),
            id="sign-between",
        ),
        pytest.param(
            "a + b",
            "has a '+' that belongs to nothing",
            2,
            snapshot("write it without blanks; put quotes around a name that has a '+' in it"),
            id="sign-alone",
        ),
        pytest.param(
            "a+b",
            "has a '+' that belongs to nothing",
            1,
            snapshot("write it without blanks; put quotes around a name that has a '+' in it"),
            id="plus-in-a-name",
        ),
        pytest.param(
            "a=b",
            "has a '=' that belongs to nothing",
            1,
            snapshot("put quotes around a name that has a '=' in it"),
            id="value-of-a-name",
        ),
        pytest.param("a and !b", "has a '!' inside", 6, snapshot("write 'not' in its place"), id="mark-inside"),
        pytest.param(
            "!a or b",
            "has '!' beside 'and' or 'or'",
            0,
            snapshot("write '!(a or b)', or 'not' before the part that is meant"),
            id="mark-before-or",
        ),
        pytest.param("'a", "has a quote that is not closed", 0, snapshot("close the quote"), id="open-quote"),
        pytest.param(
            "a[b",
            "has the wildcard 'a[b', which cannot be read",
            0,
            snapshot("mend the wildcard"),
            id="bad-glob",
        ),
        pytest.param("a\\", "ends with a backslash", 1, snapshot("delete the backslash"), id="backslash"),
        pytest.param(
            "(" * 50 + "a", "is nested more than 40 levels deep", 40, snapshot("make several items of it"), id="deep"
        ),
        pytest.param(
            "not " * 2000 + "a",
            "is nested more than 40 levels deep",
            163,
            snapshot("make several items of it"),
            id="deep-in-nots",
        ),
    ],
)
def test_what_is_no_item_says_where_and_how_to_mend_it(text: str, message: str, offset: int, fix: str) -> None:
    with pytest.raises(SelectionSyntaxError) as caught:
        parse_item(text)

    error = caught.value
    assert (str(error), error.offset, error.fix) == (message, offset, fix)


@given(st.text())
def test_any_text_is_an_item_or_says_where_it_is_none(text: str) -> None:
    assert _offset_of_error(text) in (None, *range(max(1, len(text))))


@given(st.text(alphabet=" ab+!()'\":,=|&\\{}[]*?2" + "notandor", max_size=25))
def test_what_was_read_can_be_written_and_read_again(text: str) -> None:
    try:
        item = parse_item(text)
    except SelectionSyntaxError:
        return

    assert parse_item(item_text(item)) == item


def _offset_of_error(text: str) -> int | None:
    try:
        parse_item(text)
    except SelectionSyntaxError as error:
        return error.offset
    return None


def _names() -> st.SearchStrategy[Named]:
    plain = st.text(string.ascii_letters + string.digits + "_/-.", min_size=1, max_size=8)
    odd = st.text(min_size=1, max_size=8).filter(lambda text: not set(text) & set("*?[]{}\\,!^-"))
    globs = st.sampled_from(["*", "**/x", "{a,b}*", "[!a]?", r"\*", r"a\\b"])
    return st.one_of(plain, odd, globs).map(canonical_name).map(Named)


def _labels() -> st.SearchStrategy[Labelled]:
    text = st.text(min_size=1, max_size=8)
    return st.one_of(
        st.builds(Labelled, st.sampled_from(["group", "kind", "owner", "tag"]), text),
        st.builds(Labelled, st.just("tag"), text, st.text(max_size=4)),
    )


def _expressions() -> st.SearchStrategy[Expression]:
    depths = st.one_of(st.none(), st.integers(0, 12))
    return st.recursive(
        st.one_of(_names(), _labels()),
        lambda inner: st.one_of(
            st.builds(Traversal, inner, depths, depths).filter(lambda found: (found.up, found.down) != (0, 0)),
            st.builds(Not, inner),
            _operands(inner, And),
            _operands(inner, Or),
        ),
        max_leaves=8,
    )


def _operands(inner: st.SearchStrategy[Expression], kind: type[And] | type[Or]) -> st.SearchStrategy[Expression]:
    others = inner.filter(lambda operand: not isinstance(operand, kind))
    return st.lists(others, min_size=2, max_size=3).map(lambda operands: kind(tuple(operands)))


@given(st.builds(Item, _expressions(), st.booleans()))
def test_any_item_can_be_written_and_read_again(item: Item) -> None:
    assert parse_item(item_text(item)) == item


class TestItemsOfDocuments:
    """What floe.yaml says is read before there are any assets."""

    def report(self, text: str, **environ: str) -> str:
        document = parse_yaml(floe_yaml(text), file=Path("floe.yaml"))
        with pytest.raises(DocumentError) as raised:
            build_floe_document(document.value, document.source, environ=environ)
        return str(raised.value)

    @pytest.mark.requirement("010-FR-018", "010-FR-047")
    def test_every_place_of_a_selection_is_read_and_the_error_stands_at_its_column(self) -> None:
        assert self.report("""
            jobs:
              load: {type: batch, selection: ["group:bronze, silver", "a or (b and c"], exclude: [ok, '!revenue']}
            schedules: {nightly: {selection: "and or", cron_schedule: "@daily"}}
            sensors:
              arrival: {type: file_watcher, path: incoming, selection: [a, + b]}
              orders: {type: asset_sensor, job: load, watched_assets: [orders, "groop:bronze"]}
              rest: {type: automation, selection: ["a b", "[a"]}
        """) == snapshot("""\
error[FLOE-330]: selection item 'group:bronze, silver' of job 'load' has a comma
  --> floe.yaml:3:50  orchestration.jobs.load.selection[0]
   |  load: {type: batch, selection: ["group:bronze, silver", "a or (b and c"], exclude: [ok, '!revenue']}
  why: the items of a list are united; inside one item stand 'and', 'or' and 'not'
  fix: make two items of it, or write 'and' for what dbt means by a comma

error[FLOE-330]: selection item 'a or (b and c' of job 'load' has a parenthesis that is not closed
  --> floe.yaml:3:67  orchestration.jobs.load.selection[1]
   |  load: {type: batch, selection: ["group:bronze, silver", "a or (b and c"], exclude: [ok, '!revenue']}
  fix: close the parenthesis

error[FLOE-330]: selection item '!revenue' of job 'load' begins with '!'
  --> floe.yaml:3:94  orchestration.jobs.load.exclude[1]
   |  load: {type: batch, selection: ["group:bronze, silver", "a or (b and c"], exclude: [ok, '!revenue']}
  why: what stands below 'exclude' is taken away as it is
  fix: write it without the '!'

error[FLOE-330]: selection item 'and or' of schedule 'nightly' has nothing to select before 'and'
  --> floe.yaml:4:37  orchestration.schedules.nightly.selection
   |  schedules: {nightly: {selection: "and or", cron_schedule: "@daily"}}
  fix: name an asset or a group; put quotes around an odd name

error[FLOE-330]: selection item '+ b' of sensor 'arrival' has a '+' that belongs to nothing
  --> floe.yaml:6:66  orchestration.sensors.arrival.selection[1]
   |  arrival: {type: file_watcher, path: incoming, selection: [a, + b]}
  why: '+x' is everything upstream of x, 'x+' everything downstream, '2+x' and 'x+2' two levels of it
  fix: write it without blanks; put quotes around a name that has a '+' in it

error[FLOE-330]: selection item 'groop:bronze' of sensor 'orders' selects by 'groop:', which is not known
  --> floe.yaml:7:71  orchestration.sensors.orders.watched_assets[1]
   |  orders: {type: asset_sensor, job: load, watched_assets: [orders, "groop:bronze"]}
  why: one selects by group:, tag:, kind:, owner:, asset: or key:
  fix: did you mean 'group'?

error[FLOE-330]: selection item 'a b' of sensor 'rest' has two parts side by side
  --> floe.yaml:8:45  orchestration.sensors.rest.selection[0]
   |  rest: {type: automation, selection: ["a b", "[a"]}
  why: the items of a list are united; inside one item stand 'and', 'or' and 'not'
  fix: write 'and' or 'or' between them, or make two items of them

error[FLOE-330]: selection item '[a' of sensor 'rest' has the wildcard '[a', which cannot be read
  --> floe.yaml:8:50  orchestration.sensors.rest.selection[1]
   |  rest: {type: automation, selection: ["a b", "[a"]}
  why: the [ is not closed; write \\[ for a bracket that is meant as it stands
  fix: mend the wildcard

8 errors\
""")

    def test_a_value_of_the_environment_is_not_shown(self) -> None:
        text = self.report('jobs: {load: {type: batch, selection: ["${WHAT} b", "a ${WHAT}"]}}', WHAT="hunter2:x")

        assert "hunter2" not in text
        assert text == snapshot("""\
error[FLOE-330]: selection item '${WHAT} b' of job 'load' selects by '…:', which is not known
  --> floe.yaml:2:42  orchestration.jobs.load.selection[0]
   |  jobs: {load: {type: batch, selection: ["${WHAT} b", "a ${WHAT}"]}}
  why: one selects by group:, tag:, kind:, owner:, asset: or key:
  fix: set WHAT to another value

error[FLOE-330]: selection item 'a ${WHAT}' of job 'load' has two parts side by side
  --> floe.yaml:2:55  orchestration.jobs.load.selection[1]
   |  jobs: {load: {type: batch, selection: ["${WHAT} b", "a ${WHAT}"]}}
  why: the items of a list are united; inside one item stand 'and', 'or' and 'not'
  fix: set WHAT to another value

2 errors\
""")
