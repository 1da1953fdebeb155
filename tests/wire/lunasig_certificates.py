"""Self-signed certificates for the tests, and clients' contexts that trust them."""

import datetime
import functools
import ipaddress
import pathlib
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


class Pair:
    """A certificate and its key in files."""

    def __init__(self, folder, name):
        self.cert = pathlib.Path(folder) / f"{name}-cert.pem"
        self.key = pathlib.Path(folder) / f"{name}-key.pem"

    @property
    def settings(self):
        return {"TLS_CERT_FILE": str(self.cert), "TLS_KEY_FILE": str(self.key)}

    def copy_to(self, other):
        """Over the files of another pair, as a renewal does it."""
        other.cert.write_bytes(self.cert.read_bytes())
        other.key.write_bytes(self.key.read_bytes())


@functools.cache
def make_key(kind, number):
    del number  # of keys of this kind
    return rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())


def make(folder, name="server", kind="ec", begin_days=-1, end_days=90, key_number=0):
    """A certificate for localhost and 127.0.0.1 that holds between these days from now."""
    key = make_key(kind, key_number)
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of the tests")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(begin_days)).not_valid_after(now + datetime.timedelta(end_days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(True, 0), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pair = Pair(folder, name)
    pair.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return pair


def trust(cert, check=True):
    """What a client uses who trusts this certificate; check=False: who takes any."""
    context = ssl.create_default_context(cafile=str(cert) if check else None)
    if not check:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
