"""The status on the terminal: a small table that stays where it is, or a line every few seconds into a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sensorcast_local.supervise.program import Condition, State
from sensorcast_local.up.status import Status

EVENTS_SHOWN: Final = 5
SMS_SHOWN: Final = 3
PLAIN_EVERY: Final = 5.0
"""Seconds between two lines where the output is no terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What does not change while it runs.

    Attributes:
        api_url: Address of the API.
        api_key: What opens it.
        broker: Address of the broker, and which one it is.
        logs: Where the programs' logs are.
    """

    api_url: str
    api_key: str
    broker: str
    logs: str

    def lines(self) -> list[tuple[str, str]]:
        """Name and value, one line each."""
        return [
            ("page", f"{self.api_url}/#key={self.api_key}"),
            ("API", f"{self.api_url}  (documentation: {self.api_url}/docs)"),
            ("key", self.api_key),
            ("broker", self.broker),
            ("logs", self.logs),
        ]


class Screen:
    """Shows status and events.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._events: list[str] = []
        self._header: Header | None = None
        self._live: Live | None = None
        self._sms_told = 0

    @property
    def interval(self) -> float:
        """Seconds between two updates."""
        return 1.0 if self._console.is_terminal else PLAIN_EVERY

    def event(self, text: str) -> None:
        """Say what happened."""
        line = f"{datetime.now().astimezone():%H:%M:%S} {text}"
        self._events = [*self._events, line][-EVENTS_SHOWN:]
        if self._live is None:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def begin(self, header: Header) -> None:
        """Show the status from now on."""
        self._header = header
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=False)
            self._live.start()
            return
        for name, value in header.lines():
            self._console.print(f"{name:<8}{value}", markup=False, highlight=False, soft_wrap=True)

    def end(self) -> None:
        """Leave the last status on the terminal; events are lines again."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, status: Status, conditions: Sequence[Condition], rss: int | None) -> None:
        """Show how everything is."""
        if self._live is not None:
            self._live.update(self._table(status, conditions, rss), refresh=True)
            return
        self._console.print(_line(status, conditions, rss), markup=False, highlight=False, soft_wrap=True)
        for sms in status.sms[self._sms_told :]:
            self._console.print(f"SMS to {sms.phone_number}: {sms.message}", markup=False, soft_wrap=True)
        self._sms_told = len(status.sms)

    def _table(self, status: Status, conditions: Sequence[Condition], rss: int | None) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in self._header.lines() if self._header else []:
            table.add_row(name, Text(value))
        table.add_row("readings", _readings(status))
        table.add_row("queues", _queues(status))
        table.add_row("forecasts", _count(status.forecasts))
        table.add_row("incidents", Text("\n".join(_incidents(status)) or "none open"))
        for sms in status.sms[-SMS_SHOWN:]:
            table.add_row("SMS", Text(f"{sms.sent_at.astimezone():%H:%M} to {sms.phone_number}: {sms.message}"))
        table.add_row("programs", _programs(conditions))
        table.add_row("memory", _memory(rss))
        events = Text("\n".join(self._events), style="dim")
        return Group(Text("Sensorcast - Ctrl-C stops everything", style="bold"), table, events)


def _line(status: Status, conditions: Sequence[Condition], rss: int | None) -> str:
    troubled = [f"{each.name} {each.state}" for each in conditions if each.state is not State.READY]
    parts = [
        f"readings {_readings(status)}",
        f"queues {_queues(status)}",
        f"forecasts {_count(status.forecasts)}",
        f"open incidents {len(status.incidents)}",
        f"SMS {len(status.sms)}",
        f"memory {_memory(rss)}",
        *troubled,
    ]
    return f"{datetime.now().astimezone():%H:%M:%S} " + " | ".join(parts)


def _readings(status: Status) -> str:
    rate = "-" if status.rate is None else f"{status.rate:,.1f}"
    lag = "" if status.lag is None else f", stored after {status.lag:.1f} s"
    past = "" if status.fleet_live or status.fleet_sent is None else ", sending the past"
    return f"{rate}/s, {_count(status.received)} in all{lag}{past}"


def _queues(status: Status) -> str:
    if not status.queues:
        return "-"
    depths = [f"{name} {depth}" for name, depth in status.queues.items() if depth]
    if status.set_aside:
        depths.append(f"dead-letter {status.set_aside}")
    return ", ".join(depths) or "empty"


def _incidents(status: Status) -> list[str]:
    return [
        f"{incident.device} {incident.metric} {incident.value:.1f} {incident.unit}: {incident.basis} "
        f"{incident.side} {incident.threshold:g}"
        + (f", probability {incident.probability:.0%}" if incident.probability is not None else "")
        for incident in status.incidents
    ]


def _programs(conditions: Sequence[Condition]) -> Text:
    text = Text()
    for each in conditions:
        style = "green" if each.state is State.READY else "red" if each.state is State.RESTARTING else "yellow"
        again = f" ({each.restarts}x again)" if each.restarts else ""
        text.append(f"{each.name}{again}  ", style=style)
    return text


def _memory(rss: int | None) -> str:
    return "-" if rss is None else f"{rss / 2**20:,.0f} MiB"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
