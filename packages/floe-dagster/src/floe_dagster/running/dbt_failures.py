"""What dbt said of a call that failed, without what dagster-dbt tells around it: the whole command, with its vars."""

import re

_ERRORS = "Errors parsed from dbt logs:"
_COMMAND = "The dbt CLI process with command"
_FAILED = re.compile(rf"{_COMMAND}\b.*?failed with exit code `?(?P<code>[^`\s.]*)", re.DOTALL)
_PROGRESS = re.compile(r"^\d+ of \d+ ")


def find_dbt_words(message: str) -> str | None:
    """What dbt said, without its lines of progress; None of an error that dagster-dbt has not told.

    >>> find_dbt_words("The dbt CLI process with command `dbt run --vars {}` failed with exit code `2`. Check it.")
    'dbt failed with exit code 2'

    Source:
        `DbtCliInvocation.get_error` of dagster-dbt 0.29.
    """
    if _COMMAND not in message:
        return _without_progress(message.partition(_ERRORS)[2]) if _ERRORS in message else None
    failed = _FAILED.search(message)
    code = failed["code"] if failed is not None else ""
    return _without_progress(message.partition(_ERRORS)[2]) or "dbt failed" + (
        f" with exit code {code}" if code else ""
    )


def _without_progress(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if not _PROGRESS.match(line)]
    shown: list[str] = []
    for line in lines:
        if line or (shown and shown[-1]):
            shown.append(line)
    return "\n".join(shown).strip()
