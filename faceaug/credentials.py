"""C2PA content credentials: a signed record inside a PNG or JPEG file of how it came about (``pip install 'faceaug[c2pa]'``)."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np

import faceaug
from faceaug.errors import ConfigError
from faceaug.marks import EDITED, SOURCE_TYPE, marked_png

_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n?", re.DOTALL)
_NAMES = {"png": "image/png", "jpeg": "image/jpeg"}
_ORIGINAL = "original"


class Credentials:
    """Signs pictures.

    Nothing is asked of the network: signatures have no time stamp of an authority.

    Args:
        pem: file with a private key and its certificates, the signer's own first. C2PA wants one that another has signed, for
            ``emailProtection`` or ``documentSigning``.

    Raises:
        ConfigError: the library is missing, or the file cannot be read, has no key and certificate of a kind that C2PA knows, or
            C2PA refuses them.
    """

    def __init__(self, pem: Path) -> None:
        self._path = pem
        try:
            import c2pa
        except ImportError as error:
            raise ConfigError("--credentials: needs the package c2pa-python; pip install 'faceaug[c2pa]'") from error
        try:
            blocks = [(match[1], match[0]) for match in _BLOCK.finditer(pem.read_bytes())]
        except OSError as error:
            raise ConfigError(f"--credentials {pem}: cannot be read ({error.strerror}); name a PEM file") from error
        certificates = b"".join(block for kind, block in blocks if kind == b"CERTIFICATE")
        keys = [block for kind, block in blocks if kind.endswith(b"PRIVATE KEY")]
        if not certificates or len(keys) != 1:
            raise ConfigError(
                f"--credentials {pem}: has {len(keys)} private keys, certificates {'yes' if certificates else 'no'}; name a PEM "
                f"file with one key and its certificates"
            )
        info = c2pa.C2paSignerInfo(alg=self._algorithm(keys[0]), sign_cert=certificates, private_key=keys[0], ta_url=None)
        try:
            self._signer: Any = c2pa.Signer.from_info(info)
        except c2pa.C2paError as error:
            raise self._refused(error) from error
        # A thumbnail would show what was edited away.
        self._context: Any = c2pa.Context(c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}}))
        # Certificates are looked at when something is signed: now, and not when a folder of photos is half done.
        self.sign_generated(marked_png(np.zeros((8, 8, 3), dtype=np.uint8)), "png")

    def _algorithm(self, key: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            found = load_pem_private_key(key, None)
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"--credentials {self._path}: its private key is encrypted or damaged; name one that is not"
            ) from error
        if isinstance(found, ec.EllipticCurvePrivateKey) and found.curve.key_size in (256, 384, 521):
            return {256: b"es256", 384: b"es384", 521: b"es512"}[found.curve.key_size]
        if isinstance(found, ed25519.Ed25519PrivateKey):
            return b"ed25519"
        if isinstance(found, rsa.RSAPrivateKey):
            return b"ps256"
        raise ConfigError(f"--credentials {self._path}: C2PA knows no such key; use one of EC P-256, Ed25519 or RSA")

    def sign_edited(self, data: bytes, kind: str, original: bytes, original_kind: str, *, trained_on: str = "") -> bytes:
        """A file with a record of what it was made from, whose own record is kept, and that a model edited it.

        Args:
            data: the edited PNG or JPEG file.
            kind: ``png`` or ``jpeg``.
            original: the file before.
            original_kind: likewise.
            trained_on: which faces the model was trained on, for people.

        Raises:
            ConfigError: C2PA refuses, for example certificates that have expired since.
        """
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [_ORIGINAL]}}
        edited = {"action": "c2pa.edited", "digitalSourceType": EDITED, "softwareAgent": _agent(trained_on)}
        return self._signed(data, kind, [opened, edited], (original, original_kind))

    def sign_generated(self, data: bytes, kind: str, *, trained_on: str = "") -> bytes:
        """A file with a record that a model made it; arguments as those of :meth:`sign_edited`."""
        created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE, "softwareAgent": _agent(trained_on)}
        return self._signed(data, kind, [created], None)

    def _signed(self, data: bytes, kind: str, actions: list[dict[str, Any]], original: tuple[bytes, str] | None) -> bytes:
        import c2pa

        assertion = {"label": "c2pa.actions.v2", "data": {"actions": actions}}
        about = {"claim_generator_info": [{"name": "faceaug", "version": faceaug.__version__}], "assertions": [assertion]}
        signed = io.BytesIO()
        try:
            builder = c2pa.Builder.from_json(about, self._context)
            if original is not None:
                part = {"title": _ORIGINAL, "relationship": "parentOf", "label": _ORIGINAL}
                builder.add_ingredient(part, _NAMES[original[1]], io.BytesIO(original[0]))
            builder.sign(self._signer, _NAMES[kind], io.BytesIO(data), signed)
        except c2pa.C2paError as error:
            raise self._refused(error) from error
        return signed.getvalue()

    def _refused(self, error: Exception) -> ConfigError:
        reason = " ".join(str(error).split())[:160]
        return ConfigError(f"--credentials {self._path}: C2PA refuses them ({reason}); name others, or leave the option out")


def _agent(trained_on: str) -> dict[str, str]:
    return {"name": f"faceaug, a model of {trained_on}" if trained_on else "faceaug", "version": faceaug.__version__}
