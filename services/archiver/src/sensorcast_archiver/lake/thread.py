"""Runs the lake's blocking calls in a thread of their own, one after the other."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import pyarrow as pa

from sensorcast_archiver.lake.write import Committed, LakeBatch, LakeWriter


class LakeThread:
    """An `async with` around a `LakeWriter`.

    Args:
        open_writer: Opens the lake; called in the thread, so it may block.
    """

    def __init__(self, open_writer: Callable[[], LakeWriter]) -> None:
        self._open = open_writer
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lake")
        self._writer: LakeWriter | None = None

    async def __aenter__(self) -> Self:
        try:
            self._writer = await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        # A commit under way may end by itself; its receipt says whether it did.
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def commit(self, batches: Sequence[LakeBatch]) -> Committed:
        """See `LakeWriter.commit`."""
        if self._writer is None:
            raise RuntimeError("enter the lake thread first")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, self._writer, batches)

    @staticmethod
    def _commit(writer: LakeWriter, batches: Sequence[LakeBatch]) -> Committed:
        try:
            return writer.commit(batches)
        finally:
            # Arrow keeps what a large commit took; the next one is a minute away.
            pa.default_memory_pool().release_unused()
