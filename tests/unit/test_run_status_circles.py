"""Run-status sensors that would start what starts them."""

from inline_snapshot import snapshot

from builders import floe_yaml, parse_document
from floe_core.compiler.references import check_references
from floe_core.errors import render_problems

JOBS = (
    "jobs: {load: {type: batch, selection: a}, clean: {type: batch, selection: b}, tell: {type: batch, selection: c}}"
)


def report(sensors: str) -> str:
    document = parse_document(floe_yaml(f"{JOBS}\nsensors:\n{sensors}"))
    return render_problems(check_references(document.spec, document.source))


def test_a_sensor_that_watches_the_job_that_it_starts() -> None:
    assert report("""\
  again: {type: run_status, status: FAILURE, watched_jobs: [clean, load], job: load}
""") == snapshot("""\
error[FLOE-392]: sensor 'again' watches job 'load', which it starts itself
  --> floe.yaml:4:70  orchestration.sensors.again.watched_jobs[1]
   |  again: {type: run_status, status: FAILURE, watched_jobs: [clean, load], job: load}
  why: its own runs do not trigger it, so it would react to some runs of the job and not to others
  fix: start another job, or give the job max_retries if it is to run again after a failure\
""")


def test_sensors_that_start_one_another() -> None:
    assert report("""\
  one: {type: run_status, status: SUCCESS, watched_jobs: load, job: clean}
  two: {type: run_status, status: FAILURE, watched_jobs: clean, jobs: [tell]}
  three: {type: run_status, status: SUCCESS, watched_jobs: tell, job: load}
""") == snapshot("""\
warning[FLOE-393]: sensor 'one' starts itself by way of 'two', 'three'
  --> floe.yaml:4:60  orchestration.sensors.one.watched_jobs
   |  one: {type: run_status, status: SUCCESS, watched_jobs: load, job: clean}
  why: each watches a job that the one before it starts; no run triggers a sensor that led to it, so it ends
  fix: name in watched_jobs only what none of them starts\
""")


def test_two_sensors_that_watch_every_run_for_the_same_status() -> None:
    assert report("""\
  one: {type: run_status, status: SUCCESS, job: clean}
  two: {type: run_status, status: SUCCESS, job: tell}
""") == snapshot("""\
warning[FLOE-393]: sensor 'one' starts itself by way of 'two'
  --> floe.yaml:4:5  orchestration.sensors.one
   |  one: {type: run_status, status: SUCCESS, job: clean}
  why: each watches a job that the one before it starts; no run triggers a sensor that led to it, so it ends
  fix: name in watched_jobs only what none of them starts\
""")


def test_sensors_that_go_on_from_one_another_in_a_line() -> None:
    assert (
        report("""\
  one: {type: run_status, status: SUCCESS, watched_jobs: load, job: clean}
  two: {type: run_status, status: SUCCESS, watched_jobs: clean, job: tell}
  alert: {type: run_status, status: FAILURE, job: tell}
  call: {type: run_status, status: FAILURE, target_function: shop.alerts.send}
  unknown: {type: run_status, status: FAILURE, watched_jobs: load, job: "${JOB}"}
""")
        == ""
    )
