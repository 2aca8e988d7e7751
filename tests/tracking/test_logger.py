import pytest
import pytorch_lightning as pl
import torch

from maxexp.tracking.logger import RecordLogger


class Tiny(pl.LightningModule):
    """Logs its epoch as a loss, so that values tell which step they belong to."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.save_hyperparameters({"width": 1})

    def training_step(self, batch):
        self.log("train/loss", float(self.current_epoch), on_step=False, on_epoch=True)
        return self.layer(batch).sum()

    def validation_step(self, batch):
        self.log("val/loss", 10.0 + self.current_epoch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def fit(tmp_path):
    def run(record, epochs, offset):
        data = torch.utils.data.DataLoader(torch.ones(4, 1))
        trainer = pl.Trainer(
            max_epochs=epochs,
            logger=RecordLogger(record, tmp_path, offset),
            accelerator="cpu",
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Tiny(), data, data)
        return trainer

    return run


def points(record, key):
    return [(point.step, point.value) for point in record.client.get_metric_history(record.run_id, key)]


def test_epochs_of_two_trainings_land_on_one_curve_and_the_run_goes_on(start, status, fit, tmp_path):
    with start() as record:
        fit(record, epochs=2, offset=0)
        trainer = fit(record, epochs=1, offset=2)
        assert status(record) == "RUNNING"
        assert points(record, "train/loss") == [(0, 0.0), (1, 1.0), (2, 0.0)]
        assert points(record, "val/loss") == [(0, 10.0), (1, 11.0), (2, 10.0)]
        assert set(record.metrics()) == {"train/loss", "val/loss"}
        assert record.params() == {}
        assert trainer.loggers[0].name == record.experiment_id
        assert trainer.loggers[0].experiment is record
        written = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*.ckpt")}
        assert written == {(record.experiment_id, record.run_id)}
    assert status(record) == "FINISHED"


def test_step_of_lightning_counts_where_it_names_no_epoch(start, tmp_path):
    with start() as record:
        RecordLogger(record, tmp_path, epoch_offset=5).log_metrics({"x": 1.0}, step=3)
        assert points(record, "x") == [(3, 1.0)]


def test_ctrl_c_inside_of_fit_ends_as_killed(start, status, fit, monkeypatch):
    def interrupt(self, batch):
        raise KeyboardInterrupt

    monkeypatch.setattr(Tiny, "training_step", interrupt)
    with pytest.raises(SystemExit), start() as record:
        fit(record, epochs=1, offset=0)
    assert status(record) == "KILLED"
    assert record.tags()["killed.reason"] == "KeyboardInterrupt"
