"""What most commands share: where data and runs lie, what computes, and how a command finds what it needs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import RUNS, Cache, DataRoot, Device, Precision, Runs

if TYPE_CHECKING:
    from faceaug.compute.device import Compute
    from faceaug.gan.inference import Generator
    from faceaug.parser.predict import Parser
    from faceaug.prepare.faces import FaceSet, LabelledFaces


class Workspace:
    """The options that most commands have, and what follows from them.

    Args:
        runs: where runs are kept and found.
        cache: where aligned faces and predicted label maps are kept; else a folder in ``runs``.
        data_root: where a bare dataset name is looked for.
        device: ``auto`` or a torch device.
        precision: ``auto``, ``bf16`` or ``fp32``.
    """

    def __init__(
        self,
        runs: Runs = RUNS,
        cache: Cache = None,
        data_root: DataRoot = None,
        device: Device = "auto",
        precision: Precision = "auto",
    ) -> None:
        self.runs, self.cache = runs, cache or runs / "cache"
        self.given_root, self._device, self._precision = data_root, device, precision

    @functools.cached_property
    def compute(self) -> Compute:
        """One device; see :func:`faceaug.compute.device.choose_compute`."""
        from faceaug.compute.device import choose_compute

        return choose_compute(self._device, self._precision)

    def launch(self, devices: int, nodes: int) -> Compute:
        """From now on :attr:`compute` is several devices; see :func:`faceaug.compute.device.launch`."""
        from faceaug.compute.device import launch

        self.__dict__["compute"] = launch(self._device, self._precision, devices=devices, nodes=nodes)
        return self.compute

    @functools.cached_property
    def root(self) -> Path:
        """The data root."""
        from faceaug.datasets.names import data_root

        return data_root(self.given_root)

    def labelled(self, spec: str, split: str, *, size: int, limit: int | None = None) -> LabelledFaces:
        """Aligned labelled faces; see :func:`faceaug.datasets.names.open_labelled`."""
        from faceaug.datasets.names import open_labelled

        return open_labelled(spec, split, size=size, root=self.root, cache=self.cache, limit=limit)

    def photos(self, spec: str, *, size: int) -> FaceSet:
        """Aligned source photos; see :func:`faceaug.datasets.names.open_photos`."""
        from faceaug.datasets.names import open_photos

        return open_photos(spec, size=size, root=self.root, cache=self.cache)

    def generator(self, given: Path | None) -> tuple[Path, Generator]:
        """The generator that is named, else the newest: its weights file or run folder, and itself."""
        from faceaug.gan.inference import load_generator
        from faceaug.runs.folder import find

        weights = given or find(self.runs, "gan", "train-gan")
        return weights, load_generator(weights, self.compute)

    def parser(self, weights: Path) -> Parser:
        """The parser of a weights file or run folder."""
        from faceaug.parser.predict import load_parser

        return load_parser(weights, self.compute)

    def parsers(self, weights: Sequence[Path]) -> Parser:
        """The mean of several parsers; of one it is that one."""
        from faceaug.parser.ensemble import ensemble

        return ensemble([self.parser(one) for one in weights])

    def parser_of(self, generator: Generator) -> Parser:
        """The P_F that a generator was trained with."""
        from faceaug.runs.folder import own_parser

        return self.parser(own_parser(generator.record, self.runs))

    def teachers_of(self, generator: Generator) -> Parser:
        """The parsers that labelled a generator's training photos, as one; its P_F where it had no others, or they are gone."""
        from faceaug.progress import say
        from faceaug.runs.folder import own_teachers

        weights = own_teachers(generator.record, self.runs)
        if not weights and generator.record.get("teachers"):
            say(f"not all of the GAN's teachers are in {self.runs}: its P_F labels alone; name parsers with --parser")
        return self.parsers(weights) if weights else self.parser_of(generator)

    def detailed(self, parser: Parser, spec: str, *, size: int) -> FaceSet | None:
        """The photos by which a parser labels faces of ``size`` pixels where it is larger than these; else None."""
        return self.photos(spec, size=parser.config.size) if parser.config.size > size else None

    def predicted(self, parser: Parser, photos: FaceSet, *, detailed: FaceSet | None = None) -> LabelledFaces:
        """Photos with the label maps that a parser predicts, unless they have human ones; see :meth:`detailed`."""
        from faceaug.parser.labelling import ensure_labels

        return ensure_labels(parser, photos, detailed=detailed, cache=self.cache)

    def run(self, out: Path | None, kind: str, name: str, identity: dict[str, Any]) -> Path:
        """The folder of a run: ``out``, else one of its own below ``runs`` that is named after all that its results depend on."""
        from faceaug.runs.folder import run_folder

        return out or run_folder(self.runs, kind, name, identity)


def on_workspace(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer takes it: the workspace's options in place of a first parameter of type :class:`Workspace`."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())
    if not own or own[0].annotation is not Workspace:
        return command
    shared = list(inspect.signature(Workspace, eval_str=True).parameters.values())

    @functools.wraps(command)
    def run(**given: Any) -> None:
        space = Workspace(**{option.name: given.pop(option.name) for option in shared})
        command(space, **given)

    parameters = [*own[1:], *shared]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
