"""Starts everything in order, watches it, and stops it."""

import asyncio
import contextlib
import math
import os
import signal
import time
from collections.abc import Sequence
from typing import Final

import aiohttp
from rich.console import Console

from sensorcast_common.clock import system_clock
from sensorcast_local import mosquitto
from sensorcast_local.broker import Broker
from sensorcast_local.command import LOOPBACK
from sensorcast_local.faults import Fault
from sensorcast_local.fleet.fleet import truck_name
from sensorcast_local.running import Running
from sensorcast_local.stack import StackFailed, deploy_stack
from sensorcast_local.supervise.program import Program, StartFailed
from sensorcast_local.supervise.supervisor import Supervisor
from sensorcast_local.up import programs
from sensorcast_local.up.demo import api_key, demo_rules, put_labels, put_rules, send_tick
from sensorcast_local.up.people import demo_contacts, put_contacts
from sensorcast_local.up.plan import ACCOUNT, REGION, Plan, free_ports, inherited_environment
from sensorcast_local.up.screen import Header, Screen
from sensorcast_local.up.status import Watch

HISTORY_SECONDS: Final = 150.0
"""How long the past may take until it is stored, before the first forecasts are asked for all the same."""

LOOK_SECONDS: Final = 1.0


class Up:
    """One run of everything.

    Args:
        plan: What to run.
        console: Where the status goes.
    """

    def __init__(self, plan: Plan, *, console: Console) -> None:
        self._plan = plan
        self._screen = Screen(console)
        self._ports = free_ports(*programs.WITH_OPS_PORT)
        self._began = time.monotonic()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP.

        Raises:
            Fault: Something did not come up.
        """
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signum, self._stop.set)
        environment = inherited_environment() | self._plan.aws_environment
        supervisor = Supervisor(log_dir=self._plan.log_dir, environment=environment, report=self._screen.event)
        working = asyncio.create_task(self._work(supervisor), name="up")
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self._stop.is_set():
                self._screen.end()
                self._screen.event("stopping")
        finally:
            stopping.cancel()
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
            Running.file(self._plan.data_dir).unlink(missing_ok=True)

    async def _work(self, supervisor: Supervisor) -> None:
        try:
            async with supervisor:
                header = await self._start(supervisor)
                self._screen.event(f"everything runs after {time.monotonic() - self._began:.1f} s")
                self._screen.begin(header)
                async with Watch(self._plan, ports=self._ports) as watch, asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._show(supervisor, watch))
                    tasks.create_task(self._forecast_soon(watch))
                    tasks.create_task(self._label())
        except (StartFailed, StackFailed, ExceptionGroup) as error:
            fault = _as_fault(error)
            if fault is None:
                raise
            raise fault from error
        finally:
            self._screen.end()

    async def _start(self, supervisor: Supervisor) -> Header:
        plan, screen = self._plan, self._screen
        own_broker, iot_port = self._own_broker()
        foundation = [programs.emulator(plan, iot_port=iot_port), *own_broker]
        if plan.key_file.exists() and iot_port is None:
            # Not the first start: queues and tables are there as soon as the emulator is, so nobody has to wait.
            screen.event("starting everything")
            broker, which = await self._broker(iot_port=None)
            async with asyncio.TaskGroup() as tasks:
                founded = tasks.create_task(self._found(supervisor, foundation))
                services = programs.services(plan, broker=broker, ports=self._ports)
                tasks.create_task(supervisor.start(*services, again=lambda: not founded.done()))
            key = founded.result()
        else:
            screen.event("starting the AWS emulator and the broker")
            key = await self._found(supervisor, foundation)
            broker, which = await self._broker(iot_port=iot_port)
            screen.event(f"starting the services; broker {broker.url} ({which})")
            await supervisor.start(*programs.services(plan, broker=broker, ports=self._ports))
        self._announce(broker)
        if plan.fleet:
            # Only now, as ingest has to be subscribed before the first reading is sent.
            await supervisor.start(programs.fleet(plan, ports=self._ports))
        return Header(api_url=plan.api_url, api_key=key, broker=f"{broker.url} ({which})", logs=str(plan.log_dir))

    async def _found(self, supervisor: Supervisor, foundation: Sequence[Program]) -> str:
        """Bring up what all services stand on; returns the API key."""
        plan, aws = self._plan, self._plan.aws()
        await supervisor.start(*foundation)
        async with aws.client("cloudformation") as cloudformation:
            await deploy_stack(cloudformation, stack=plan.names.stack, within=120, poll=0.1)
        await put_rules(aws, plan.names, demo_rules(tenant=plan.tenant))
        await put_contacts(aws, plan.names, demo_contacts(tenant=plan.tenant, phone=plan.phone))
        return await api_key(aws, plan.names, tenant=plan.tenant, file=plan.key_file, now=system_clock())

    def _own_broker(self) -> tuple[list[Program], int | None]:
        """The broker to start, and else the port of the emulator's."""
        if self._plan.broker is not None:
            return [], None
        if mosquitto.find() is None:
            return [], self._plan.mqtt_port
        return [programs.own_mosquitto(self._plan)], None

    async def _broker(self, *, iot_port: int | None) -> tuple[Broker, str]:
        plan = self._plan
        if plan.broker is not None:
            return plan.broker, "not ours"
        if iot_port is None:
            return Broker(host=LOOPBACK, port=plan.mqtt_port), "Mosquitto"
        ca = plan.data_dir.resolve() / "emulator-iot-ca.pem"
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{plan.endpoint_url}/_ministack/iot/ca.pem") as response,
        ):
            response.raise_for_status()
            ca.write_bytes(await response.read())
        broker = Broker(host=LOOPBACK, port=iot_port, tls=True, ca=ca)
        return broker, "the emulator's IoT Core, as Mosquitto is not installed; it repeats nothing after a crash"

    def _announce(self, broker: Broker) -> None:
        """Tell the other commands where everything is."""
        plan = self._plan
        Running(
            pid=os.getpid(),
            broker=broker,
            tenant=plan.tenant,
            api_url=plan.api_url,
            endpoint_url=plan.endpoint_url,
            account=ACCOUNT,
            region=REGION,
        ).save(plan.data_dir)

    async def _show(self, supervisor: Supervisor, watch: Watch) -> None:
        shown = -math.inf
        while True:
            status = await watch.look()
            if time.monotonic() - shown >= self._screen.interval:
                shown = time.monotonic()
                self._screen.show(status, supervisor.conditions, supervisor.rss())
            await asyncio.sleep(LOOK_SECONDS)

    async def _forecast_soon(self, watch: Watch) -> None:
        """Ask for the first forecasts as soon as the past is stored, instead of at the next five minutes."""
        if not self._plan.fleet:
            return
        aws, names = self._plan.aws(), self._plan.names
        try:
            async with asyncio.timeout(HISTORY_SECONDS):
                await watch.past_stored.wait()
        except TimeoutError:
            self._screen.event("the past is not stored yet; forecasts are asked for all the same")
        await send_tick(aws, names, now=system_clock())
        self._screen.event(f"past stored after {time.monotonic() - self._began:.0f} s; first forecasts asked for")

    async def _label(self) -> None:
        """Let the fleet be sorted by site and product."""
        plan = self._plan
        trucks = [truck_name(number) for number in range(plan.fleet)]
        await put_labels(plan.aws(), plan.names, tenant=plan.tenant, trucks=trucks)


def _as_fault(error: Exception) -> Fault | None:
    """What a person is told of an expected failure; `None` for any other."""
    if isinstance(error, StartFailed):
        return Fault(str(error))
    if isinstance(error, StackFailed):
        return Fault(f"the AWS resources could not be made: {error}")
    if isinstance(error, ExceptionGroup):
        return next((fault for each in error.exceptions if (fault := _as_fault(each))), None)
    return None
