"""The lines in which notices wait for their channel, each for a moment, so that what belongs together goes together."""

import asyncio
from collections.abc import Iterable
from typing import Final

from sensorcast_alerter.notify.group import MOST_TOGETHER, BundleKey, bundle_key
from sensorcast_alerter.notify.message import Errand
from sensorcast_common.notice import Channel

_AT_ONCE: Final = frozenset({Channel.MQTT})


class Bundles:
    """One line per channel, so that one that is away does not hold up the others.

    Args:
        channels: The channels that there are.
        wait: Seconds that a bundle stays open for more; a vehicle's does not.
        backlog: Notices of one channel that wait in memory; the rest waits in the table.
    """

    def __init__(self, channels: Iterable[Channel], *, wait: float, backlog: int) -> None:
        self._lines: dict[Channel, asyncio.Queue[BundleKey]] = {channel: asyncio.Queue() for channel in channels}
        self._open: dict[Channel, dict[BundleKey, list[Errand]]] = {channel: {} for channel in self._lines}
        self._timers: dict[BundleKey, tuple[asyncio.TimerHandle, Channel]] = {}
        self._known: set[tuple[str, str]] = set()
        self._wait = wait
        self._backlog = backlog

    @property
    def waiting(self) -> int:
        """Notices that are in a line or being sent."""
        return len(self._known)

    def add(self, errand: Errand) -> None:
        """Let it wait its turn. What finds no room, has no channel here or is known already stays in the table."""
        channel = errand.notice.channel
        bundles = self._open.get(channel)
        if bundles is None or errand.key in self._known or sum(map(len, bundles.values())) >= self._backlog:
            return
        key = bundle_key(errand)
        if len(bundles.get(key, ())) >= MOST_TOGETHER:
            return
        self._known.add(errand.key)
        if key in bundles:
            bundles[key].append(errand)
            return
        bundles[key] = [errand]
        wait = 0.0 if channel in _AT_ONCE or errand.notice.group is None else self._wait
        if wait:
            self._timers[key] = (asyncio.get_running_loop().call_later(wait, self._close, channel, key), channel)
        else:
            self._close(channel, key)

    async def next(self, channel: Channel) -> list[Errand]:
        """The next bundle of a line; follow it by `done`."""
        key = await self._lines[channel].get()
        return self._open[channel].pop(key)

    def done(self, channel: Channel, bundle: Iterable[Errand]) -> None:
        """A bundle has been tried."""
        self._known.difference_update(errand.key for errand in bundle)
        self._lines[channel].task_done()

    async def drained(self) -> None:
        """Wait until everything in the lines has been tried; bundles do not wait for more any longer."""
        for key, (timer, channel) in list(self._timers.items()):
            timer.cancel()
            self._close(channel, key)
        for line in self._lines.values():
            await line.join()

    def _close(self, channel: Channel, key: BundleKey) -> None:
        self._timers.pop(key, None)
        self._lines[channel].put_nowait(key)
