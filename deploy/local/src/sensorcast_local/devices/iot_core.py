"""A device on AWS IoT Core: its thing with tenant and name as attributes, its certificate, and the stack's policy."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from sensorcast_common.names import Names

if TYPE_CHECKING:
    from types_aiobotocore_iot import IoTClient

_THING: Final = re.compile(r"[a-zA-Z0-9:_-]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What a device needs to connect.

    Attributes:
        thing: Its thing's name, which is also its MQTT client id.
        endpoint: Host to connect to, port 8883.
        certificate_id: IoT Core's name of the certificate.
        certificate: PEM.
        key: PEM of the private key; IoT Core does not keep it.
    """

    thing: str
    endpoint: str
    certificate_id: str
    certificate: str
    key: str


class ThingTaken(Exception):  # noqa: N818 - names what is wrong
    """A thing of this name exists with other attributes; the message names it."""


async def register(iot: "IoTClient", names: Names, *, tenant: str, device: str) -> Registered:
    """Make or find the thing, and give it a new certificate; earlier ones stay valid until they are revoked.

    Raises:
        ValueError: Tenant and device make no thing's name.
        ThingTaken: The name belongs to another device.
        botocore.exceptions.ClientError: IoT Core refused; a certificate that was made by then is deleted.
    """
    thing = names.thing(tenant, device)
    if _THING.fullmatch(thing) is None:
        raise ValueError(f"device: IoT Core takes at most 128 letters, digits, `:`, `_` and `-`, got {thing!r}")
    try:
        await iot.create_thing(
            thingName=thing,
            thingTypeName=names.thing_type,
            attributePayload={"attributes": {"tenant": tenant, "device": device}},
        )
    except iot.exceptions.ResourceAlreadyExistsException as error:
        raise ThingTaken(f"thing {thing} exists and is not device {device} of tenant {tenant}") from error
    endpoint = (await iot.describe_endpoint(endpointType="iot:Data-ATS"))["endpointAddress"]
    made = await iot.create_keys_and_certificate(setAsActive=True)
    try:
        await iot.attach_policy(policyName=names.device_policy, target=made["certificateArn"])
        await iot.attach_thing_principal(thingName=thing, principal=made["certificateArn"])
    except ClientError:
        await _undo(iot, names, made["certificateId"], made["certificateArn"])
        raise
    return Registered(
        thing=thing,
        endpoint=endpoint,
        certificate_id=made["certificateId"],
        certificate=made["certificatePem"],
        key=made["keyPair"]["PrivateKey"],
    )


async def _undo(iot: "IoTClient", names: Names, certificate_id: str, arn: str) -> None:
    await iot.update_certificate(certificateId=certificate_id, newStatus="INACTIVE")
    attached = await iot.list_attached_policies(target=arn)
    for policy in attached["policies"]:
        if policy["policyName"] == names.device_policy:
            await iot.detach_policy(policyName=names.device_policy, target=arn)
    await iot.delete_certificate(certificateId=certificate_id)
