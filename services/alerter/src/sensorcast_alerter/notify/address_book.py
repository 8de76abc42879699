"""What the alerter knows of contacts and labels: as of its last look at the tables."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from sensorcast_common.clock import from_millis
from sensorcast_common.escalation import Escalation
from sensorcast_common.incident import Incident
from sensorcast_common.recipient import Recipient
from sensorcast_common.silence import Silence
from sensorcast_common.tables.contacts import Contacts

DEFAULT: Final = "default"
"""The escalation where a tenant has none that matches: everybody whom the incident concerns, at once, and no more."""

Labels = Mapping[str, str]
_NONE: Final[Labels] = MappingProxyType({})


class AddressBook:
    """Recipients, escalations, silences and labels, ready to be asked."""

    def __init__(self) -> None:
        self._recipients: dict[str, list[Recipient]] = {}
        self._escalations: dict[str, list[Escalation]] = {}
        self._silences: dict[str, list[Silence]] = {}
        self._labels: Mapping[tuple[str, str], Labels] = {}

    def follow(self, contacts: Contacts) -> None:
        """Know these from now on."""
        recipients: defaultdict[str, list[Recipient]] = defaultdict(list)
        for recipient in sorted(contacts.recipients, key=lambda each: each.recipient_id):
            recipients[recipient.tenant].append(recipient)
        escalations: defaultdict[str, list[Escalation]] = defaultdict(list)
        for escalation in sorted(contacts.escalations, key=lambda each: each.escalation_id):
            escalations[escalation.tenant].append(escalation)
        silences: defaultdict[str, list[Silence]] = defaultdict(list)
        for silence in sorted(contacts.silences, key=lambda each: each.end, reverse=True):
            silences[silence.tenant].append(silence)
        self._recipients, self._escalations, self._silences = recipients, escalations, silences

    def label(self, labels: Mapping[tuple[str, str], Labels]) -> None:
        """Know these labels, by tenant and device, from now on."""
        self._labels = labels

    def labels(self, tenant: str, device: str) -> Labels:
        """The labels of a device; none where they are not known."""
        return self._labels.get((tenant, device), _NONE)

    def recipients(self, tenant: str) -> Sequence[Recipient]:
        """A tenant's recipients by id."""
        return self._recipients.get(tenant, ())

    def recipient(self, tenant: str, recipient_id: str) -> Recipient | None:
        """One recipient."""
        return next((each for each in self.recipients(tenant) if each.recipient_id == recipient_id), None)

    def escalation(self, incident: Incident) -> Escalation:
        """The escalation of an incident: the first by id that matches it, or the default."""
        labels = self.labels(incident.tenant, incident.device)
        for each in self._escalations.get(incident.tenant, ()):
            if each.is_for(rule_id=incident.rule_id, device=incident.device, labels=labels, severity=incident.severity):
                return each
        return Escalation(tenant=incident.tenant, escalation_id=DEFAULT)

    def silence(self, incident: Incident, now: int) -> Silence | None:
        """The silence that holds an incident at `now`, of several the one that ends last."""
        labels, at = self.labels(incident.tenant, incident.device), from_millis(now)
        for each in self._silences.get(incident.tenant, ()):
            if each.silences(
                rule_id=incident.rule_id, device=incident.device, metric=incident.metric, labels=labels, at=at
            ):
                return each
        return None

    def tenants_that_need_labels(self) -> set[str]:
        """The tenants any of whose contacts look at labels."""
        needing = {each.tenant for group in self._recipients.values() for each in group if each.labels}
        needing |= {each.tenant for group in self._silences.values() for each in group if each.labels}
        for group in self._escalations.values():
            needing |= {each.tenant for each in group if each.labels or each.group_by not in (None, "device")}
        return needing
