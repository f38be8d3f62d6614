"""`floe validate`."""

import gc
import os
from dataclasses import dataclass, field

import click

from floe_cli.console import emit, emit_json, say, show_problems, stdout_for_machines, work_in_progress
from floe_cli.counts import count_definitions, list_counts
from floe_cli.github import workflow_command
from floe_cli.options import current_project, report_format_option, shared_options
from floe_core.compiler.checks import check_documents
from floe_core.errors import ProblemCollector, shown_path
from floe_core.project import ProjectFolder
from floe_core.suggestions import list_names

EXIT_FINDINGS = 1


@click.command()
@click.option(
    "--schema-only", is_flag=True, help="Read the documents alone: no dbt, no Python modules, in half a second."
)
@click.option("--strict-env", is_flag=True, help="Make a required variable that is not set an error.")
@click.option(
    "--instance",
    "with_instance",
    is_flag=True,
    help="Also warn of partitions that were materialised and are no longer those of their assets.",
)
@report_format_option
@shared_options
@click.pass_context
def command(ctx: click.Context, schema_only: bool, strict_env: bool, with_instance: bool, output_format: str) -> None:
    """Check floe.yaml and everything it refers to.

    Reads floe.yaml and platform.yaml, compiles, imports the asset modules and builds every definition, and shows all
    problems in one report. Nothing is run. With --instance it also looks into the Dagster instance that runs are
    recorded in, DAGSTER_HOME or .floe/dagster_home, where there is one.
    """
    if schema_only and with_instance:
        raise click.UsageError("--schema-only reads the documents alone; --instance compares what is built of them")
    problems = ProblemCollector()
    verdict = _Verdict()
    with problems.collecting():
        project = current_project()
        if schema_only:
            verdict = _check_documents(project, strict_env=strict_env, problems=problems)
        else:
            verdict = _check_everything(project, strict_env=strict_env, with_instance=with_instance, problems=problems)
    valid = not problems.errors
    if output_format == "json":
        emit_json(_report(problems, verdict, with_instance=with_instance))
    else:
        if output_format == "github" and problems.problems:
            emit("\n".join(map(workflow_command, problems.problems)))
        show_problems(problems.problems)
        if valid:
            _show_verdict(project, verdict, after_warnings=bool(problems.warnings))
    if verdict.why_no_instance:
        say(verdict.why_no_instance)
    ctx.exit(0 if valid else EXIT_FINDINGS)


@dataclass(frozen=True)
class _Verdict:
    """What there is to say of a project that has no errors."""

    text: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    selectors: dict[str, str] = field(default_factory=dict)
    instance: str | None = None  # the folder of the instance that was looked at
    why_no_instance: str = ""  # why none was, though that was asked for


def _report(problems: ProblemCollector, verdict: _Verdict, *, with_instance: bool) -> dict[str, object]:
    known = _Verdict() if problems.errors else verdict
    return {
        "valid": not problems.errors,
        "counts": known.counts,
        "partition_selectors": known.selectors,
        **({"instance": verdict.instance} if with_instance else {}),
        "problems": [problem.to_json() for problem in problems.problems],
    }


def _show_verdict(project: ProjectFolder, verdict: _Verdict, *, after_warnings: bool) -> None:
    line = f"{shown_path(project.floe_yaml)} {verdict.text}: {list_counts(verdict.counts)}"
    say("\n" * after_warnings + line)
    if verdict.selectors:
        shown_selectors = ", ".join(f"{name} {one}" for name, one in verdict.selectors.items())
        say(f"partitions that a tick launches: {shown_selectors}")


def _check_documents(project: ProjectFolder, *, strict_env: bool, problems: ProblemCollector) -> _Verdict:
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some takes a twentieth of the command
    checked = check_documents(project, environ=os.environ, strict_env=strict_env)
    problems.extend(checked.warnings)
    return _Verdict("is valid by itself", count_definitions(checked.document.spec))


def _check_everything(
    project: ProjectFolder, *, strict_env: bool, with_instance: bool, problems: ProblemCollector
) -> _Verdict:
    gc.enable()
    from floe_cli.checking import check_project  # noqa: PLC0415 - --schema-only does without Dagster

    with stdout_for_machines(), work_in_progress() as progress:
        found = check_project(
            project,
            environ=os.environ,
            strict_env=strict_env,
            problems=problems,
            progress=progress,
            with_instance=with_instance,
        )
    loaded = found.loaded
    unset = list_names(found.unset)
    return _Verdict(
        f"is valid as far as can be told without {unset}" if found.unset else "is valid",
        count_definitions(found.documents.document.spec, assets=len(loaded.index.nodes) if loaded else None),
        dict(loaded.partition_selectors) if loaded else {},
        None if found.dagster_home is None else str(found.dagster_home),
        found.why_no_instance,
    )
