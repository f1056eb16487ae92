"""The ``faceaug`` command, also as ``python -m faceaug``."""

import sys


def run() -> None:
    """Run the command line; Ctrl-C while its modules are still being loaded is no traceback either."""
    try:
        from faceaug.cli.main import run as run_command
    except KeyboardInterrupt:
        print("faceaug: stopped before anything was done", file=sys.stderr)
        sys.exit(130)
    run_command()


if __name__ == "__main__":
    run()
