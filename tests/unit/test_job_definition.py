"""Jobs: what they say, and which contradict themselves."""

from inline_snapshot import snapshot

from builders import BATCH_JOB, OPS_JOB, batch_job, ops_job, refusal_report
from floe_core.interpolation import EnvText, Unset
from floe_core.schemas.job_definition import JobDefinition, RetryPolicy


def test_a_batch_job_needs_no_more_than_a_selection() -> None:
    job = batch_job(selection="group:bronze")

    assert job.selection == ("group:bronze",)
    assert (job.exclude, job.description, job.tags, job.config, job.executor, job.hooks) == ((), None, {}, {}, None, ())
    assert (job.max_retries, job.max_runtime_seconds) == (None, None)


def test_an_ops_job_needs_no_more_than_a_function() -> None:
    job = ops_job()

    assert (job.target_function, job.args, job.retry_policy) == ("shop.ops.vacuum", {}, None)


def test_arguments_from_the_environment_become_what_yaml_would_read() -> None:
    job = ops_job(
        args={"days": EnvText("30"), "names": [EnvText("a"), EnvText("true")], "nested": {"ratio": EnvText(".5")}}
    )

    assert job.args == {"days": 30, "names": ["a", True], "nested": {"ratio": 0.5}}


def test_tags_are_text() -> None:
    job = batch_job(tags={"dagster/priority": 3, "team": "data", "nightly": True, "share": 0.5})

    assert job.tags == {"dagster/priority": "3", "team": "data", "nightly": "true", "share": "0.5"}


def test_a_hook_is_a_reference_or_says_when_it_is_called() -> None:
    job = batch_job(hooks=["shop.hooks.alert", {"target_function": "shop.hooks.notify", "on": "failure"}])

    assert [(hook.target_function, hook.on) for hook in job.hooks] == [
        ("shop.hooks.alert", None),
        ("shop.hooks.notify", "failure"),
    ]


def test_no_retry_needs_no_delay() -> None:
    assert RetryPolicy.model_validate({"max_retries": 0}).max_retries == 0
    assert RetryPolicy.model_validate({"delay": 1.5, "backoff": "linear", "jitter": "full"}).max_retries == 1


def test_a_delay_that_waits_for_a_variable_is_there() -> None:
    assert RetryPolicy.model_validate({"delay": Unset("${DELAY}"), "backoff": "linear"}).backoff == "linear"


def test_jobs_that_are_refused() -> None:
    cases: dict[str, object] = {
        "no type": {"selection": ["*"]},
        "unknown type": {**BATCH_JOB, "type": "bach"},
        "no selection": {"type": "batch"},
        "empty selection": {**BATCH_JOB, "selection": []},
        "blank item": {**BATCH_JOB, "selection": ["group:a", ""]},
        "field of another type": {**BATCH_JOB, "target_function": "shop.ops.vacuum"},
        "negative retries": {**BATCH_JOB, "max_retries": -1},
        "no time to run": {**BATCH_JOB, "max_runtime_seconds": 0},
        "true is no number": {**BATCH_JOB, "max_retries": True},
        "hook at another end": {**BATCH_JOB, "hooks": [{"target_function": "a.b", "on": "start"}]},
        "tag key": {**BATCH_JOB, "tags": {"a b": "c"}},
        "tag value": {**BATCH_JOB, "tags": {"a": [1]}},
        "function without a module": {**OPS_JOB, "target_function": "vacuum"},
        "function as it is called": {**OPS_JOB, "target_function": "shop.ops:vacuum(30)"},
        "arguments in a list": {**OPS_JOB, "args": [30]},
        "backoff without a delay": {**OPS_JOB, "retry_policy": {"backoff": "linear"}},
        "jitter without a delay": {**OPS_JOB, "retry_policy": {"jitter": "full", "delay": None}},
    }

    assert refusal_report(JobDefinition, cases) == snapshot("""\
# no type
Unable to extract tag using discriminator 'type'
# unknown type
Input tag 'bach' found using 'type' does not match any of the expected tags: 'batch', 'ops'
# no selection
batch.selection: Field required
# empty selection
batch.selection: the list is empty
  fix: name at least one, or leave the key out
# blank item
batch.selection[1]: is empty
  fix: name an asset or a group, or write '*' for everything
# field of another type
batch.target_function: Extra inputs are not permitted
# negative retries
batch.max_retries: Input should be greater than or equal to 0
# no time to run
batch.max_runtime_seconds: Input should be greater than or equal to 1
# true is no number
batch.max_retries: it is a number, not true or false
  fix: write a number
# hook at another end
batch.hooks[0].on: Input should be 'success' or 'failure'
# tag key
batch.tags["a b"]["[key]"]: a tag's key has up to 63 letters, digits, '_', '-' and '.', after an optional
    prefix and '/'
  fix: write 'a_b'
# tag value
batch.tags.a: Input should be a valid string
# function without a module
ops.target_function: a function or class is named by its import path: module, dot and name, such as
    'shop.ops.vacuum'
  fix: write its module before it, such as 'shop.vacuum'
# function as it is called
ops.target_function: a function or class is named by its import path: module, dot and name, such as
    'shop.ops.vacuum'
  fix: write 'shop.ops.vacuum'
# arguments in a list
ops.args: Input should be a valid dictionary
# backoff without a delay
ops.retry_policy.backoff: it changes the delay between retries, and there is none
  fix: add delay: 10 (seconds)
# jitter without a delay
ops.retry_policy.jitter: it changes the delay between retries, and there is none
  fix: add delay: 10 (seconds)\
""")
