"""Python does not search for garbage while tests are collected, nor later in what has been made until then.

Dagster, dbt and thousands of tests are a few million objects, which nothing frees before the end: a fifth of the time.
"""

import gc

gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
