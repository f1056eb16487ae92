"""``python -m faceaug.cli``."""

from faceaug.cli.main import run

run()
