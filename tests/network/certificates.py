# SPDX-License-Identifier: Apache-2.0
"""An authority of the tests' own, and one certificate for all their names."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("ok.example", "*.ok.example", "other.example", "*.wild.example", "wild.example", "localhost", "inhosts.example", "six.example", "chain.example",
         "slow.example", "cut.example", "moved.example", "api.github.com")
DAYS = datetime.timedelta(days=30)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def builder(subject, issuer, key):
    now = datetime.datetime.now(datetime.timezone.utc)
    name = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (subject, issuer)]
    return (x509.CertificateBuilder().subject_name(name[0]).issuer_name(name[1]).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - DAYS).not_valid_after(now + DAYS))


def usage(ca):
    flags = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                           "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    flags.update({"key_cert_sign": True, "crl_sign": True} if ca else {"digital_signature": True})
    return x509.KeyUsage(**flags)


def make_certificates(base):
    """Writes ca.pem, site.pem and site.key."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = (builder("stockade tests", "stockade tests", ca_key).add_extension(x509.BasicConstraints(True, 0), True)
          .add_extension(usage(True), True).add_extension(ca_id, False).sign(ca_key, hashes.SHA256()))
    site = (builder("ok.example", "stockade tests", key).add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(usage(False), True).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in NAMES]), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_id), False).sign(ca_key, hashes.SHA256()))
    write(f"{base}/ca.pem", ca.public_bytes(serialization.Encoding.PEM))
    write(f"{base}/site.pem", site.public_bytes(serialization.Encoding.PEM))
    write(f"{base}/site.key", pem(key))
