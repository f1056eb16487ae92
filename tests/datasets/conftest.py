"""A small set of shards."""

from __future__ import annotations

from pathlib import Path

import pytest
from small import noise_faces, write_set


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten random faces of 16 px in two shards, of agreement 0, 0.1, ... 0.9."""
    return write_set(tmp_path, noise_faces(10, 16))
