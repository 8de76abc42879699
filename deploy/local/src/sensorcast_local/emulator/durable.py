"""State that survives a kill.

MiniStack 1.4.21 saves what it holds in memory only when it is stopped in good order. Here it is also saved every so
often, so that a kill loses seconds. S3's objects are on disk already, and the lake's newest metadata is found among
them, so a committed snapshot is never lost.
"""

import asyncio

from sensorcast_local.emulator.reach import ministack


async def save_forever(*, every: float) -> None:
    """Save all state every `every` seconds.

    Each service is copied on the event loop, so that the copy is consistent, and written by a thread.
    """
    app = ministack("app")
    persistence = ministack("core.persistence")
    while True:
        await asyncio.sleep(every)
        for service, get_state in app._build_persistence_save_dict().items():
            await asyncio.to_thread(persistence.save_state, service, get_state())
