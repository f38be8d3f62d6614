"""A run's trace as a page of its own."""

from floe_cli.pages import build_page
from floe_cli.trace_report import TraceReport, trace_as_json


def trace_page(report: TraceReport) -> str:
    """The waterfall of *report* in HTML, with the details of each span."""
    title = f"{report.job or 'run'} {report.run_id[:8]} · floe trace"
    return build_page("trace", title=title, data=trace_as_json(report))
