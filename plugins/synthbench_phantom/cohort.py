"""A split: its patients, each drawn from an own seed, and their exams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from synthbench import Bar, ImageDataset, Images, Labels, derive_seed, resize_square
from synthbench_phantom.geometry import Film
from synthbench_phantom.opacities import draw_pneumonia
from synthbench_phantom.patient import draw_exam, draw_patient
from synthbench_phantom.render import radiograph

__all__ = ["CLASSES", "Cohort", "photograph"]

CLASSES = ("NORMAL", "PNEUMONIA")
LEAST_ROWS = 96  # under this the ribs vanish


@dataclass(frozen=True)
class Cohort:
    """Patients numbered from `first`, `per_patient` images each; the last of them may have fewer."""

    seed: int
    first: int
    images: int
    per_patient: int
    pneumonia_fraction: float

    @property
    def patients(self) -> int:
        return -(-self.images // self.per_patient)

    def sick(self) -> npt.NDArray[np.bool_]:
        """Who has pneumonia (patients,): the wanted share, at least one of each class, in random order."""
        number = int(np.clip(round(self.pneumonia_fraction * self.patients), 1, self.patients - 1))
        rng = np.random.default_rng(derive_seed("phantom", self.seed, "classes", self.first))
        return rng.permutation(np.arange(self.patients) < number)

    def exams(self, film: Film) -> Iterator[tuple[str, int, npt.NDArray[np.uint8]]]:
        """(patient, label, radiograph) of every image."""
        for i, sick in enumerate(self.sick().tolist()):
            exams = min(self.per_patient, self.images - i * self.per_patient)
            for grey in _radiographs(self.seed, self.first + i, exams, film, sick=sick):
                yield f"phantom-{self.first + i:04d}", int(sick), grey


def _radiographs(
    seed: int, patient: int, exams: int, film: Film, *, sick: bool
) -> Iterator[npt.NDArray[np.uint8]]:
    """One patient's images (rows, cols): same body and disease; another pose, breath, exposure and day."""
    rng = np.random.default_rng(derive_seed("phantom", seed, "patient", patient))
    anatomy = draw_patient(rng)
    disease = draw_pneumonia(rng, anatomy)
    for number in range(exams):
        exam = draw_exam(rng)
        noise = np.random.default_rng(derive_seed("phantom", seed, "noise", patient, number))
        yield radiograph(anatomy, exam, disease if sick else None, film, noise)


def photograph(cohort: Cohort, form: ImageDataset, bar: Bar) -> Images:
    """All images of a cohort in the size, channels and resize of `form`."""
    from threadpoolctl import threadpool_limits  # it loads with the first image, not with the plugin

    pixels = np.empty((cohort.images, form.image_size, form.image_size, form.channels), np.uint8)
    labels: Labels = np.empty(cohort.images, np.int64)
    groups: list[str] = []
    film = Film(rows=max(LEAST_ROWS, 3 * form.image_size // 2))
    with threadpool_limits(1, "blas"):  # of products this small the threads only wait for each other
        for i, (patient, label, grey) in enumerate(cohort.exams(film)):
            pixels[i], labels[i] = _formed(grey, form), label
            groups.append(patient)
            bar.advance()
    ids = [f"{patient}-{i % cohort.per_patient}" for i, patient in enumerate(groups)]
    return Images(pixels, labels, CLASSES, np.array(ids), np.array(groups))


def _formed(grey: npt.NDArray[np.uint8], form: ImageDataset) -> npt.NDArray[np.uint8]:
    picture = Image.fromarray(grey).convert("L" if form.channels == 1 else "RGB")
    return resize_square(picture, form.image_size, form.resize, antialias=form.antialias)
