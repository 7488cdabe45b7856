"""The embedded default data set: procedural chest radiographs that need no download."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, field_validator, model_validator

from synthbench import Context, Dataset, ImageDataset, Splits, code_version, hookimpl, load_images, save_images
from synthbench_phantom.cohort import CLASSES, Cohort, photograph

__all__ = ["Phantom"]


class Phantom(ImageDataset):
    """Chest radiographs of patients who never were: NORMAL, or PNEUMONIA with opacities in the lungs.

    Rendered from random anatomies by the physics of an X-ray (see `render`). A patient has several images
    and belongs to one class and to one split. Build, pose, exposure and all else are drawn alike for both
    classes, and exposure is automatic, so that brightness does not give the class away.
    """

    name: ClassVar[str] = "phantom"

    train_images: int = Field(1600, ge=2, le=100_000, description="images in train")
    test_images: int = Field(400, ge=2, le=100_000, description="images in the test set `test`")
    images_per_patient: int = Field(2, ge=1, le=100, description="exams of each patient, one image each")
    pneumonia_fraction: float = Field(0.6, gt=0, lt=1, description="share of the patients who have pneumonia")
    seed: int = Field(0, ge=0, description="another seed is another data set; a benchmark's seeds have no part")

    @model_validator(mode="after")
    def _room_for_both_classes(self) -> Self:
        for field in ("train_images", "test_images"):
            if getattr(self, field) <= self.images_per_patient:
                raise ValueError(f"{field} must exceed images_per_patient: each class needs a patient")
        return self

    @field_validator("positive")
    @classmethod
    def _one_of_the_classes(cls, positive: str | None) -> str | None:
        if positive not in (None, *CLASSES):
            raise ValueError(f"must be one of {', '.join(CLASSES)}")
        return positive

    def load(self, ctx: Context) -> Splits:
        """Rendered on first use (some milliseconds an image), memory-mapped from the store later."""
        key = {
            "name": self.name,
            "config": self.model_dump(mode="json", exclude={"positive"}),
            "code": code_version(__name__),
        }
        folder = ctx.store.make("dataset", key, lambda folder: self._render(folder, ctx)).path
        return Splits(
            train=load_images(folder / "train"),
            tests={"test": load_images(folder / "test")},
            domain="procedural phantoms; no patient",
            positive=self.positive,
        )

    def _render(self, folder: Path, ctx: Context) -> None:
        with ctx.progress.bar("rendering phantoms", self.train_images + self.test_images) as bar:
            for split, cohort in self.cohorts().items():
                (folder / split).mkdir()
                save_images(folder / split, photograph(cohort, self, bar))

    def cohorts(self) -> dict[str, Cohort]:
        """The patients of each split, numbered so that nobody is in two."""
        train = Cohort(self.seed, 0, self.train_images, self.images_per_patient, self.pneumonia_fraction)
        test = Cohort(
            self.seed, train.patients, self.test_images, self.images_per_patient, self.pneumonia_fraction
        )
        return {"train": train, "test": test}


@hookimpl
def register_datasets() -> list[type[Dataset]]:
    """`phantom`."""
    return [Phantom]
