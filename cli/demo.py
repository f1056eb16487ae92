"""``faceaug demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Device, Precision, Seed
from .workspace import Workspace

# Lengths that fit eight minutes on two cores; they show the way, they do not settle anything.
_DRAWN = {"train": 160, "tuning": 30, "testing": 60, "photos": 200}
_PARSER_IMAGES, _BENCH_IMAGES, _BATCH, _PER_MASK = 1_600, 800, 4, 2

_NEXT = """faceaug check         folder:/data/mine
faceaug train-gan     --faces folder:/data/mine --unlabelled photos:/data/photos --preset demo --images 16000
faceaug generate      --masks read:photos:/data/photos --sources photos:/data/photos --total 4000
faceaug bench-parsing --faces folder:/data/mine --seeds 3"""


QUICK = "quick.html"
_TARGETS, _LOOKS = 6, 3

_TRY = """faceaug draw         --out data
faceaug generate     --data-root data --masks helen --sources celeba --generator drawn --per-mask 2
faceaug edit         portrait.jpg --generator drawn --change smile --out edited
faceaug parse        portrait.jpg --parser drawn --out labels
faceaug web          --generator drawn
faceaug export-model drawn/gan --out gan.onnx
faceaug demo                                        (trains all of them, in minutes)"""


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the data, the runs and the page.")] = Path("faceaug-demo"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Train nothing: faces of the small models in the package, in seconds.")
    ] = False,
    device: Device = "auto",
    precision: Precision = "auto",
    seed: Seed = 0,
) -> None:
    """Run everything once on drawn faces, in minutes, and write one page of pictures and numbers.

    Draws faces, trains the parser and the GAN, generates labelled faces, benchmarks them; the page is index.html. The same
    command resumes. With --quick the models that come with faceaug generate some faces, and nothing is trained.

    Example: faceaug demo --out /tmp/demo
    """
    import time

    began = time.monotonic()
    data, runs = out / "data", out / "runs"
    space = Workspace(runs, data_root=data, device=device, precision=precision)

    from faceaug.config import check_number
    from faceaug.files import ensure_folder
    from faceaug.progress import clock

    check_number("--seed", seed)
    if quick:
        _write_quick(out, space, seed)
        typer.echo(f"demo: done in {clock(time.monotonic() - began)}; open {(out / QUICK).resolve()}")
        return

    from .bench_parsing import bench_parsing
    from .draw import draw
    from .generate import generate
    from .train_gan import train_gan
    from .train_parser import run_parser

    ensure_folder(out)
    _ = space.compute  # an unusable --device is refused before anything is drawn
    typer.echo("demo 1/5: drawing faces")
    draw(**_DRAWN, out=data, seed=seed)  # type: ignore[arg-type]
    typer.echo("demo 2/5: the parser")
    how: dict[str, object] = {"images": _PARSER_IMAGES, "batch": _BATCH, "evaluations": 8, "seed": seed}
    parser = run_parser(space, "helen", network={"size": 64}, labelled=None, training=how, out=runs / "parser" / "demo")
    typer.echo("demo 3/5: the GAN")
    gan = runs / "gan" / "demo"
    train_gan(space, preset="demo", parser=parser, out=gan, seed=seed)
    typer.echo("demo 4/5: generating labelled faces")
    generated = runs / "synthetic" / "demo"
    generate(space, generator=gan / "weights.safetensors", per_mask=_PER_MASK, out=generated, seed=seed)
    typer.echo("demo 5/5: what they are worth")
    bench = runs / "bench" / "demo"
    bench_parsing(space, synthetic=generated, images=_BENCH_IMAGES, batch=_BATCH, seeds=1, out=bench)
    _write_page(out, parser.parent, gan, generated, bench)
    typer.echo(f"demo: done in {clock(time.monotonic() - began)}; open {(out / 'index.html').resolve()}")


def _write_quick(out: Path, space: Workspace, seed: int) -> None:
    """Drawn faces in each other's look, by the models inside the package, and what its parser finds in them."""
    import numpy as np
    from faceaug.datasets.drawn.crops import drawn_faces

    from faceaug.embedded import NAME
    from faceaug.files import ensure_folder
    from faceaug.images import write_png
    from faceaug.page import Section, write_page
    from faceaug.parser.predict import predict_labels
    from faceaug.pictures import grid

    _, generator = space.generator(Path(NAME))
    parser = space.parser(Path(NAME))
    targets = drawn_faces(_TARGETS, size=generator.config.size, seed=seed)
    sources = drawn_faces(_LOOKS, size=generator.config.size, seed=seed + 1)
    images, labels = targets.images[:], targets.labels[:]
    rows = [("drawn faces, targets", list(images)), ("their masks", list(targets.scheme.colour(labels)))]
    for number in range(_LOOKS):
        of = np.full(_TARGETS, number)
        look = generator.encode(sources.images[of], sources.labels[of])
        generated = generator.generate(look, images, labels)
        rows.append((f"GAN of {generator.trained_on}, look of {'ABC'[number]}", [*generated, sources.images[number]]))
    rows.append(("last row, parsed", list(parser.config.scheme.colour(predict_labels(parser, generated)))))
    ensure_folder(out)
    write_png(out / "faces.png", grid(rows, cell=128))
    told = (
        f"Faces are drawn by the package. A small GAN of {generator.trained_on}, which comes with it, generates faces with the "
        "masks and backgrounds of the targets and the look of three sources, A, B and C, which stand at the right of their rows. "
        "The last row is what a small parser, which comes with it too, finds in the row above. Neither has ever seen a photo of "
        "a person."
    )
    section = Section("Drawn faces, in seconds", [told], [out / "faces.png"])
    more = Section(
        "Every command, before anything is trained", ["In place of weights of your own, any command takes drawn:"], code=_TRY
    )
    write_page(out / QUICK, "faceaug on drawn faces", [section, more])


def _write_page(out: Path, parser: Path, gan: Path, generated: Path, bench: Path) -> None:
    import json

    from faceaug.benchmarks.parsing.bench import RESULTS
    from faceaug.benchmarks.parsing.report import sentences, table, warnings

    from faceaug.page import Section, write_page

    results = json.loads((bench / RESULTS).read_text())
    made = json.loads((generated / "complete.json").read_text())
    scores = table(results)
    rows = [
        ["mean F1, percent", *scores.columns],
        *[[name, *values] for name, values in zip(scores.index, scores.values, strict=True)],
    ]
    gender = made["gender_classifier"]
    sections = [
        Section(
            "1. Data: drawn faces",
            ["These faces are drawn by the package, with exact labels, in Helen's and CelebA's own layouts: top and middle a "
             "labelled photo and its label map, bottom photos without labels. Everything below was learned from them within "
             "minutes, so it shows how things work and not how well they can get."],
            [out / "data" / "preview.png"],
        ),
        Section(
            "2. The parser",
            ["A U-Net learns to give every pixel a label. It labels the photos that have none, keeps generated faces to their "
             "masks while the GAN trains, and scores them afterwards."],
            [parser / "predictions.png", parser / "curves.png"],
        ),
        Section(
            "3. The GAN",
            ["Five components of a source photo are embedded one by one, placed by the target's mask, and fused with the "
             "target's background. Each column is one target; results A, B and C have its mask and the look of sources A, B "
             "and C. On real faces it takes an hour or two to become sharp."],
            [sorted((gan / "samples").glob("*.png"))[-1]],
        ),
        Section(
            "4. Labelled faces",
            [f"{made['faces']:,} faces were generated onto the training masks, {made['planned'] - made['faces']:,} dropped. "
             f"Sources have the target's gender, by a classifier that is right on {gender['held_out_accuracy']:.0%} of "
             f"{gender['held_out_photos']} held-out photos. The parser's label maps of them agree with "
             f"the masks by a mean F1 of {made['agreement']['mean']:.2f}."],
            [generated / "faces.png"],
        ),
        Section(
            "5. What they are worth",
            [f"The same parser, trained {results['bench']['images']:,} images long from "
             f"{results['faces']['labelled'][0]} labelled drawn faces, without and with augmentation, "
             "and further, without and with generated faces.",
             *sentences(results), *warnings(results)],
            [bench / "pictures" / "labels.png", bench / "pictures" / "worst.png"],
            rows,
        ),
        Section(
            "6. Your own faces",
            ["Any folder of photos with masks will do, and any folder of photos; then run the four commands. Each resumes when "
             "repeated, and each has --help."],
            code=_NEXT,
        ),
    ]  # fmt: skip
    write_page(out / "index.html", "faceaug on drawn faces", sections)
