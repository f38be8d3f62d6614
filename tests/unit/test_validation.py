"""Documents with several mistakes: each is found, and none of them makes up another one."""

import copy
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from inline_snapshot import snapshot

from builders import floe_yaml
from floe_core.compiler.profile_checks import check_profiles
from floe_core.compiler.references import check_references
from floe_core.documents import FloeDocument, read_floe_document, read_parsed_document, read_platform_document
from floe_core.errors import Problem, YamlPath, format_yaml_path, render_problems
from floe_core.schemas.platform_spec import PlatformSpec, embedded_platform
from floe_core.source_map import SourceMap
from floe_core.yaml_source import parse_yaml

EVERY_FIELD = Path(__file__).parents[1] / "golden" / "every_field_floe.yaml"
NOT_OF_ANY_FIELD = {"not": {"of": ["any", "field"]}}


def read(text: str) -> FloeDocument:
    document = parse_yaml(dedent(text), file=Path("floe.yaml"))
    return read_parsed_document(document.value, document.source, document.text, environ={}, default_name="shop")


def problems_of(document: FloeDocument, platform: PlatformSpec | None = None) -> list[Problem]:
    """What is wrong with the document and with the names in it."""
    found = [*document.errors, *check_references(document.spec, document.source)]
    return found + check_profiles(document.spec, platform or embedded_platform(), document.source)


def report(text: str) -> str:
    return render_problems(problems_of(read(text)))


class TestWithinOneEntry:
    def test_rules_over_a_whole_entry_are_checked_beside_a_wrong_field(self) -> None:
        assert report("""
            orchestration:
              schedules: {nightly: {cron_schedule: "0 25 * * *", timezone: Mars/Olympus, colour: red}}
        """) == snapshot("""\
error[FLOE-125]: schedule 'nightly': a schedule launches a job or a selection of assets
  --> floe.yaml:3:15  orchestration.schedules.nightly
   |  schedules: {nightly: {cron_schedule: "0 25 * * *", timezone: Mars/Olympus, colour: red}}
  fix: add 'job: NAME' or 'selection: […]'

error[FLOE-125]: 'cron_schedule' of schedule 'nightly' cannot be '0 25 * * *'
  --> floe.yaml:3:40  orchestration.schedules.nightly.cron_schedule
   |  schedules: {nightly: {cron_schedule: "0 25 * * *", timezone: Mars/Olympus, colour: red}}
  why: hour 25 is not in 0-23
  fix: write 0 to 23

error[FLOE-125]: 'timezone' of schedule 'nightly' cannot be 'Mars/Olympus'
  --> floe.yaml:3:64  orchestration.schedules.nightly.timezone
   |  schedules: {nightly: {cron_schedule: "0 25 * * *", timezone: Mars/Olympus, colour: red}}
  why: a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'

error[FLOE-120]: schedule 'nightly' takes no key 'colour'
  --> floe.yaml:3:78  orchestration.schedules.nightly.colour
   |  schedules: {nightly: {cron_schedule: "0 25 * * *", timezone: Mars/Olympus, colour: red}}
  why: it takes cron_schedule, job, selection, timezone, enabled, environments and 5 more
  fix: delete it

4 errors\
""")

    def test_a_rule_tells_of_every_value_that_breaks_it(self) -> None:
        assert report("""
            orchestration:
              jobs: {load: {type: batch, selection: "*"}}
              partitions: {region: {type: static, partition_keys: [eu, us, eu, us, us]}}
              sensors:
                arrival:
                  {type: file_watcher, path: in, job: load, partition_key: "{file.nam}", tags: {a: "{date}", b: "{"}}
        """) == snapshot("""\
error[FLOE-125]: 'partition_keys[2]' of partitions definition 'region' cannot be 'eu'
  --> floe.yaml:4:64  orchestration.partitions.region.partition_keys[2]
   |  partitions: {region: {type: static, partition_keys: [eu, us, eu, us, us]}}
  why: every partition key stands once, and 'eu' stands 2 times
  fix: delete the others

error[FLOE-125]: 'partition_keys[3]' of partitions definition 'region' cannot be 'us'
  --> floe.yaml:4:68  orchestration.partitions.region.partition_keys[3]
   |  partitions: {region: {type: static, partition_keys: [eu, us, eu, us, us]}}
  why: every partition key stands once, and 'us' stands 3 times
  fix: delete the others

error[FLOE-125]: 'partition_keys[4]' of partitions definition 'region' cannot be 'us'
  --> floe.yaml:4:72  orchestration.partitions.region.partition_keys[4]
   |  partitions: {region: {type: static, partition_keys: [eu, us, eu, us, us]}}
  why: every partition key stands once, and 'us' stands 2 times
  fix: delete the others

error[FLOE-125]: 'partition_key' of sensor 'arrival' cannot be '{file.nam}'
  --> floe.yaml:7:64  orchestration.sensors.arrival.partition_key
   |  {type: file_watcher, path: in, job: load, partition_key: "{file.nam}", tags: {a: "{date}", b: "{"}}
  why: '{file.nam}' cannot be filled in: there is {file.path}, {file.name}, {file.stem}
  fix: did you mean 'file.name'?

error[FLOE-125]: 'tags.a' of sensor 'arrival' cannot be '{date}'
  --> floe.yaml:7:88  orchestration.sensors.arrival.tags.a
   |  {type: file_watcher, path: in, job: load, partition_key: "{file.nam}", tags: {a: "{date}", b: "{"}}
  why: '{date}' cannot be filled in: there is {file.path}, {file.name}, {file.stem}
  fix: write '{{date}}' for plain braces

error[FLOE-125]: 'tags.b' of sensor 'arrival' cannot be '{'
  --> floe.yaml:7:101  orchestration.sensors.arrival.tags.b
   |  {type: file_watcher, path: in, job: load, partition_key: "{file.nam}", tags: {a: "{date}", b: "{"}}
  why: every '{' that is filled in has its '}'
  fix: add the '}', or write '{{' for a plain brace

6 errors\
""")

    def test_a_misspelt_key_is_not_missed(self) -> None:
        assert report("""
            orchestration:
              jobs: {load: {type: batch, selektion: "*"}}
              schedules: {nightly: {jbo: load, cron: "@daily"}}
              backfills: {year: {job: load, partition_key: [a]}}
        """) == snapshot("""\
error[FLOE-120]: job 'load' takes no key 'selektion'
  --> floe.yaml:3:30  orchestration.jobs.load.selektion
   |  jobs: {load: {type: batch, selektion: "*"}}
  why: type batch takes selection, description, tags, exclude, config, executor and 3 more
  fix: did you mean 'selection'?

error[FLOE-120]: schedule 'nightly' takes no key 'jbo'
  --> floe.yaml:4:25  orchestration.schedules.nightly.jbo
   |  schedules: {nightly: {jbo: load, cron: "@daily"}}
  why: it takes cron_schedule, job, selection, timezone, enabled, environments and 5 more
  fix: did you mean 'job'?

error[FLOE-120]: schedule 'nightly' takes no key 'cron'
  --> floe.yaml:4:36  orchestration.schedules.nightly.cron
   |  schedules: {nightly: {jbo: load, cron: "@daily"}}
  why: it takes cron_schedule, job, selection, timezone, enabled, environments and 5 more
  fix: did you mean 'cron_schedule'?

error[FLOE-120]: backfill 'year' takes no key 'partition_key'
  --> floe.yaml:5:33  orchestration.backfills.year.partition_key
   |  backfills: {year: {job: load, partition_key: [a]}}
  why: it takes job, partition_range, partition_keys, batch_size, on_failure, description and 1 more
  fix: did you mean 'partition_keys'?

4 errors\
""")

    @pytest.mark.parametrize("kind", ["type: file_watch", "typ: file_watcher", ""], ids=["misspelt", "key", "missing"])
    def test_a_kind_that_can_be_told_is_checked_as_such(self, kind: str) -> None:
        problems = problems_of(
            read(f"""
            orchestration:
              jobs: {{load: {{type: batch, selection: "*"}}}}
              sensors:
                arrival: {{path: in, job: laod, settle_seconds: soon{f", {kind}" if kind else ""}}}
            """)
        )

        assert sorted(problem.code for problem in problems) == sorted(
            ["FLOE-120" if kind.startswith("typ:") else "FLOE-124", "FLOE-203", "FLOE-122"]
        )


class TestNames:
    @pytest.mark.requirement("010-FR-047")
    def test_names_are_looked_up_beside_mistakes_elsewhere(self) -> None:
        assert report("""
            orchestration:
              partitions: {daily: {type: time_window, start: 2024, colour: red}}
              assets: {"*": {partitions: daly, kinds: 5}, "b*": {partitions: daily}}
              jobs:
                load: {type: batch, selection: "*", colour: red}
                clean: {type: ops, executor: default}
                copy: {type: batch, selection: "*", executor: dsak}
              schedules:
                nightly: {job: laod, cron_schedule: "@daily", partition_selector: "last:x"}
                weekly: {job: clean, cron_schedule: "@weekly"}
              sensors:
                failed: {type: run_status, status: FAILED, watched_jobs: [load, cpoy], job: clean}
            storage: lake
        """) == snapshot("""\
error[FLOE-120]: partitions definition 'daily' takes no key 'colour'
  --> floe.yaml:3:56  orchestration.partitions.daily.colour
   |  partitions: {daily: {type: time_window, start: 2024, colour: red}}
  why: type time_window takes start, cron_schedule, timezone, fmt, end, end_offset
  fix: delete it

error[FLOE-122]: 'kinds' of pattern '*' cannot be 5
  --> floe.yaml:4:43  orchestration.assets.*.kinds
   |  assets: {"*": {partitions: daly, kinds: 5}, "b*": {partitions: daily}}
  why: it must be text or a list of texts
  fix: put it in quotes: '5'

error[FLOE-120]: job 'load' takes no key 'colour'
  --> floe.yaml:6:41  orchestration.jobs.load.colour
   |  load: {type: batch, selection: "*", colour: red}
  why: type batch takes selection, description, tags, exclude, config, executor and 3 more
  fix: delete it

error[FLOE-121]: job 'clean' has no 'target_function'
  --> floe.yaml:7:5  orchestration.jobs.clean
   |  clean: {type: ops, executor: default}
  why: 'target_function' is required: the function
  fix: add 'target_function: …'

error[FLOE-120]: job 'clean' takes no key 'executor'
  --> floe.yaml:7:24  orchestration.jobs.clean.executor
   |  clean: {type: ops, executor: default}
  why: type ops takes target_function, description, tags, args, retry_policy
  fix: 'executor' belongs to type batch

error[FLOE-125]: 'partition_selector' of schedule 'nightly' cannot be 'last:x'
  --> floe.yaml:10:71  orchestration.schedules.nightly.partition_selector
   |  nightly: {job: laod, cron_schedule: "@daily", partition_selector: "last:x"}
  why: it is 'latest', 'all', 'last:N' from 1 on, 'none' or a partition key
  fix: write 'latest' for the last one

error[FLOE-123]: 'status' of sensor 'failed' cannot be 'FAILED'
  --> floe.yaml:13:40  orchestration.sensors.failed.status
   |  failed: {type: run_status, status: FAILED, watched_jobs: [load, cpoy], job: clean}
  why: it must be one of SUCCESS, FAILURE, STARTED, CANCELED
  fix: did you mean 'FAILURE'?

error[FLOE-203]: schedule 'nightly' starts job 'laod', which does not exist
  --> floe.yaml:10:20  orchestration.schedules.nightly.job
   |  nightly: {job: laod, cron_schedule: "@daily", partition_selector: "last:x"}
  why: a job is named under orchestration.jobs (load, clean, copy)
  fix: did you mean 'load'?

error[FLOE-203]: sensor 'failed' watches job 'cpoy', which does not exist
  --> floe.yaml:13:69  orchestration.sensors.failed.watched_jobs[1]
   |  failed: {type: run_status, status: FAILED, watched_jobs: [load, cpoy], job: clean}
  why: a job is named under orchestration.jobs (load, clean, copy)
  fix: did you mean 'copy'?

error[FLOE-203]: asset pattern '*' sets partitions 'daly', which do not exist
  --> floe.yaml:4:30  orchestration.assets.*.partitions
   |  assets: {"*": {partitions: daly, kinds: 5}, "b*": {partitions: daily}}
  why: partitions are defined under orchestration.partitions (daily)
  fix: did you mean 'daily'?

error[FLOE-231]: storage profile 'lake' does not exist
  --> floe.yaml:14:10  storage
   |  storage: lake
  why: profiles are named under storage of platform.yaml (default)
  fix: add 'lake' under storage of platform.yaml, or write storage: NAME

error[FLOE-231]: job 'copy' uses executor 'dsak', which does not exist
  --> floe.yaml:8:51  orchestration.jobs.copy.executor
   |  copy: {type: batch, selection: "*", executor: dsak}
  why: executors are in_process, multiprocess and the profiles under execution of platform.yaml (default)
  fix: add 'dsak' under execution of platform.yaml

12 errors\
""")

    def test_a_section_in_the_wrong_place_is_one_mistake(self) -> None:
        assert report("""
            jobs: {load: {type: batch, selection: "*"}}
            orchestration:
              schedules: {nightly: {job: load, cron_schedule: "@daily"}}
        """) == snapshot("""\
error[FLOE-120]: floe.yaml takes no key 'jobs'
  --> floe.yaml:2:1  jobs
   |  jobs: {load: {type: batch, selection: "*"}}
  why: it takes orchestration, name, version, storage, catalog, compute and 1 more
  fix: move it below 'orchestration'\
""")

    def test_a_name_that_cannot_be_one_is_no_unknown_one(self) -> None:
        assert report("""
            orchestration:
              jobs: {1st: {type: batch, selection: "*"}, config: {type: batch, selection: "*"}}
              schedules:
                a: {job: 1st, cron_schedule: "@daily"}
                b: {job: config, cron_schedule: "@daily"}
        """) == snapshot("""\
error[FLOE-125]: a job cannot be named '1st'
  --> floe.yaml:3:10  orchestration.jobs.1st
   |  jobs: {1st: {type: batch, selection: "*"}, config: {type: batch, selection: "*"}}
  why: a name has letters, digits and '_', and starts with a letter

error[FLOE-125]: a job cannot be named 'config'
  --> floe.yaml:3:46  orchestration.jobs.config
   |  jobs: {1st: {type: batch, selection: "*"}, config: {type: batch, selection: "*"}}
  why: Dagster keeps the name 'config' for itself
  fix: write 'config_'

error[FLOE-125]: 'job' of schedule 'a' cannot be '1st'
  --> floe.yaml:5:14  orchestration.schedules.a.job
   |  a: {job: 1st, cron_schedule: "@daily"}
  why: a name has letters, digits and '_', and starts with a letter

error[FLOE-125]: 'job' of schedule 'b' cannot be 'config'
  --> floe.yaml:6:14  orchestration.schedules.b.job
   |  b: {job: config, cron_schedule: "@daily"}
  why: Dagster keeps the name 'config' for itself
  fix: write 'config_'

4 errors\
""")

    def test_a_key_that_is_written_twice_hides_nothing_else(self, tmp_path: Path) -> None:
        (tmp_path / "floe.yaml").write_text(
            floe_yaml("""
            jobs: {load: {type: batch, selection: "a b"}, load: {type: batch, selection: a}}
            schedules: {nightly: {job: laod, cron_schedule: "@dail", cron_schedule: "@daily"}}
            """)
        )
        (tmp_path / "platform.yaml").write_text("storage: {a: {type: locla}, a: {type: local}}\n")

        document = read_floe_document(tmp_path / "floe.yaml", environ={})
        platform = read_platform_document(tmp_path, environ={})

        codes = [problem.code for problem in problems_of(document, platform.spec)]
        assert sorted(codes) == ["FLOE-102", "FLOE-102", "FLOE-125", "FLOE-203", "FLOE-231", "FLOE-330"]
        assert [problem.code for problem in platform.errors] == ["FLOE-102", "FLOE-124"]

    def test_profiles_are_looked_up_beside_mistakes_in_platform_yaml(self, tmp_path: Path) -> None:
        (tmp_path / "platform.yaml").write_text("storage: {lake: {type: s3, buckett: x}, files: {type: local}}\n")
        platform = read_platform_document(tmp_path, environ={})
        document = read("storage: lak\norchestration: {}\n")

        assert [problem.code for problem in platform.errors] == ["FLOE-120"]
        assert [problem.fix for problem in problems_of(document, platform.spec)] == ["did you mean 'lake'?"]


def paths_of(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    if path and not str(path[0]).startswith("x-"):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_of(item, (*path, key))


def changed(value: Any, path: YamlPath, new: object) -> Any:
    """*value* with another one at *path*."""
    result = copy.deepcopy(value)
    holder = result
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = new
    return result


def problems_with(value: object, source: SourceMap) -> list[Problem]:
    return problems_of(read_parsed_document(value, source, environ={}, default_name="shop"), PLATFORM)


PLATFORM = read_platform_document(EVERY_FIELD.parent, environ={"FLOE_PLATFORM_FILE": "every_field_platform.yaml"}).spec
DOCUMENT = parse_yaml(EVERY_FIELD.read_text(), file=EVERY_FIELD)


@pytest.mark.parametrize("wrong", [NOT_OF_ANY_FIELD, [[]], "", "a b/c: {"], ids=["mapping", "list", "empty", "text"])
def test_a_wrong_value_anywhere_makes_up_no_problem_elsewhere(wrong: object) -> None:
    for path in paths_of(DOCUMENT.value):
        elsewhere = {
            problem.location.yaml_path: problem.what
            for problem in problems_with(changed(DOCUMENT.value, path, wrong), DOCUMENT.source)
            if problem.location is not None and not problem.location.yaml_path.startswith(format_yaml_path(path))
        }

        assert (path, elsewhere) == (path, {})
