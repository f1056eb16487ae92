"""The one exception tree of the library.

Every message is one line that names the file or option, says what was found and what to do next.
The library raises; only ``faceaug.cli`` prints and exits.
"""


class FaceaugError(Exception):
    """Base of everything faceaug raises on purpose; the command line shows it as one line and exits with 2."""


class ConfigError(FaceaugError):
    """An option or a configuration value that cannot be used."""


class DatasetNotFound(FaceaugError):
    """A dataset, or a part of its layout, is not where it was looked for."""


class DatasetDamaged(FaceaugError):
    """A dataset is there, but a file of it cannot be used."""


class CheckpointMismatch(FaceaugError):
    """A weights or checkpoint file is missing, truncated, or belongs to something else."""


class ShardDamaged(FaceaugError):
    """An HDF5 shard is missing, truncated, or not of this format."""


class OutputError(FaceaugError):
    """Something could not be written."""


class NothingLeft(FaceaugError):
    """The filters dropped everything."""


class Interrupted(BaseException):
    """The user or the system ends the command (Ctrl-C, SIGTERM); no error, so that nothing takes it for one.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class TrainingFailed(FaceaugError):
    """A training run cannot go on, for example because a loss is no longer finite."""


class ExportFailed(FaceaugError):
    """A model cannot be written in another form, or what was written computes something else."""
