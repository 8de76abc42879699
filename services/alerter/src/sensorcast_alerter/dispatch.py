"""Looks at contacts and live incidents at every sweep: who is to be told because time has passed."""

from collections.abc import Sequence

from sensorcast_alerter.announce import Announcer
from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.draft import FOR_GOOD
from sensorcast_alerter.notify.inhibit import InhibitStage
from sensorcast_alerter.notify.pipeline import Pipeline
from sensorcast_alerter.ports import ContactsSource, LabelsSource, Outbox
from sensorcast_alerter.traced import trace_of
from sensorcast_common import logs
from sensorcast_common.clock import Clock
from sensorcast_common.stored_incident import IncidentConflict, StoredIncident

log = logs.logger(__name__)


class Dispatch:
    """Brings the address book up to date, and runs the pipeline for what time alone brings.

    Args:
        book: Contacts and labels, as the pipeline knows them.
        inhibit: What is open, as the pipeline knows it.
        pipeline: Who is told.
        contacts: Where contacts come from.
        labels: Where labels come from.
        outbox: Where notices go.
        announcer: Who sends them.
        clock: The present.
    """

    def __init__(
        self,
        *,
        book: AddressBook,
        inhibit: InhibitStage,
        pipeline: Pipeline,
        contacts: ContactsSource,
        labels: LabelsSource,
        outbox: Outbox,
        announcer: Announcer,
        clock: Clock,
    ) -> None:
        self._book = book
        self._inhibit = inhibit
        self._pipeline = pipeline
        self._contacts = contacts
        self._labels = labels
        self._outbox = outbox
        self._announcer = announcer
        self._clock = clock

    async def sweep(self, live: Sequence[StoredIncident]) -> None:
        """Tell whom it is time to tell, release what need not wait any longer, and take up what is pending.

        Raises:
            Exception: The tables cannot be reached.
        """
        self._book.follow(await self._contacts.every())
        self._book.label(await self._labels.of(self._book.tenants_that_need_labels(), now=self._clock()))
        self._inhibit.follow(stored.incident for stored in live)
        for stored in live:
            await self._remind(stored)
            await self._review(stored)
        await self._announcer.sweep(live)

    async def _remind(self, stored: StoredIncident) -> None:
        notices = self._pipeline.due(stored.incident, stored.outbox, now=self._clock())
        if not notices:
            return
        if (trace := trace_of(stored)) is not None:
            notices = [notice.model_copy(update={"trace": trace}) for notice in notices]
        try:
            after = await self._outbox.add(stored, notices)
        except IncidentConflict:
            return  # another alerter did it, or the incident has changed: the next sweep sees
        log.info(
            "notices due",
            tenant=stored.incident.tenant,
            incident_id=stored.incident.incident_id,
            notices=[f"{notice.occasion} {notice.step}" for notice in notices],
        )
        self._announcer.hand_over(after, notices)

    async def _review(self, stored: StoredIncident) -> None:
        now = self._clock()
        for notice in stored.outbox.values():
            if not notice.pending or notice.postponed is None:
                continue
            hold = self._pipeline.review(stored.incident, notice, now=now)
            if hold is None:
                self._announcer.release(stored, notice)
            elif hold.reason in FOR_GOOD:
                await self._outbox.settle(stored.incident, notice, now=now, withheld=hold.words)
