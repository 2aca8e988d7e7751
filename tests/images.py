"""Pictures of a user's own, made up."""

from pathlib import Path

from PIL import Image

OVERRIDES = (
    "model=digitsnet",
    "dataset=images",
    "dataset.num_classes=2",
    "dataset.height=8",
    "dataset.width=8",
    "dataset.channels=1",
    "dataset.validation_images=2",
)
"""How a run looks at a folder of :func:`image_folder`, which ``dataset.root`` has to name."""


def image_folder(folder: Path, gray: int) -> Path:
    """Two classes of ten pictures, each of one gray, from a given one on."""
    for name in "ab":
        (folder / name).mkdir(parents=True)
        for number in range(10):
            Image.new("L", (8, 8), gray + number).save(folder / name / f"{number}.png")
    return folder
