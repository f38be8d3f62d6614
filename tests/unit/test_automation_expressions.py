"""Automation conditions as text: what they say, what is refused, and where in the text it is wrong."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from floe_core.automation.parser import parse_expression
from floe_core.automation.tree import And, Argument, Condition, Expression, Method, Not, Or, expressions_in
from floe_core.automation.unreadable import UnreadableConditionError
from floe_core.automation.vocabulary import CONDITIONS, METHODS
from floe_core.documents import read_parsed_document
from floe_core.errors import render_problems
from floe_core.yaml_source import parse_yaml

EAGER = Condition("eager", is_word=True)
MISSING = Condition("missing")
IN_PROGRESS = Condition("in_progress")


def nightly(*more: Argument) -> Condition:
    return Condition("on_cron", (Argument("cron_schedule", "0 6 * * *"), *more))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("eager", EAGER, id="word"),
        pytest.param(" eager ", EAGER, id="blanks around"),
        pytest.param("eager()", Condition("eager"), id="word that is called"),
        pytest.param("on_cron", Condition("on_cron", is_word=True), id="word that takes its cron from elsewhere"),
        pytest.param("on_cron('0 6 * * *')", nightly(), id="text"),
        pytest.param(
            "on_cron('0 6 * * *', 'Europe/Berlin',)",
            nightly(Argument("cron_timezone", "Europe/Berlin")),
            id="two texts and a comma at the end",
        ),
        pytest.param(
            'on_cron(cron_timezone = "Europe/Berlin", cron_schedule="0 6 * * *")',
            nightly(Argument("cron_timezone", "Europe/Berlin")),
            id="by name, in another order",
        ),
        pytest.param("eager & ~in_progress()", And((EAGER, Not(IN_PROGRESS))), id="and not"),
        pytest.param(
            "missing() | eager & in_progress()", Or((MISSING, And((EAGER, IN_PROGRESS)))), id="and binds more than or"
        ),
        pytest.param("(missing() | eager) & in_progress()", And((Or((MISSING, EAGER)), IN_PROGRESS)), id="parentheses"),
        pytest.param(
            "~missing().newly_true()", Not(Method(MISSING, "newly_true")), id="methods bind more than operators"
        ),
        pytest.param(
            "missing().since(in_progress()).with_label('it\\'s late')",
            Method(
                Method(MISSING, "since", (Argument("reset_condition", IN_PROGRESS),)),
                "with_label",
                (Argument("label", "it's late"),),
            ),
            id="methods in a row",
        ),
        pytest.param(
            "in_latest_time_window('36h')",
            Condition("in_latest_time_window", (Argument("lookback_delta", timedelta(hours=36)),)),
            id="length of time",
        ),
        pytest.param(
            "any_checks_match(check_failed(), blocking_only=true)",
            Condition(
                "any_checks_match",
                (Argument("condition", Condition("check_failed")), Argument("blocking_only", value=True)),
            ),
            id="condition and flag",
        ),
        pytest.param(
            "any_deps_missing().ignore(['group:raw', 'seeds/*']).allow('tag:core')",
            Method(
                Method(Condition("any_deps_missing"), "ignore", (Argument("selection", ("group:raw", "seeds/*")),)),
                "allow",
                (Argument("selection", ("tag:core",)),),
            ),
            id="selection items",
        ),
        pytest.param(
            "executed_with_tags(tag_keys={'a', 'b'}, tag_values={'team': 'data'})",
            Condition(
                "executed_with_tags", (Argument("tag_keys", ("a", "b")), Argument("tag_values", (("team", "data"),)))
            ),
            id="tags",
        ),
        pytest.param(
            "eager.replace('any_deps_missing', missing())",
            Method(EAGER, "replace", (Argument("old", "any_deps_missing"), Argument("new", MISSING))),
            id="method of a word",
        ),
        pytest.param(
            "asset_matches('bronze/orders',\n  missing())",
            Condition("asset_matches", (Argument("key", "bronze/orders"), Argument("condition", MISSING))),
            id="over two lines",
        ),
    ],
)
def test_an_expression_reads_as_in_python(text: str, expected: Expression) -> None:
    assert parse_expression(text) == expected


def test_parts_know_where_they_stand() -> None:
    text = "eager | missing().since(in_progress())"

    found = [part for part in expressions_in(parse_expression(text)) if isinstance(part, Condition | Method)]

    assert [(part.name, text[part.offset :].startswith(part.name)) for part in found] == [
        ("eager", True),
        ("since", True),
        ("missing", True),
        ("in_progress", True),
    ]


REFUSED = {
    "misspelt": "eagre",
    "unlike anything": "whenever",
    "misspelt inside": "eager & ~in_progres()",
    "without parentheses": "eager & in_progress",
    "without parentheses and arguments": "any_deps_match | eager",
    "called with something": "eager('now')",
    "cron missing": "on_cron()",
    "bad cron": "on_cron('61 0 * * *')",
    "bad zone": "on_cron('0 6 * * *', 'Europe/Berln')",
    "argument too many": "on_cron('0 6 * * *', 'UTC', 'UTC')",
    "argument of another name": "on_cron(cron='0 6 * * *')",
    "argument twice": "on_cron('0 6 * * *', cron_schedule='0 7 * * *')",
    "cron without quotes": "on_cron(0 6 * * *)",
    "number": "in_latest_time_window(48)",
    "length without a unit": "in_latest_time_window('48')",
    "text for a condition": "any_deps_match('missing')",
    "condition for a text": "on_cron(eager)",
    "text for a flag": "any_checks_match(check_failed(), 'true')",
    "check asked of an asset": "check_failed() | eager",
    "check asked of upstreams": "any_deps_match(check_passed())",
    "asset asked of a check": "any_checks_match(code_version_changed())",
    "tags by position": "executed_with_tags('a')",
    "tags without values": "executed_with_tags(tag_values={'a'})",
    "selection that cannot be read": "any_deps_missing().ignore('group:a and')",
    "misspelt method": "missing().sinc(eager)",
    "condition as a method": "missing().eager()",
    "method without parentheses": "missing().newly_true",
    "method on nothing": "since(missing())",
    "words of Python": "eager and not in_progress()",
    "not as a word": "not eager",
    "sign of another language": "eager && missing()",
    "exclamation mark": "!eager",
    "side by side": "eager missing()",
    "nothing after the operator": "eager &",
    "nothing in the middle": "eager | & missing()",
    "open parenthesis": "(eager | missing()",
    "open call": "on_cron('0 6 * * *'",
    "closed too often": "eager)",
    "closed by another": "executed_with_tags(tag_keys={'a'])",
    "open quote": "on_cron('0 6 * * *)",
    "with Dagster's prefix": "dg.AutomationCondition.on_cron('0 6 * * *')",
    "a job's condition": "any_job_root_assets_match(missing())",
    "code": "__import__('os').system('true')",
    "lambda": "lambda: eager",
    "too deep": "~" * 40 + "eager",
    "too long": "eager | " * 400 + "eager",
}


def test_texts_that_are_refused() -> None:
    assert "\n".join(f"# {name}\n{refusal(text)}" for name, text in REFUSED.items()) == snapshot("""\
# misspelt
eagre
^ names 'eagre', which does not exist
  why: the conditions are eager, on_missing, on_cron, missing, newly_missing, newly_updated and 31 more
  fix: did you mean 'eager'?
# unlike anything
whenever
^ names 'whenever', which does not exist
  why: the conditions are eager, on_missing, on_cron, missing, newly_missing, newly_updated and 31 more
  fix: write one of the conditions of Dagster's AutomationCondition
# misspelt inside
eager & ~in_progres()
         ^ names 'in_progres', which does not exist
  why: the conditions are eager, on_missing, on_cron, missing, newly_missing, newly_updated and 31 more
  fix: did you mean 'in_progress'?
# without parentheses
eager & in_progress
        ^ has 'in_progress' without parentheses
  why: only eager, on_missing, on_cron stand without them
  fix: write 'in_progress()'
# without parentheses and arguments
any_deps_match | eager
^ has 'any_deps_match' without parentheses
  why: only eager, on_missing, on_cron stand without them
  fix: write 'any_deps_match(…)'
# called with something
eager('now')
      ^ gives 'eager' an argument too many
  why: it takes none
  fix: delete it
# cron missing
on_cron()
^ calls 'on_cron' without its 'cron_schedule'
  why: that is a cron expression in quotes
  fix: write 'on_cron('0 6 * * *')', or 'on_cron' without parentheses for the cron of the asset's time window
# bad cron
on_cron('61 0 * * *')
        ^ gives 'on_cron' the wrong 'cron_schedule'
  why: minute 61 is not in 0-59
  fix: write 0 to 59
# bad zone
on_cron('0 6 * * *', 'Europe/Berln')
                     ^ gives 'on_cron' the wrong 'cron_timezone'
  why: a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'
  fix: did you mean 'Europe/Berlin'?
# argument too many
on_cron('0 6 * * *', 'UTC', 'UTC')
                            ^ gives 'on_cron' an argument too many
  why: its arguments are cron_schedule, cron_timezone
  fix: delete it
# argument of another name
on_cron(cron='0 6 * * *')
        ^ gives 'on_cron' the argument 'cron'
  why: its arguments are cron_schedule, cron_timezone
  fix: did you mean 'cron_schedule' or 'cron_timezone'?
# argument twice
on_cron('0 6 * * *', cron_schedule='0 7 * * *')
                     ^ gives 'on_cron' its 'cron_schedule' twice
  fix: delete one of the two
# cron without quotes
on_cron(0 6 * * *)
            ^ has the sign '*'
  why: '&' is and, '|' is or, '~' is not; parentheses group
  fix: delete it, or put the text around it in quotes
# number
in_latest_time_window(48)
                      ^ gives 'in_latest_time_window' the wrong 'lookback_delta'
  why: it is a length of time in quotes
  fix: write it like '2d'
# length without a unit
in_latest_time_window('48')
                      ^ gives 'in_latest_time_window' the wrong 'lookback_delta'
  why: a length of time has a unit (s, m, h, d, w), such as '30m', '24h' or '1d12h'
  fix: write '48s', '48m', '48h' or '48d'
# text for a condition
any_deps_match('missing')
               ^ gives 'any_deps_match' the wrong 'condition'
  why: it is a condition of assets
  fix: write it like missing()
# condition for a text
on_cron(eager)
        ^ gives 'on_cron' the wrong 'cron_schedule'
  why: it is a cron expression in quotes
  fix: write it like '0 6 * * *'
# text for a flag
any_checks_match(check_failed(), 'true')
                                 ^ gives 'any_checks_match' the wrong 'blocking_only'
  why: it is true or false
  fix: write it like True
# check asked of an asset
check_failed() | eager
^ asks 'check_failed' of an asset
  why: it can be true of asset checks only
  fix: write 'any_checks_match(check_failed())'
# check asked of upstreams
any_deps_match(check_passed())
               ^ asks 'check_passed' of an asset
  why: it can be true of asset checks only
  fix: write 'any_checks_match(check_passed())'
# asset asked of a check
any_checks_match(code_version_changed())
                 ^ asks 'code_version_changed' of a check
  why: it can be true of assets only
  fix: move it out of the parentheses
# tags by position
executed_with_tags('a')
                   ^ gives 'executed_with_tags' an argument without its name
  why: its arguments are tag_keys, tag_values
  fix: write 'tag_keys=…'
# tags without values
executed_with_tags(tag_values={'a'})
                   ^ gives 'executed_with_tags' the wrong 'tag_values'
  why: it is tags with their values
  fix: write it like {'team': 'data'}
# selection that cannot be read
any_deps_missing().ignore('group:a and')
                          ^ gives 'ignore' the wrong 'selection'
  why: the selection item has nothing to select at the end
  fix: name an asset or a group; put quotes around an odd name
# misspelt method
missing().sinc(eager)
          ^ calls the method 'sinc', which no condition has
  why: the methods are since, since_last_handled, newly_true, without, replace, with_label and 3 more
  fix: did you mean 'since'?
# condition as a method
missing().eager()
          ^ calls the method 'eager', which no condition has
  why: the methods are since, since_last_handled, newly_true, without, replace, with_label and 3 more
  fix: write '& eager'
# method without parentheses
missing().newly_true
          ^ has 'newly_true' without parentheses
  why: only eager, on_missing, on_cron stand without them
  fix: write 'newly_true()'
# method on nothing
since(missing())
^ calls 'since' on nothing
  why: it is asked of a condition
  fix: write it behind one: 'missing().since(…)'
# words of Python
eager and not in_progress()
      ^ has the word 'and'
  why: '&' is and, '|' is or, '~' is not; parentheses group
  fix: write '&' in its place
# not as a word
not eager
^ has the word 'not'
  why: '&' is and, '|' is or, '~' is not; parentheses group
  fix: write '~' in its place
# sign of another language
eager && missing()
       ^ lacks a condition before '&'
  fix: write one, such as 'missing()'
# exclamation mark
!eager
^ has the sign '!'
  why: '&' is and, '|' is or, '~' is not; parentheses group
  fix: write '~' in its place
# side by side
eager missing()
      ^ has two parts side by side
  why: '&' is and, '|' is or, '~' is not; parentheses group
  fix: write '&' or '|' between them
# nothing after the operator
eager &
       ^ lacks a condition at the end
  fix: write one, such as 'missing()'
# nothing in the middle
eager | & missing()
        ^ lacks a condition before '&'
  fix: write one, such as 'missing()'
# open parenthesis
(eager | missing()
^ has a '(' that is not closed
  fix: add a ')'
# open call
on_cron('0 6 * * *'
       ^ has a '(' that is not closed
  fix: add a ')'
# closed too often
eager)
     ^ closes with ')' what was not opened so
  fix: delete it
# closed by another
executed_with_tags(tag_keys={'a'])
                                ^ closes with ']' what was not opened so
  fix: delete it
# open quote
on_cron('0 6 * * *)
        ^ has a quote that is not closed
  fix: add a '
# with Dagster's prefix
dg.AutomationCondition.on_cron('0 6 * * *')
^ has the prefix 'dg'
  why: conditions go by their bare names
  fix: write 'on_cron(…)' without it
# a job's condition
any_job_root_assets_match(missing())
^ names 'any_job_root_assets_match', which does not exist
  why: the conditions are eager, on_missing, on_cron, missing, newly_missing, newly_updated and 31 more
  fix: write one of the conditions of Dagster's AutomationCondition
# code
__import__('os').system('true')
^ names '__import__', which does not exist
  why: the conditions are eager, on_missing, on_cron, missing, newly_missing, newly_updated and 31 more
  fix: write one of the conditions of Dagster's AutomationCondition
# lambda
lambda: eager
^ names 'lambda', which does not exist
  why: the conditions are eager, on_missing, on_cron, missing, newly_missing, newly_updated and 31 more
  fix: write one of the conditions of Dagster's AutomationCondition
# too deep
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~eager
                              ^ is nested more than 30 levels deep
  fix: write a function that returns it: {target_function: package.module.name}
# too long
eager | eager | eage…
at 0: has 3205 characters
  why: it may have 2000
  fix: write a function that returns it: {target_function: package.module.name}\
""")


def refusal(text: str) -> str:
    with pytest.raises(UnreadableConditionError) as caught:
        parse_expression(text)
    error = caught.value
    shown = text if len(text) < 80 else f"{text[:20]}…"
    lines = [shown, f"{' ' * (error.offset or 0)}^ {error}" if len(text) < 80 else f"at {error.offset}: {error}"]
    return "\n".join(
        [*lines, *(f"  {name}: {part}" for name, part in (("why", error.why), ("fix", error.fix)) if part)]
    )


def test_the_document_says_where_a_condition_is_wrong() -> None:
    text = """orchestration:
  assets:
    "a*":
      automation_condition: "eager & ~in_progres()"
    "b*":
      automation_condition: ${WHEN:eager & missing}
    "c*": {automation_condition: eager.without()}
"""
    document = parse_yaml(text, file=Path("floe.yaml"))

    read = read_parsed_document(document.value, document.source, environ={})

    assert render_problems(read.errors) == snapshot("""\
error[FLOE-346]: automation condition 'eager & ~in_progres()' of pattern 'a*' names 'in_progres', which does not exist
  --> floe.yaml:4:39  orchestration.assets.a*.automation_condition
   |  automation_condition: "eager & ~in_progres()"
  why: the conditions are eager, on_missing, on_cron, missing, newly_missing, newly_updated and 31 more
  fix: did you mean 'in_progress'?

error[FLOE-346]: automation condition '${WHEN:eager & missing}' of pattern 'b*' has 'missing' without parentheses
  --> floe.yaml:6:29  orchestration.assets.b*.automation_condition
   |  automation_condition: ${WHEN:eager & missing}
  why: only eager, on_missing, on_cron stand without them
  fix: set WHEN to another value

error[FLOE-346]: automation condition 'eager.without()' of pattern 'c*' calls 'without' without its 'condition'
  --> floe.yaml:7:40  orchestration.assets.c*.automation_condition
   |  "c*": {automation_condition: eager.without()}
  why: that is a condition
  fix: write 'without(in_progress())'

3 errors\
""")


@given(st.text("eagr_missn()&|~.,='\" \n[]{}:0*", max_size=60) | st.text(max_size=30))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    offset = 0
    try:
        parse_expression(text)
    except UnreadableConditionError as error:
        offset = -1 if error.offset is None else error.offset

    assert 0 <= offset <= len(text)


CALLS = st.sampled_from([name for name, signature in CONDITIONS.items() if not signature.parameters])
ATOMS = CALLS.filter(lambda name: CONDITIONS[name].scope != "check").map(lambda name: f"{name}()")


@given(
    st.recursive(
        ATOMS,
        lambda inner: inner.map("(~{})".format) | st.tuples(inner, inner).map("({0[0]} & {0[1]})".format),
        max_leaves=8,
    )
)
def test_every_nesting_of_conditions_is_read(text: str) -> None:
    found = [part.name for part in expressions_in(parse_expression(text)) if isinstance(part, Condition)]

    assert found == re.findall(r"\w+", text)


def test_no_method_is_named_like_a_condition() -> None:
    assert not set(METHODS) & set(CONDITIONS)
