"""``python -m faceaug``."""

from faceaug.cli.main import run

run()
