"""Drawing one photo of one person, layer by layer from the back to the front."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import Float32Array
from faceaug.labels import (
    BACKGROUND,
    HAIR,
    INNER_MOUTH,
    LEFT_BROW,
    LEFT_EYE,
    LOWER_LIP,
    NOSE,
    RIGHT_BROW,
    RIGHT_EYE,
    SKIN,
    UPPER_LIP,
)

from .canvas import Canvas, Points, ellipse, noise
from .traits import Person, Shot

_OVERSAMPLING = 2


@dataclass(frozen=True)
class Frame:
    """Where a photo shows its face.

    Attributes:
        width: of the photo, pixels.
        height: of the photo.
        eyes: (x, y) midway between the eyes.
        unit: pixels between the eyes of a face seen from the front.
    """

    width: int
    height: int
    eyes: tuple[float, float]
    unit: float


@dataclass(frozen=True)
class Drawing:
    """A drawn photo.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB.
        soft: ``(11, H, W)`` uint8: how much of each pixel each class covers, 0..255; sums to 255 up to rounding.
        landmarks: ``(5, 2)`` x, y in pixels: eyes, nose tip, mouth corners.
    """

    image: npt.NDArray[np.uint8]
    soft: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float64]


def draw_face(person: Person, shot: Shot, frame: Frame) -> Drawing:
    """Draw one photo; the same arguments give the same pixels."""
    return _Face(person, shot, frame).draw()


class _Face:
    def __init__(self, person: Person, shot: Shot, frame: Frame) -> None:
        self.person, self.shot, self.frame = person, shot, frame
        self.rng = np.random.default_rng(shot.background)
        self.canvas = Canvas(frame.width * _OVERSAMPLING, frame.height * _OVERSAMPLING)
        self.unit = frame.unit * _OVERSAMPLING * shot.scale
        self.centre = (np.array(frame.eyes) + np.array(shot.shift) * frame.unit) * _OVERSAMPLING
        self.skin = np.array(person.skin, dtype=np.float32)
        self.shade = np.array([0.62, 0.5, 0.46], dtype=np.float32)  # what shadow leaves of red, green, blue
        self.hair = self._hair_texture()

    def place(self, points: npt.ArrayLike, *, depth: npt.ArrayLike | None = None) -> Points:
        """Face coordinates to pixels: the turned head as an ellipsoid, then roll, scale and shift.

        Args:
            points: ``(K, 2)``.
            depth: how far in front of the plane of the outline; by default the ellipsoid's.
        """
        p = np.asarray(points, dtype=np.float64)
        if depth is None:
            radius = (p[:, 0] / 1.3) ** 2 + ((p[:, 1] - 0.35) / 1.75) ** 2
            depth = np.sqrt(np.clip(1 - radius, 0, None))
        z = np.asarray(depth, dtype=np.float64)
        yaw, pitch = self.shot.yaw, self.shot.pitch
        x = p[:, 0] * np.cos(yaw) + 0.75 * z * np.sin(yaw)
        y = p[:, 1] * np.cos(pitch) + 0.6 * z * np.sin(pitch)
        cos, sin = np.cos(self.shot.roll), np.sin(self.shot.roll)
        turned = np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)
        return turned * self.unit + self.centre

    def draw(self) -> Drawing:
        self._background()
        self._hair_behind()
        self._body()
        face = self._head()
        landmarks = self._features(face)
        self._hair_in_front()
        self._light()
        return self._finish(landmarks)

    # Behind the face ------------------------------------------------------------------------------------------------

    def _background(self) -> None:
        height, width = self.canvas.labels.shape
        rng = self.rng
        first, second = rng.uniform(30, 225, 3), rng.uniform(30, 225, 3)
        ramp = 0.5 + 0.5 * noise(rng, (height, width), (2, 3))
        self.canvas.image[:] = first + (second - first) * ramp[..., None]
        for _ in range(int(rng.integers(0, 6))):
            x, y = rng.uniform(0, width), rng.uniform(0, height)
            radius = rng.uniform(0.1, 0.45) * width
            power = float(rng.choice([2.0, 2.0, 12.0]))
            shape = ellipse(x, y, radius, radius * rng.uniform(0.5, 1.8), power=power, count=28)
            self.canvas.fill(shape, rng.uniform(15, 245, 3), opacity=rng.uniform(0.3, 0.8))
        blur = rng.uniform(1.5, 7.0)
        quarter = cv2.resize(self.canvas.image, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
        quarter = cv2.GaussianBlur(quarter, (0, 0), blur)
        self.canvas.image = np.asarray(cv2.resize(quarter, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def _hair_texture(self) -> Float32Array:
        """Strands over the whole picture, in the hair's colour."""
        shape = self.canvas.labels.shape
        rng, style = self.rng, self.person.style
        across = max(int(shape[1] / self.unit * 9), 8)
        along = {"curly": across, "crew": across, "wavy": 14}.get(style, 5)
        strands = 0.6 * noise(rng, shape, (along, across * 3)) + 0.5 * noise(rng, shape, (3, across))
        if style == "wavy":
            y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
            sway = np.sin(y / self.unit * 7.0 + rng.uniform(0, 6)) * 0.07 * self.unit
            strands = cv2.remap(strands, x + sway.astype(np.float32), y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        base = np.array(self.person.hair, dtype=np.float32)
        return np.asarray(np.clip(base * (1 + 0.42 * strands[..., None]) + 9 * strands[..., None], 5, 250), np.float32)

    def _hair_behind(self) -> None:
        person, volume = self.person, self.person.volume
        width = person.width
        if person.style in ("bald", "crew", "short"):
            return
        if person.style == "curly":
            outline = ellipse(0, -0.1, width + 0.3 * volume, 1.35 + 0.25 * volume, count=60)
            bumps = 1 + 0.045 * np.sin(np.linspace(0, 2 * np.pi * 13, 60, endpoint=False))
            outline = outline * bumps[:, None]
        elif person.style == "bun":
            knot = ellipse(0.15 * person.parting, -1.62 - 0.12 * volume, 0.42 * volume, 0.36 * volume)
            self.canvas.fill(self.place(knot, depth=np.zeros(len(knot))), self.hair, label=HAIR)
            outline = ellipse(0, -0.1, width + 0.12, 1.3, power=2.2)
        else:
            length = {"bob": 1.45, "long": 3.2, "wavy": 2.8}[person.style]
            side = width + 0.14 + 0.2 * volume
            t = np.linspace(0, 1, 14)
            left = np.stack([-side - 0.12 * np.sin(t * np.pi * (1.0 + 2 * (person.style == "wavy"))), -0.3 + t * length], 1)
            dome = np.linspace(np.pi, 2 * np.pi, 24)
            top = np.stack([side * np.cos(dome), -0.3 + (1.12 + 0.2 * volume) * np.sin(dome)], 1)
            outline = np.concatenate([left[::-1], top, left * (-1, 1)])
        self.canvas.fill(self.place(outline, depth=np.zeros(len(outline))), self.hair * 0.8, label=HAIR)

    def _body(self) -> None:
        """Neck and clothes: background to the label scheme; they lie over hair that hangs behind."""
        person, rng = self.person, self.rng
        neck = 0.66 if person.male else 0.52
        bottom = person.chin + 3.0
        trunk = np.array([(-neck, 0.9), (neck, 0.9), (neck * 1.06, bottom), (-neck * 1.06, bottom)])
        self.canvas.fill(self.place(trunk, depth=np.zeros(4)), self.skin * 0.74, label=BACKGROUND)
        clothes = rng.uniform(20, 235, 3)
        drop = person.chin + (0.42 if person.male else 0.55)
        t = np.linspace(-1, 1, 30)
        collar = drop - 0.12 + 0.3 * np.exp(-((t / 0.16) ** 2)) + 0.5 * np.abs(t) ** 3
        top = np.stack([t * 3.4, collar], axis=1)
        shape = np.concatenate([top, [(3.4, bottom), (-3.4, bottom)]])
        keep_hair = person.style in ("long", "wavy") and person.parting > -0.2
        under = np.where(self.canvas.labels == HAIR, 0, 255).astype(np.uint8) if keep_hair else None
        self.canvas.fill(self.place(shape, depth=np.zeros(len(shape))), clothes, label=BACKGROUND, within=under)

    # The face ------------------------------------------------------------------------------------------------------

    def _outline(self) -> Points:
        """Cheeks and chin below the eyes, forehead above."""
        person = self.person
        t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        cos, sin = np.cos(t), np.sin(t)
        power = np.where(sin > 0, person.jaw, 2.0)
        x = person.width * np.sign(cos) * np.abs(cos) ** (2 / power)
        x = x * (1 - 0.14 * np.clip(sin, 0, 1) ** 2)
        y = np.where(sin > 0, person.chin * np.abs(sin) ** (2 / power), -1.18 * np.abs(sin))
        return np.stack([x, y], axis=1)

    def _head(self) -> npt.NDArray[np.uint8]:
        person, rng = self.person, self.rng
        if person.style in ("bald", "crew", "short", "bun") or rng.random() < 0.3:
            for side in (-1, 1):
                ear = ellipse(side * (person.width + 0.02), 0.25, 0.17, 0.34)
                self.canvas.fill(self.place(ear, depth=np.full(len(ear), -0.25)), self.skin * 0.86, label=BACKGROUND)
        shape = self.canvas.labels.shape
        tone = 1 + 0.035 * noise(rng, shape, (7, 7)) + 0.018 * noise(rng, shape, (60, 60))
        face = self.canvas.fill(self.place(self._outline()), self.skin * tone[..., None], label=SKIN)
        flush = self.skin * (1.04, 0.84, 0.84)
        for side in (-1, 1):
            cheek = ellipse(side * 0.66, 0.72, 0.36, 0.28)
            self.canvas.fill(self.place(cheek), flush, opacity=0.32, soften=0.12 * self.unit, within=face)
            socket = ellipse(side * 0.5, -0.06, 0.4, 0.25)
            self.canvas.fill(self.place(socket), self.skin * self.shade, opacity=0.2, soften=0.08 * self.unit, within=face)
            if person.age > 0.45:
                fold = np.array([(side * 0.3, 0.72), (side * 0.47, 0.9), (side * 0.56, 1.12)])
                self.canvas.line(self.place(fold), self.skin * self.shade, 0.06 * self.unit, opacity=0.6 * person.age)
        if person.age > 0.6:
            for row in (-0.55, -0.72):
                t = np.linspace(-0.55, 0.55, 9)
                wrinkle = np.stack([t, row - 0.05 * np.cos(t * 2.6)], axis=1)
                self.canvas.line(self.place(wrinkle), self.skin * self.shade, 0.035 * self.unit, opacity=0.4 * person.age)
        if person.beard:
            t = np.linspace(0, np.pi, 30)
            outer = self._outline()[1:36]
            inner = np.stack([0.62 * np.cos(t), 0.78 + 0.5 * np.sin(t)], axis=1)[::-1]
            stubble = np.concatenate([outer[outer[:, 1] > 0.35], inner])
            colour = np.array(person.hair) * 0.8 + self.skin * 0.2
            grain = 1 + 0.12 * rng.standard_normal(shape).astype(np.float32)
            self.canvas.fill(
                self.place(stubble),
                colour * grain[..., None],
                opacity=person.beard,
                soften=0.05 * self.unit,
                within=face,
            )
        return face

    def _features(self, face: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        for side in (-1, 1):
            self._eye(side, face)
            self._brow(side, face)
        self._nose(face)
        corners = self._mouth(face)
        tip = np.array([(0.0, self.person.nose_length - 0.12)])
        points = [self.place([(-0.5, 0.0)]), self.place([(0.5, 0.0)]), self.place(tip, depth=[1.2]), corners]
        return np.concatenate(points) / _OVERSAMPLING - 0.5

    def _eye(self, side: int, face: npt.NDArray[np.uint8]) -> None:
        person, shot = self.person, self.shot
        opening = shot.lids[(side + 1) // 2]
        t = np.linspace(-1, 1, 17)
        tilt = -person.eye_tilt * t * side * person.eye
        upper = np.stack([t * person.eye, tilt - 0.155 * opening * (1 - t**2) ** 0.8], axis=1)
        lower = np.stack([t * person.eye, tilt + (0.1 * opening + 0.025 * (opening == 0)) * (1 - t**2)], axis=1)
        offset = np.array([side * 0.5, 0.0])
        dark = np.array([40, 28, 26]) if not person.male else self.skin * 0.35
        if opening > 0:
            white = self.canvas.fill(
                self.place(np.concatenate([upper, lower[::-1]]) + offset),
                (236, 232, 228),
                label=LEFT_EYE if side < 0 else RIGHT_EYE,
                within=face,
            )
            x, y = side * 0.5 + shot.gaze[0] * 0.3 * person.eye, -0.02 + shot.gaze[1] * 0.05
            self.canvas.fill(self.place(ellipse(x, y, 0.135, 0.135)), person.iris, within=white)
            self.canvas.fill(self.place(ellipse(x, y, 0.06, 0.06)), (12, 10, 12), within=white)
            glint = ellipse(x + 0.05 * shot.light[0], y - 0.05, 0.03, 0.03)
            self.canvas.fill(self.place(glint), (255, 255, 255), within=white)
            crease = upper + offset + (0, -0.06)
            self.canvas.line(self.place(crease), self.skin * self.shade, 0.035 * self.unit, opacity=0.7)
            self.canvas.line(self.place(upper + offset), dark, (0.05 if person.male else 0.075) * self.unit, opacity=0.9)
        else:
            self.canvas.line(self.place(lower + offset), dark, 0.06 * self.unit, opacity=0.9)

    def _brow(self, side: int, face: npt.NDArray[np.uint8]) -> None:
        person = self.person
        t = np.linspace(0, 1, 15)
        x = side * (0.17 + 0.68 * t)
        middle = -0.33 - person.brow_arch * np.sin(np.pi * t**0.8) + 0.05 * t - 0.04 * self.shot.smile
        half = person.brow_thickness / 2 * (1 - 0.75 * t**2.5) * np.minimum(1, 0.6 + 4 * t)
        polygon = np.concatenate([np.stack([x, middle - half], 1), np.stack([x, middle + half], 1)[::-1]])
        colour = np.minimum(np.array(person.hair) * 0.85, self.skin * 0.8)
        label = LEFT_BROW if side < 0 else RIGHT_BROW
        self.canvas.fill(self.place(polygon), colour, label=label, opacity=0.9, soften=0.012 * self.unit, within=face)

    def _nose(self, face: npt.NDArray[np.uint8]) -> None:
        person = self.person
        length, width = person.nose_length, person.nose_width
        t = np.linspace(0, 1, 16)
        half = 0.1 + (width - 0.1) * np.clip((t - 0.35) / 0.5, 0, 1) ** 1.6
        half *= np.where(t > 0.86, np.sqrt(np.clip(1 - ((t - 0.86) / 0.15) ** 2, 0, 1)), 1)
        y = 0.0 + t * length
        depth = 0.95 + 0.32 * t
        right = np.stack([half, y], axis=1)
        polygon = np.concatenate([right, (right * (-1, 1))[::-1]])
        shape = self.place(polygon, depth=np.concatenate([depth, depth[::-1]]) - 0.25 * np.abs(polygon[:, 0]) / width)
        mask = self.canvas.fill(shape, self.skin, label=NOSE, opacity=0.0, within=face)
        shadow_side = -np.sign(self.shot.light[0]) or 1.0
        flank = np.stack([shadow_side * half * 0.85, y], axis=1)
        self.canvas.line(self.place(flank, depth=depth - 0.2), self.skin * self.shade, 0.16 * self.unit, opacity=0.38)
        bridge = np.stack([-shadow_side * half * 0.15, y * 0.9], axis=1)
        self.canvas.line(self.place(bridge, depth=depth), np.minimum(self.skin * 1.14 + 8, 255), 0.1 * self.unit, opacity=0.5)
        for side in (-1, 1):
            nostril = ellipse(side * width * 0.5, length * 0.94, 0.072, 0.038)
            at = self.place(nostril, depth=np.full(len(nostril), 1.12))
            self.canvas.fill(at, self.skin * 0.3, opacity=0.85, within=mask)
        base = np.stack([np.linspace(-width, width, 11), length + 0.02 + 0.03 * np.cos(np.linspace(-9, 9, 11))], axis=1)
        self.canvas.line(self.place(base, depth=np.full(11, 1.1)), self.skin * self.shade, 0.07 * self.unit, opacity=0.5)

    def _mouth(self, face: npt.NDArray[np.uint8]) -> Points:
        person, shot = self.person, self.shot
        t = np.linspace(-1, 1, 25)
        half = person.mouth_width * (1 + 0.35 * max(shot.smile, -0.1)) * (1 - 0.2 * shot.opening)
        level = 1.1
        corner = -shot.smile * np.abs(t) ** 1.7 + shot.smile * 0.5
        bow = 1 - 0.22 * np.exp(-((t / 0.16) ** 2))
        inner_up = level + corner - 0.35 * shot.opening * (1 - t**2) ** 0.75
        inner_low = level + corner + 0.75 * shot.opening * (1 - t**2) ** 0.7
        outer_up = inner_up - person.fullness * 0.85 * bow * (1 - t**2) ** 0.6
        outer_low = inner_low + person.fullness * 1.1 * (1 - t**4) ** 0.9
        x = t * half

        def band(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> Points:
            ring = np.concatenate([np.stack([x, first], 1), np.stack([x, second], 1)[::-1]])
            return self.place(ring)

        lips = np.array(person.lips)
        if shot.opening > 0:
            inside = self.canvas.fill(band(inner_up, inner_low), (58, 22, 24), label=INNER_MOUTH, within=face)
            teeth = np.minimum(inner_up + 0.2 * min(1.0, shot.opening * 4), inner_low)
            self.canvas.fill(band(inner_up, teeth), (238, 232, 220), within=inside)
            if shot.opening > 0.24:
                tongue = ellipse(0, level + 0.72 * shot.opening + shot.smile * 0.5, half * 0.6, 0.3 * shot.opening)
                self.canvas.fill(self.place(tongue), (168, 74, 76), within=inside, soften=0.03 * self.unit)
        self.canvas.fill(band(outer_up, inner_up), lips * 0.86, label=UPPER_LIP, within=face)
        self.canvas.fill(band(inner_low, outer_low), lips, label=LOWER_LIP, within=face)
        gloss = ellipse(0, float(inner_low[12] + person.fullness * 0.5), half * 0.4, person.fullness * 0.22)
        self.canvas.fill(self.place(gloss), np.minimum(lips * 1.25 + 18, 255), opacity=0.5, soften=0.03 * self.unit)
        if shot.opening == 0:
            self.canvas.line(self.place(np.stack([x, inner_up], 1)), lips * 0.42, 0.045 * self.unit, opacity=0.9)
        below = np.stack([x * 0.6, outer_low + 0.09], axis=1)
        self.canvas.line(self.place(below), self.skin * self.shade, 0.08 * self.unit, opacity=0.3)
        if person.moustache:
            hairs = np.stack([x * 1.05, outer_up - 0.02 + 0.05 * np.abs(t)], axis=1)
            over = np.stack([x * 0.95, outer_up - 0.17 + 0.12 * np.abs(t)], axis=1)
            ring = np.concatenate([hairs, over[::-1]])
            self.canvas.fill(self.place(ring), np.array(person.hair) * 0.9, opacity=0.85, soften=0.015 * self.unit)
        return self.place(np.array([(-half, level - 0.5 * shot.smile), (half, level - 0.5 * shot.smile)]))

    # In front of the face -------------------------------------------------------------------------------------------

    def _hair_in_front(self) -> None:
        person = self.person
        if person.style == "bald":
            return
        top = {"crew": 0.06, "short": 0.26, "curly": 0.3, "bun": 0.14}.get(person.style, 0.2) * person.volume
        side = person.width + {"crew": 0.02, "short": 0.05}.get(person.style, 0.1)
        reach = {"crew": 0.1, "short": 0.25, "bun": 0.3}.get(person.style, 0.75)
        dome = np.linspace(np.pi * (1 - reach * 0.12), np.pi * (2 + reach * 0.12), 36)
        outer = np.stack([side * np.cos(dome), -0.06 + (1.14 + top) * np.sin(dome)], axis=1)
        t = np.linspace(1, -1, 31)
        high = -0.92 + 0.1 * (person.style == "crew")
        fringe = high + (-0.36 - high) * person.fringe * (person.style not in ("crew", "bun"))
        parted = np.abs(t - person.parting)
        hairline = fringe - 0.16 * np.exp(-((parted / 0.3) ** 2))
        hairline = hairline + (0.5 + 0.55 * reach - fringe * 0.5 - 0.35) * np.abs(t) ** 6
        ragged = 0.03 * np.sin(t * 31 + person.parting * 9) * (person.style in ("short", "curly", "wavy"))
        inner = np.stack([t * (person.width * 0.99), hairline + ragged], axis=1)
        polygon = np.concatenate([outer, inner])
        depth = np.concatenate([np.zeros(len(outer)), 0.55 * (1 - t**2)])
        self.canvas.fill(self.place(polygon, depth=depth), self.hair, label=HAIR, soften=0.01 * self.unit)
        if person.style in ("long", "wavy", "bob"):
            length = {"bob": 1.5}.get(person.style, 2.6)
            s = np.linspace(0, 1, 16)
            for sign in (-1, 1):
                edge = person.width + 0.16 + 0.16 * person.volume
                lean = 0.16 if sign * person.parting < 0 else 0.04
                wave = 0.05 * np.sin(s * 16 + person.parting * 7) * (person.style == "wavy")
                inside = np.stack([sign * (person.width * 0.97 - lean * np.sin(np.pi * s) + wave), -0.55 + s * length], 1)
                outside = np.stack([sign * (edge + 0.08 * np.sin(np.pi * s) + wave), -0.55 + s * length], 1)
                lock = np.concatenate([inside, outside[::-1]])
                self.canvas.fill(self.place(lock, depth=np.zeros(len(lock))), self.hair * 0.94, label=HAIR)

    def _light(self) -> None:
        """One light from above or from a side, over face, hair and neck alike."""
        height, width = self.canvas.labels.shape
        x = (np.arange(width, dtype=np.float32) - self.centre[0]) / (1.6 * self.unit)
        y = (np.arange(height, dtype=np.float32) - self.centre[1]) / (1.6 * self.unit)
        field = np.clip(x, -1, 1)[None] * self.shot.light[0] + np.clip(y, -1, 1)[:, None] * self.shot.light[1] * 0.6
        person = (self.canvas.labels != BACKGROUND).astype(np.float32)
        person = np.asarray(cv2.blur(person, (5, 5)), dtype=np.float32)
        gain = 1 + 0.24 * field * person
        warmth = np.array([1 + self.shot.warmth, 1.0, 1 - self.shot.warmth], dtype=np.float32)
        self.canvas.image *= gain[..., None] * warmth * np.float32(self.shot.exposure)

    def _finish(self, landmarks: npt.NDArray[np.float64]) -> Drawing:
        size = (self.frame.width, self.frame.height)
        image = cv2.resize(self.canvas.image, size, interpolation=cv2.INTER_AREA)
        image = image + np.asarray(self.rng.normal(0, 2.2, image.shape), dtype=np.float32)
        covered = self.canvas.labels.reshape(size[1], _OVERSAMPLING, size[0], _OVERSAMPLING)
        soft = np.stack([(covered == label).sum(axis=(1, 3)) for label in range(11)])
        shares = np.round(soft * (255 / _OVERSAMPLING**2)).astype(np.uint8)
        return Drawing(np.clip(np.round(image), 0, 255).astype(np.uint8), shares, landmarks)
