"""The pipeline from an incident to the notices of its outbox.

Route, dedup, then the stages in this order; what is left goes to the outbox to be sent. What a stage keeps back goes
there as well, with the reason: for good, or to be looked at again at every sweep. After the outbox come grouping, caps
and the channel itself, in `announce`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.available import AvailableStage
from sensorcast_alerter.notify.country import CountryStage
from sensorcast_alerter.notify.dedup import dedup, notice_of
from sensorcast_alerter.notify.draft import FOR_GOOD, Draft, Held, Hold, Stage
from sensorcast_alerter.notify.inhibit import InhibitStage
from sensorcast_alerter.notify.mute import mute
from sensorcast_alerter.notify.route import Route
from sensorcast_alerter.notify.silence import SilenceStage
from sensorcast_alerter.notify.wanted import wanted
from sensorcast_common.incident import Incident
from sensorcast_common.notice import Channel, Notice, Occasion

Count = Callable[[str], None]
"""Counts a reason."""


class Pipeline:
    """Turns incidents into notices.

    Args:
        route: Who is to be told.
        stages: What may keep a message back, in order.
        book: Contacts and labels.
        count: Counts what was kept back, by reason.
    """

    def __init__(self, route: Route, stages: Sequence[Stage], *, book: AddressBook, count: Count) -> None:
        self._route = route
        self._stages = stages
        self._book = book
        self._count = count

    def opened(self, incident: Incident, *, numbers: Sequence[str], now: int, ready_at: int | None) -> list[Notice]:
        """The notices of an opening."""
        return self._notices(self._route.opened(incident, numbers=numbers), {}, now, ready_at)

    def updated(
        self, incident: Incident, outbox: Mapping[str, Notice], occasion: Occasion, *, now: int, ready_at: int | None
    ) -> list[Notice]:
        """The notices of a transition after the opening."""
        return self._notices(self._route.updated(incident, outbox, occasion), outbox, now, ready_at)

    def due(self, incident: Incident, outbox: Mapping[str, Notice], *, now: int) -> list[Notice]:
        """The notices for which the time has come."""
        return self._notices(self._route.due(incident, outbox, now), outbox, now, None)

    def review(self, incident: Incident, notice: Notice, *, now: int) -> Hold | None:
        """What still keeps back a notice that was postponed; `None` where it may be sent now."""
        draft = self._draft(incident, notice)
        over = wanted(incident, notice)
        if over is not None:
            return Hold(draft, Held.OVER, over)
        _, holds = self._sift([draft], now)
        return holds[0] if holds else None

    def _draft(self, incident: Incident, notice: Notice) -> Draft:
        recipient_id = notice.recipient_id
        return Draft(
            incident=incident,
            labels=self._book.labels(incident.tenant, incident.device),
            occasion=notice.occasion,
            step=notice.step,
            channel=notice.channel,
            address=notice.recipient,
            recipient=self._book.recipient(incident.tenant, recipient_id) if recipient_id else None,
            escalation=self._book.escalation(incident),
        )

    def _notices(
        self, drafts: Sequence[Draft], outbox: Mapping[str, Notice], now: int, ready_at: int | None
    ) -> list[Notice]:
        remaining, holds = self._sift(dedup(drafts, outbox), now)
        notices = [notice_of(draft, now=now, ready_at=ready_at) for draft in remaining]
        for hold in holds:
            self._count(hold.reason)
            how = "withheld" if hold.reason in FOR_GOOD else "postponed"
            notices.append(notice_of(hold.draft, now=now, ready_at=ready_at).model_copy(update={how: hold.words}))
        return notices

    def _sift(self, drafts: Sequence[Draft], now: int) -> tuple[Sequence[Draft], list[Hold]]:
        holds: list[Hold] = []
        for stage in self._stages:
            drafts, held = stage(drafts, now)
            holds += held
        return drafts, holds


def build_pipeline(
    book: AddressBook,
    *,
    channels: Collection[Channel],
    inhibit: InhibitStage,
    countries: Collection[str],
    count: Count,
) -> Pipeline:
    """The pipeline as it runs."""
    stages: list[Stage] = [
        AvailableStage(channels),
        SilenceStage(book),
        inhibit,
        mute,
        CountryStage(countries),
    ]
    return Pipeline(Route(book), stages, book=book, count=count)
