"""The images of a run, as Lightning asks for them."""

from pytorch_lightning import LightningDataModule

from maxexp.data.loader import EvaluationBatches, TrainingBatches
from maxexp.data.run_data import RunData


class ImageDataModule(LightningDataModule):
    """Batches of one `fit`, which counts its epochs from 0.

    Args:
        data: the images.
        epoch_offset: epochs of earlier fits of the same run, so that this one continues with fresh ones.
    """

    def __init__(self, data: RunData, epoch_offset: int = 0) -> None:
        super().__init__()
        self._data = data
        self._epoch_offset = epoch_offset

    @property
    def epoch(self) -> int:
        """The epoch of the run whose shuffling and augmentation come next."""
        return self._epoch_offset + (self.trainer.current_epoch if self.trainer is not None else 0)

    def train_dataloader(self) -> TrainingBatches:
        """Returns the shuffled, augmented batches."""
        return self._data.training_batches(lambda: self.epoch)

    def val_dataloader(self) -> EvaluationBatches:
        """The validation images."""
        return self._data.validation_batches()
