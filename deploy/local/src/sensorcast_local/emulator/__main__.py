"""Serve the emulator on loopback until SIGTERM."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from sensorcast_local.command import LOOPBACK, PortBusy, require_free
from sensorcast_local.emulator.settings import configure_ministack

PARENT_LOOK = 1.0  # s


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m sensorcast_local.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="TCP port of the AWS endpoint")
    parser.add_argument("--state-dir", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--iot-port", type=int, help="TCP port of IoT Core's MQTT over TLS")
    parser.add_argument("--save-every", type=float, default=30.0, help="seconds between two savings of the state")
    parser.add_argument("--stop-with-parent", action="store_true", help="end when the parent process has gone")
    parser.add_argument("--log-level", default="WARNING")
    return parser.parse_args(argv)


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent has gone."""
    import hypercorn.asyncio
    from hypercorn.config import Config

    from sensorcast_local.emulator.application import application

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def watch_parent() -> None:
        parent = os.getppid()
        while os.getppid() == parent:  # noqa: ASYNC110 - nobody signals that a parent has gone
            await asyncio.sleep(PARENT_LOOK)
        stop.set()

    async def stopped() -> None:
        await stop.wait()

    config = Config()
    config.bind = [f"{LOOPBACK}:{options.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1  # a long poll would otherwise hold the end back for 20 s
    config.loglevel = options.log_level
    watch = asyncio.create_task(watch_parent(), name="watch-parent") if options.stop_with_parent else None
    await hypercorn.asyncio.serve(application(save_every=options.save_every), config, shutdown_trigger=stopped)
    if watch is not None:
        watch.cancel()


def main(argv: list[str]) -> int:
    """Serve; 1 when a port is busy."""
    options = parse(argv)
    try:
        require_free(options.port, wanted_by="the emulator")
        if options.iot_port is not None:
            require_free(options.iot_port, wanted_by="the emulator's MQTT")
    except PortBusy as error:
        sys.stderr.write(f"{error}\n")
        return 1
    options.state_dir.mkdir(parents=True, exist_ok=True)
    configure_ministack(
        port=options.port,
        state_dir=options.state_dir.resolve(),
        iot_port=options.iot_port,
        log_level=options.log_level.upper(),
    )
    asyncio.run(serve(options))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
