"""What is made for a number of labelled faces before parsers are compared: P_F, GAN and sets of these labels alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from faceaug.datasets.synthetic import SyntheticFaces

from faceaug.compute.device import Compute
from faceaug.config import check, to_dict
from faceaug.errors import ConfigError
from faceaug.files import short_hash
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.gan.inference import load_generator
from faceaug.gan.train import fit_gan
from faceaug.generate.masks import read_masks
from faceaug.generate.run import Inputs, generate
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.ensemble import ensemble
from faceaug.parser.labelling import label_photos
from faceaug.parser.predict import Parser, load_parser
from faceaug.parser.train import fit_parser
from faceaug.prepare.faces import FaceSet, LabelledFaces, join
from faceaug.progress import say
from faceaug.runs.jobs import Cell
from faceaug.shards.index import COMPLETE

from .arms import BUILT_IN, SetConfig
from .collage import as_many, collages
from .data import BenchConfig, Data


@dataclass(frozen=True)
class Recipe:
    """How sets are made.

    Attributes:
        parser: P_F's network.
        bench: how cells are trained, and so P_F.
        generator: the GAN's networks.
        training: the GAN's training.
        teachers: parsers that label photos and predict masks together, of seeds 0, 1, ...
        teacher: their network where it is larger than P_F's, see :attr:`Data.detailed`; None where they are P_F's themselves.
    """

    parser: ParserConfig
    bench: BenchConfig
    generator: GeneratorConfig
    training: TrainingConfig
    teachers: int = 1
    teacher: ParserConfig | None = None

    def __post_init__(self) -> None:
        check({f"--teachers {self.teachers}: must be 1 or more": self.teachers < 1})


class Sets:
    """The additions of one number of labelled faces; what is trained or generated for them are jobs that processes share.

    Args:
        folder: for what is made; benchmarks may share it.
        data: faces.
        count: labelled faces; parser and GAN see the labels of no others, but for those of the tuning faces.
        recipe: how sets are made; None where all of them are given.
        sets: generated sets by name.
        given: sets that are there already, by name.
        compute: device and precision.
        cache: where predicted label maps are kept.
    """

    def __init__(
        self,
        folder: Path,
        data: Data,
        count: int,
        recipe: Recipe | None,
        sets: Mapping[str, SetConfig],
        given: Mapping[str, LabelledFaces],
        compute: Compute,
        cache: Path | None,
    ) -> None:
        self.data, self.count, self.sets, self.given = data, count, sets, given
        self._recipe, self._compute, self._cache = recipe, compute, cache
        self._folder = folder
        self._known: dict[str, FaceSet] = {}
        self._jobs: dict[str, Cell] = {}

    @cached_property
    def labelled(self) -> LabelledFaces:
        """The labelled faces."""
        return self.data.labelled(self.count)

    def needs(self, what: str) -> tuple[Cell, ...]:
        """The jobs that an addition waits for, the first ones first."""
        if what == "pseudo":
            return self._teacher_jobs
        if what in self.given or what in BUILT_IN:
            return ()
        return (*self._set_needs, self._set_job(what))

    def faces(self, what: str) -> FaceSet:
        """An addition's faces; its jobs must be done.

        Raises:
            ConfigError: it needs photos, or faces for oracles, and there are none.
        """
        if what not in self._known:
            self._known[what] = self.given[what] if what in self.given else self._made_faces(what)
        return self._known[what]

    def _made_faces(self, what: str) -> FaceSet:
        made: dict[str, Callable[[], FaceSet]] = {
            "duplicated": lambda: self.labelled,
            "collage": lambda: collages(self.labelled, as_many(self.labelled)),
            "photos": lambda: self.data.oracle,
            "unimatch": lambda: self.data.unlabelled,
            "pseudo": lambda: self._labelled_photos,
        }
        return made[what]() if what in made else self._set(what)

    def about(self, what: str) -> dict[str, Any]:
        """What an addition's faces depend on: for the identity of cells."""
        if what in self.given:
            return self.given[what].about()
        found: dict[str, Any] = {"what": what}
        if what in ("pseudo", "unimatch"):
            _ = self.data.unlabelled  # said before anything is trained
        if what in self.sets:
            found |= self._set_identity(what)
        elif what == "pseudo":
            found |= {"parser": self._identity("parser"), **self._teaching}
        elif what == "photos":
            found |= {"faces": self.data.oracle.about()}
        return found

    def _set_identity(self, name: str) -> dict[str, Any]:
        """What a generated set depends on; the folder of what is made may serve benchmarks with other oracles."""
        config = self.sets[name]
        unused = {"unused": self.data.oracle.about()} if "unused" in config.masks else {}
        return {"set": to_dict(config), "gan": self._identity("gan"), **unused, **self._teaching}

    @property
    def _teaching(self) -> dict[str, Any]:
        """Part of the identity of what teachers label: how many they are, and what they are where they are no P_F's."""
        recipe = self._made
        found: dict[str, Any] = {} if recipe.teachers == 1 else {"teachers": recipe.teachers}
        return found if recipe.teacher is None else {**found, "teacher": to_dict(recipe.teacher)}

    @property
    def _made(self) -> Recipe:
        if self._recipe is None:
            raise ConfigError(
                "--synthetic: this arm needs a parser and a GAN of these labels; leave --synthetic out to train them"
            )
        return self._recipe

    def _identity(self, stage: str) -> dict[str, Any]:
        recipe = self._made
        found = self._plain_identity(recipe.parser, recipe.bench.training(self.count, 0))
        if stage == "gan":
            found |= {
                "photos": self.data.unlabelled.about(),
                "generator": to_dict(recipe.generator),
                "training": to_dict(recipe.training),
                **self._teaching,
            }
        return found

    def _job_folder(self, name: str, identity: dict[str, Any]) -> Path:
        return self._folder / f"{name}-{self.count}-{short_hash(identity)}"

    @cached_property
    def _parser_job(self) -> Cell:
        """P_F's: it is the GAN's, and judges."""
        return self.plain(self._made.parser, self._made.bench.training(self.count, 0))

    @cached_property
    def _teacher_jobs(self) -> tuple[Cell, ...]:
        recipe = self._made
        network = recipe.teacher or recipe.parser
        return tuple(self.plain(network, recipe.bench.training(self.count, seed)) for seed in range(recipe.teachers))

    def _faces_of(self, parser: ParserConfig) -> tuple[LabelledFaces, LabelledFaces]:
        """The labelled faces and those that choose, in the size of a parser."""
        detailed = self.data.detailed
        if detailed is None or parser.size == self.labelled.size:
            return self.labelled, self.data.tuning
        return detailed.train.select(range(self.count), lazily=True), detailed.tuning

    def plain(self, parser: ParserConfig, training: ParserTraining) -> Cell:
        """The job of a parser that is trained on the labelled faces alone.

        P_F's are such parsers, and so are arms without additions and what arms continue from: each is trained once.
        """
        seed = training.seed
        identity = self._plain_identity(parser, training)
        folder = self._job_folder("parser", {**identity, "seed": seed} if seed else identity)
        if (known := self._jobs.get(folder.name)) is not None:
            return known
        label = f"{self.count} labelled, {parser.size} px, {training.augment}, seed {seed}"
        faces, tuning = self._faces_of(parser)

        def compute() -> dict[str, Any]:
            weights = fit_parser(
                folder,
                faces=faces,
                tuning=tuning,
                parser=parser,
                training=training,
                compute=self._compute,
                record={},
                label=label,
            )
            return {"made": "parser", "labelled": self.count, "weights": weights.name}

        job = self._jobs[folder.name] = Cell(folder, compute, lambda result: f"parser of {label}: {folder}")
        return job

    def _plain_identity(self, parser: ParserConfig, training: ParserTraining) -> dict[str, Any]:
        """What it depends on but its seed."""
        faces, tuning = self._faces_of(parser)
        return {
            "faces": faces.about(),
            "tuning": tuning.about(),
            "parser": to_dict(parser),
            "parsing": to_dict(replace(training, seed=0)),
        }

    @cached_property
    def _parser(self) -> Parser:
        return load_parser(self._parser_job.folder, self._compute)

    @cached_property
    def _teacher(self) -> Parser:
        return ensemble([load_parser(job.folder, self._compute) for job in self._teacher_jobs])

    @property
    def _detailed_photos(self) -> FaceSet | None:
        return None if self.data.detailed is None else self.data.detailed.photos

    @cached_property
    def _labelled_photos(self) -> LabelledFaces:
        return label_photos(self._teacher, self.data.unlabelled, detailed=self._detailed_photos, cache=self._cache)

    @cached_property
    def _gan_job(self) -> Cell:
        recipe = self._made
        folder = self._job_folder("gan", self._identity("gan"))

        def compute() -> dict[str, Any]:
            say(f"GAN of {self.count} labelled faces, {recipe.training.images:,} images")
            fit_gan(
                folder,
                join(self.labelled, self._labelled_photos),
                self._parser.network,
                dataclasses.replace(recipe.generator, scheme=self.labelled.scheme),
                recipe.training,
                self._compute,
                record={"parser": str(self._parser_job.folder.resolve()), "parser_hash": self._parser.hash},
            )
            return {"made": "gan", "labelled": self.count}

        return Cell(
            folder,
            compute,
            lambda result: f"GAN of {self.count} labelled faces: {folder}",
            needs=tuple(dict.fromkeys((self._parser_job, *self._teacher_jobs))),
        )

    def _set_job(self, name: str) -> Cell:
        """A set's job, made when it is asked for: others may lack what they need."""
        if name not in self._jobs:
            self._jobs[name] = self._new_set_job(name)
        return self._jobs[name]

    def _new_set_job(self, name: str) -> Cell:
        config = self.sets[name]
        folder = self._job_folder(name, self._set_identity(name))

        def compute() -> dict[str, Any]:
            generator = load_generator(self._gan_job.folder, self._compute)
            total = config.total // len(config.masks)
            found = {}
            for kind in config.masks:
                inputs = Inputs(self._targets(kind), self._labelled_photos, generator, self._teacher, self._judge)
                summary = generate(folder / kind, inputs, config=replace(config.generate, total=total))
                found[kind] = {key: summary[key] for key in ("faces", "planned", "dropped", "agreement")}
            return {"made": name, "labelled": self.count, **found}

        return Cell(
            folder,
            compute,
            lambda result: f"{name} of {self.count} labelled faces: {folder}",
            needs=self._set_needs,
        )

    @property
    def _set_needs(self) -> tuple[Cell, ...]:
        return tuple(dict.fromkeys((self._parser_job, *self._teacher_jobs, self._gan_job)))

    @property
    def _judge(self) -> Parser:
        """The teachers where they are of the faces' size: a larger parser expects more detail than there is."""
        return self._teacher if self._made.teacher is None else self._parser

    def _targets(self, kind: str) -> LabelledFaces:
        if kind == "own":
            return self.labelled
        if kind == "unused":
            return self.data.oracle
        return read_masks(self._teacher, self.data.unlabelled, detailed=self._detailed_photos, cache=self._cache)

    def _set(self, name: str) -> LabelledFaces:
        folder = self._set_job(name).folder
        return SyntheticFaces([path.parent for path in sorted(folder.glob(f"*/{COMPLETE}"))]).faces
