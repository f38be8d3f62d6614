"""OpenLineage's client, with which events are sent. Imports it, which takes a second: only in the thread that sends."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import tags_job
from openlineage.client.transport import get_default_factory

from floe_dagster.observability.lineage.destination import Destination
from floe_dagster.observability.lineage.events import Event


class _Client(OpenLineageClient):
    """The client, configured by what it is given alone.

    OpenLineage's own takes an `openlineage.yml` of the working directory, and writes credentials into the environment.
    """

    @classmethod
    def _alias_env_vars(cls) -> None: ...

    @staticmethod
    def _find_yaml_config_path() -> str | None:
        return None

    @classmethod
    def _load_config_from_env_variables(cls) -> dict[str, Any] | None:
        return None


def connect(destination: Destination) -> Callable[[Event], None]:
    """What sends one event, and raises whatever the transport raises where it does not arrive."""
    logging.getLogger("openlineage").setLevel(logging.CRITICAL + 1)  # what is lost is counted, and told once
    config = destination.config
    facets = {"source_code_location": {"disabled": True}, **(config.get("facets") or {})}
    transport = get_default_factory().create(config["transport"])
    client = _Client(transport=transport, config={**config, "facets": facets})
    return lambda event: client.emit(_client_event(event))


def _client_event(event: Event) -> RunEvent:
    job, run = event["job"], event["run"]
    return RunEvent(
        eventType=RunState(event["eventType"]),
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=Run(runId=run["runId"], facets=dict(run.get("facets") or {})),
        job=Job(namespace=job["namespace"], name=job["name"], facets=_job_facets(job)),
        inputs=[InputDataset(**_dataset(item, "inputFacets")) for item in event.get("inputs") or ()],
        outputs=[OutputDataset(**_dataset(item, "outputFacets")) for item in event.get("outputs") or ()],
    )


def _job_facets(job: Mapping[str, Any]) -> dict[str, Any]:
    """The facets; tags as the client's own class, since it adds those of its configuration."""
    facets = dict(job.get("facets") or {})
    if "tags" in facets:
        fields = [tags_job.TagsJobFacetFields(**tag) for tag in facets["tags"]["tags"]]
        facets["tags"] = tags_job.TagsJobFacet(tags=fields, producer=facets["tags"]["_producer"])
    return facets


def _dataset(dataset: Mapping[str, Any], role: str) -> dict[str, Any]:
    return {
        "namespace": dataset["namespace"],
        "name": dataset["name"],
        "facets": dict(dataset.get("facets") or {}),
        role: dict(dataset.get(role) or {}),
    }
