"""What is refused before the first stage, so that it leaves no run."""

import re

import pytest
from PIL import Image

from maxexp.base.errors import CheckpointError, ConfigError, DataError, DeviceError
from maxexp.run.composition import described_network
from tests.conftest import composed

SHORT = "trainer.max_epochs=4"


def test_missing_data_are_told_with_a_remedy(refused_here, tmp_path):
    places = [f"dataset.root={tmp_path}", "dataset.download=false"]
    refused_here("model=cmsisnnet", "dataset=cifar10", *places, error=DataError, match="dataset.root")


def images(folder, classes):
    """Noise pictures in class folders."""
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            color = (120 * label + number, 40, 200 - 90 * label)
            Image.new("RGB", (20, 16), color).save(folder / name / f"{number}.png")


OWN = ["model=cmsisnnet", "model.width=0.25", "dataset=images", "dataset.num_classes=2", "trainer.max_epochs=2"]


def test_own_pictures_train(run_here, tmp_path):
    images(tmp_path / "pictures", ["cats", "dogs"])
    run = run_here(*OWN, f"dataset.root={tmp_path}/pictures", "trainer.batch_size=8")
    assert run.data.metrics["test/accuracy_integer"] >= 0.5


def test_missing_test_pictures_are_noticed_before_training(refused_here, tmp_path):
    images(tmp_path / "pictures" / "train", ["cats", "dogs"])
    refused_here(*OWN, f"dataset.root={tmp_path}/pictures", error=DataError, match="test/<class>/")


def test_a_broken_test_picture_is_noticed_before_training(refused_here, tmp_path):
    images(tmp_path / "pictures", ["cats", "dogs"])
    (tmp_path / "pictures" / "dogs" / "5.png").write_bytes(b"cut short")  # by its name it is for the test
    refused_here(*OWN, f"dataset.root={tmp_path}/pictures", error=DataError, match="dogs/5.png is not a readable")


def test_a_checkpoint_that_does_not_fit_is_refused_before_its_stages(refused_here, tmp_path):
    from maxexp.network.graph import build_network
    from maxexp.network.module import NetworkModule
    from maxexp.quantization.files.checkpoint import write_module

    wide = ["model=nascifarnet", "model.width=2", "dataset=cifar10"]
    config = composed(*wide)
    write_module(tmp_path / "w.pth.tar", NetworkModule(build_network(config.model, (3, 32, 32))), 0, {})
    stages = ["stages=[quantize,evaluate]", "quantization=ptq", f"dataset.root={tmp_path}/nowhere"]
    refused_here(*wide, *stages, f"checkpoint={tmp_path}/w.pth.tar", error=DeviceError, match="over the 442,368")


MEASURED = ["quantization=ptq", "quantization.sensitivity=true"]


ON_BOARD = ["synthesis=ai8x", "board=emulated", "stages=[synthesize,deploy]"]


ZOO_TEACHER = "recipe.distillation.checkpoint=zoo:cifar10_teacher"


@pytest.mark.parametrize(
    ("overrides", "error", "match"),
    [
        (["checkpoint={qat}", "model=cmsisnnet", "dataset=cifar10"], CheckpointError, "not of the network cmsisnnet"),
        (["checkpoint=nowhere.pth.tar"], CheckpointError, "no such file"),
        (["checkpoint={float}", "stages=[quantize,evaluate]"], ConfigError, "quantization=ptq"),
        (["checkpoint={integer}"], ConfigError, "cannot be trained"),
        (["checkpoint={integer}", "stages=[evaluate]", "quantization=float"], ConfigError, "quantized network"),
        (["checkpoint={qat}", "stages=[train]", "quantization=float"], ConfigError, "quantization=qat"),
        (["checkpoint={qat}", "stages=[train]", "quantization=ptq"], ConfigError, "quantization=qat"),
        (["checkpoint={garbage}"], CheckpointError, "not a readable checkpoint"),
        (["stages=[evaluate]"], ConfigError, "checkpoint=PATH"),
        (["quantization=ptq", "stages=[train,synthesize]", SHORT], ConfigError, "stage quantize; add it"),
        (["checkpoint={qat}", "stages=[evaluate]", "quantization.weight_bits=2"], ConfigError, "2 bits.*with 8"),
        (["checkpoint={integer}", "stages=[evaluate]", "quantization.layer_bits={first:4}"], ConfigError, "4 bits"),
        (["quantization=ptq", "quantization.sensitivity=true", "quantization.weight_budget=9"], ConfigError, "1 bit"),
        ([*MEASURED, "checkpoint={qat}", "stages=[quantize]"], ConfigError, "on a floating-point network"),
        ([*MEASURED, "checkpoint={float}", "stages=[evaluate]"], ConfigError, "by the stage quantize"),
        (["checkpoint={qat}", "stages=[train]", "quantization.start_epoch=1"], ConfigError, "quantized already"),
        ([*ON_BOARD, "checkpoint={float}"], ConfigError, "the chip cannot run; add quantize"),
        (["recipe=distill", "augmentation.normalize=null"], ConfigError, "normalize=null.*recipe=sgd"),
        (["recipe=distill", ZOO_TEACHER], ConfigError, r"recipe\.distillation\.model\.layers\."),
    ],
)
def test_impossible_combinations_leave_no_run(overrides, error, match, quickstart, store, refused_here, tmp_path):
    files = {
        "qat": store.artifact(quickstart, "checkpoints/qat_best.pth.tar"),
        "float": store.artifact(quickstart, "checkpoints/float_best.pth.tar"),
        "integer": store.artifact(quickstart, "quantization/digitsnet-q.pth.tar"),
        "garbage": tmp_path / "garbage.pth.tar",
    }
    files["garbage"].write_bytes(b"no checkpoint at all")
    filled = [re.sub(r"{(\w+)}", lambda found: str(files[found[1]]), override) for override in overrides]
    refused_here(*filled, error=error, match=match)


def test_a_last_map_of_several_pixels_is_named():
    """Its outputs were once said not to follow the data set, which they did."""
    large = ("model=simplenet", "dataset=images", "dataset.num_classes=2", "dataset.height=64", "dataset.width=64")
    with pytest.raises(ConfigError, match="classifier gives a map of 2x2 pixels for images of 64x64; pool more"):
        described_network(composed(*large))
