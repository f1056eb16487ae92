"""FASSEG's frontal sets: laboratory portraits with colour-coded label maps of six classes."""

from __future__ import annotations

from collections.abc import Iterable

from faceaug.labels import FASSEG_6, Scheme

from .layout import Layout, home
from .listing import Index


class Fasseg(Layout):
    """Labelled photos in FASSEG's layout; a torch dataset of ``(Image, Mask)``.

    ``Train_RGB/*.jpg`` with ``Train_Labels/*.png`` of the same stem, likewise ``Test_``. Every fifth training photo is
    for tuning. Arguments and errors as :class:`faceaug.datasets.layout.Layout`.
    """

    key = "fasseg"
    label = "FASSEG"
    licence = "research"
    needs = "FASSEG's Train_RGB/, Train_Labels/, Test_RGB/ and Test_Labels/"
    scheme: Scheme = FASSEG_6

    def _open(self) -> Iterable[str]:
        folder = home(self.root, "Train_RGB", "Test_RGB")
        part = "Test" if self.split == "testing" else "Train"
        self._photos, self._maps = Index(folder / f"{part}_RGB"), Index(folder / f"{part}_Labels", ".png")
        names = self._photos.stems
        if self.split == "testing":
            return names
        return [name for at, name in enumerate(names) if (at % 5 == 4) == (self.split == "tuning")]
