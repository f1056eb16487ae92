"""What is generated: the settings of a set."""

from __future__ import annotations

from dataclasses import dataclass

from faceaug.config import check, check_choice
from faceaug.generate.balance import BalanceMode
from faceaug.generate.pairing import GenderMode
from faceaug.generate.plan import MixMode
from faceaug.prepare.likeness import CANDIDATES
from faceaug.shapes.edits import chosen_operations


@dataclass(frozen=True)
class GenerateConfig:
    """What is generated."""

    per_mask: int = 2
    """Different sources for every target mask, on average where ``balance`` gives some masks more."""
    total: int = 0
    """Rows in all, shared out over the masks; 0: ``per_mask`` for each."""
    balance: str = "none"
    """``rare``: more faces for masks with rare classes; ``hard``: for those that the judge finds hard; ``none``."""
    gender: str = "consistent"
    """``consistent``: sources of the target's gender; ``filter``: any source, generated faces of another gender than the target's
    are dropped (the paper's way); ``any``."""
    mix: str = "none"
    """``none``: all components from one source; ``pairs``: from two; ``all``: eyes, mouth, skin and hair from four."""
    candidates: int = CANDIDATES
    """Photos drawn for each row, of which the one most like the target in shape is its source; 1 takes any, as the paper does."""
    shapes: str = ""
    """Operations that change masks, separated by commas, or ``all``; see :data:`faceaug.shapes.edits.OPERATIONS`."""
    shape_share: float = 0.5
    """Share of the rows whose mask is changed, where there are operations."""
    shape_strength: float = 1.0
    """How far masks are changed: 1 is the usual range of each operation."""
    min_agreement: float = 0.0
    """Generated faces whose agreement with their mask is lower are dropped."""
    min_confidence: float = 0.0
    """Pixels whose class the judge finds less likely than this become unknown (255): something else was generated there."""
    max_doubt: float = 0.0
    """Pixels whose loss by the judge is more than this many times their class's mean on real faces become unknown; 0 for none."""
    min_difference: float = 0.0
    """Faces that differ less than this from a photo or from another face of their shard are dropped: root mean square of the
    pixels at 16 px, 0..255; 0 for none."""
    min_identity_distance: float = 0.0
    """Faces are dropped that a face-recognition network finds closer than this to their source; 0 for none."""
    rows_per_shard: int = 512
    """Planned rows of a shard, before filters."""
    seed: int = 0
    """Of the plan and of the gender classifier's split."""

    def __post_init__(self) -> None:
        check_choice("--gender", self.gender, GenderMode)
        check_choice("--mix", self.mix, MixMode)
        check_choice("--balance", self.balance, BalanceMode)
        chosen_operations(self.shapes)
        check(
            {
                f"--per-mask {self.per_mask}: must be 1 or more": self.per_mask < 1,
                f"--total {self.total}: must be 1 or more, or 0 for --per-mask": self.total < 0,
                f"--candidates {self.candidates}: must be 1 or more": self.candidates < 1,
                f"--set shape_share={self.shape_share}: must be within 0..1": not 0 <= self.shape_share <= 1,
                f"--set shape_strength={self.shape_strength}: must be above 0 and at most 3": not 0 < self.shape_strength <= 3,
                f"--min-agreement {self.min_agreement}: must be within 0..1": not 0 <= self.min_agreement <= 1,
                f"--min-confidence {self.min_confidence}: must be at least 0 and below 1": not 0 <= self.min_confidence < 1,
                f"--max-doubt {self.max_doubt}: must be above 0, or 0 for none": self.max_doubt < 0,
                f"--min-difference {self.min_difference}: must be within 0..255": not 0 <= self.min_difference <= 255,
                f"--set min_identity_distance={self.min_identity_distance}: must be at least 0": self.min_identity_distance < 0,
                f"--rows-per-shard {self.rows_per_shard}: must be 1 or more": self.rows_per_shard < 1,
            }
        )
