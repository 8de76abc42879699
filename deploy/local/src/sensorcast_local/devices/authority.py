"""A certificate authority in a folder, and the ACL entries of the devices whose certificates it has signed.

Mosquitto takes a certificate's common name as the user (`use_identity_as_username`), which for a device is
`{tenant}/{device}`; its ACL file says what each user may do (https://mosquitto.org/man/mosquitto-conf-5.html).
"""

import datetime
import secrets
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sensorcast_local.devices.files import write_new

LONGEST_NAME: Final = 64
"""Characters of a common name (RFC 5280, ub-common-name)."""

CA_DAYS: Final = 3650
_SKEW: Final = datetime.timedelta(minutes=5)


class Authority:
    """Signs client certificates.

    Args:
        folder: Holds `ca.crt`, `ca.key` and `acl`; they are made when missing.
        now: The present, UTC.

    Raises:
        ValueError: One of `ca.crt` and `ca.key` is missing, or the key is not an elliptic curve's.
    """

    def __init__(self, folder: Path, *, now: datetime.datetime) -> None:
        self._now = now
        self.certificate_file = folder / "ca.crt"
        self.acl_file = folder / "acl"
        key_file = folder / "ca.key"
        if self.certificate_file.exists() != key_file.exists():
            raise ValueError(f"{folder}: ca.crt and ca.key belong together, one of them is missing")
        if not key_file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._make(key_file)
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(  # noqa: TRY004 - the file is wrong, not the program
                f"{key_file}: expected an elliptic curve's key"
            )
        self._key = key
        self._certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())

    def issue(self, common_name: str, *, days: int) -> tuple[bytes, bytes]:
        """A client certificate and its private key, PEM.

        Raises:
            ValueError: The name is too long for a certificate.
        """
        if not 1 <= len(common_name) <= LONGEST_NAME:
            raise ValueError(f"device: a certificate's name has at most {LONGEST_NAME} characters, got {common_name!r}")
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(common_name, self._certificate.subject, key.public_key(), days=days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)

    def allow(self, tenant: str, device: str) -> bool:
        """Let a device publish its readings; False if it could already."""
        entry = acl_entry(tenant, device)
        known = self.acl_file.read_text(encoding="utf-8") if self.acl_file.exists() else ""
        if entry in known:
            return False
        with self.acl_file.open("a", encoding="utf-8") as file:
            file.write(entry)
        return True

    def _make(self, key_file: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        # A name of its own, and its key's: while devices move to another authority, a broker that trusts both must find
        # out which has signed, and OpenSSL looks by name first.
        common_name = f"Sensorcast devices {secrets.token_hex(4)}"
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = (
            self._builder(common_name, name, key.public_key(), days=CA_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_new(key_file, _pem(key), mode=0o600)
        write_new(self.certificate_file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)

    def _builder(
        self, common_name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, days: int
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _SKEW)
            .not_valid_after(self._now + datetime.timedelta(days=days))
        )


def acl_entry(tenant: str, device: str) -> str:
    """What Mosquitto's ACL file says of a device."""
    return f"user {tenant}/{device}\ntopic write dt/{tenant}/{device}/readings\n\n"


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
