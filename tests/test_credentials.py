import datetime
import io
import json
import sys

import c2pa
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from faceaug.credentials import Credentials
from faceaug.edit.picture import read_picture
from faceaug.errors import ConfigError

NOW = datetime.datetime.now(datetime.timezone.utc)
USAGES = dict.fromkeys(
    ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
)


def _certificate(name, key, authority):
    """A certificate of one day; with its own key that of an authority."""
    root = key is authority
    issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, "Root")])
    own = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(digital_signature=not root, key_cert_sign=root, crl_sign=root, **USAGES)
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(hours=1))
        .not_valid_after(NOW + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
    )
    if not root:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM)


def _pem(path, key, *, encryption=None):
    authority = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    path.write_bytes(private + _certificate("Leaf", key, authority) + _certificate("Root", authority, authority))
    return path


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return _pem(tmp_path_factory.mktemp("pem") / "own.pem", ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(path)
    return path


def _read(path):
    kind = "image/png" if path.suffix == ".png" else "image/jpeg"
    return json.loads(c2pa.Reader(kind, io.BytesIO(path.read_bytes())).json())


def _failed(found):
    """What is wrong with a record, but that nobody knows the test's authority."""
    return {one["code"] for one in found.get("validation_status", [])} - {"signingCredential.untrusted"}


@pytest.mark.parametrize("name", ["result.png", "result.jpg"])
def test_an_edited_photo_says_who_made_what_of_which_file(tmp_path, photo, pem, name):
    picture, out = read_picture(photo), tmp_path / name
    picture.save(out, picture.pixels, trained_on="drawn faces", credentials=Credentials(pem))
    found = _read(out)
    assert found["validation_state"] == "Valid"
    assert not _failed(found)
    record = found["manifests"][found["active_manifest"]]
    opened, edited = next(one for one in record["assertions"] if one["label"].startswith("c2pa.actions"))["data"]["actions"]
    assert (opened["action"], edited["action"]) == ("c2pa.opened", "c2pa.edited")
    assert edited["digitalSourceType"].endswith("compositeWithTrainedAlgorithmicMedia")
    assert edited["softwareAgent"]["name"] == "faceaug, a model of drawn faces"
    (original,) = record["ingredients"]
    assert (original["relationship"], original["format"]) == ("parentOf", "image/jpeg")
    assert "thumbnail" not in record
    assert "thumbnail" not in original
    if name == "result.png":
        with Image.open(out) as saved:
            assert (np.array(saved) == picture.pixels).all()


def test_a_changed_pixel_is_noticed(tmp_path, photo, pem):
    picture, out = read_picture(photo), tmp_path / "result.jpg"
    picture.save(out, picture.pixels, credentials=Credentials(pem))
    data = bytearray(out.read_bytes())
    data[-40] ^= 1
    out.write_bytes(data)
    assert "assertion.dataHash.mismatch" in _failed(_read(out))


def test_what_a_photo_said_before_is_kept(tmp_path, photo, pem):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    picture = read_picture(photo)
    picture.save(first, picture.pixels, credentials=Credentials(pem))
    again = read_picture(first)
    again.save(second, again.pixels, credentials=Credentials(pem))
    assert len(_read(second)["manifests"]) == 2


def test_a_generated_face_says_so(pem, tmp_path):
    face = io.BytesIO()
    Image.new("RGB", (32, 32)).save(face, format="PNG")
    out = tmp_path / "face.png"
    out.write_bytes(Credentials(pem).sign_generated(face.getvalue(), "png"))
    found = _read(out)
    (created,) = found["manifests"][found["active_manifest"]]["assertions"][0]["data"]["actions"]
    assert created["action"] == "c2pa.created"
    assert created["digitalSourceType"].endswith("/trainedAlgorithmicMedia")


def test_other_keys(tmp_path, photo):
    pem = _pem(tmp_path / "ed.pem", ed25519.Ed25519PrivateKey.generate())
    picture, out = read_picture(photo), tmp_path / "result.png"
    picture.save(out, picture.pixels, credentials=Credentials(pem))
    assert _read(out)["validation_state"] == "Valid"


def test_credentials_that_cannot_sign_are_named(tmp_path, pem, monkeypatch):
    with pytest.raises(ConfigError, match=r"nowhere\.pem: cannot be read \(No such file"):
        Credentials(tmp_path / "nowhere.pem")
    other = tmp_path / "other.pem"
    other.write_bytes(pem.read_bytes().partition(b"-----BEGIN CERT")[0])
    with pytest.raises(ConfigError, match="1 private keys, certificates no"):
        Credentials(other)
    _pem(other, ec.generate_private_key(ec.SECP256R1()), encryption=BestAvailableEncryption(b"secret"))
    with pytest.raises(ConfigError, match=r"encrypted or damaged|0 private keys"):
        Credentials(other)
    _pem(other, ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(ConfigError, match=r"knows no such key|refuses them"):
        Credentials(other)
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(ConfigError, match=r"needs the package c2pa-python; pip install 'faceaug\[c2pa\]'"):
        Credentials(pem)


def test_refused_certificates_leave_nothing_behind(tmp_path, photo):
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = tmp_path / "self.pem"
    pem.write_bytes(private + _certificate("Root", key, key))  # signed by itself, for signing certificates
    picture, out = read_picture(photo), tmp_path / "result.png"
    with pytest.raises(ConfigError, match=r"self\.pem: C2PA refuses them"):
        picture.save(out, picture.pixels, credentials=Credentials(pem))
    assert not out.exists()
