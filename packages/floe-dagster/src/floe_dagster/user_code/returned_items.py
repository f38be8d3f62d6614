"""What a user's function returns, whatever its shape: the values of a generator, or the one that it returned."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Generator, Iterator
from typing import cast


def items_of(returned: object) -> Iterator[object]:
    """The values of a generator, its returned one last; of a coroutine, what it comes to; of anything else, itself.

    They are taken one by one: a generator goes on only when the next value is asked for.
    """
    if inspect.isasyncgen(returned):
        yield from _from_async(returned)
    elif inspect.isgenerator(returned):
        yield (yield from cast("Generator[object, None, object]", returned))
    elif inspect.isawaitable(returned):
        yield asyncio.run(_awaited(returned))
    else:
        yield returned


async def _awaited(value: Awaitable[object]) -> object:
    return await value


def _from_async(values: AsyncGenerator[object, None]) -> Iterator[object]:
    with asyncio.Runner() as runner:
        while True:
            try:
                item = runner.run(_awaited(anext(values)))
            except StopAsyncIteration:
                return
            yield item
