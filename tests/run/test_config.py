"""Configurations: every file composes, and what is wrong is said in one line."""

from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from maxexp.base.errors import ConfigError
from maxexp.base.languages.override import override_value
from maxexp.chip.check import check_fit
from maxexp.cli.run import conf_dir
from maxexp.network.graph import build_network
from maxexp.run.composition import compose_config, translate_composition_errors
from maxexp.run.config import register_schema, to_config, to_yaml
from maxexp.run.explain import explain
from maxexp.run.spec import describe
from maxexp.run.stages.plan import refusals
from maxexp.schema.config import Config, to_plain
from maxexp.training.config import SmallImagesConfig
from tests.conftest import composed

register_schema()
CONF = Path(conf_dir())
OTHERS = ("experiment", "sweep", "sampler", "launcher")  # presets, and what belongs to Hydra's sweeper
GROUPS = [path for path in sorted(CONF.glob("*/*.yaml")) if path.parent.name not in OTHERS]
EXPERIMENTS = sorted(path.stem for path in CONF.glob("experiment/*.yaml"))


def message(*overrides: str) -> str:
    """What the user reads about a wrong command line."""
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        try:
            to_config(compose("config", overrides=list(overrides)))
        except ConfigError as error:
            return str(error)
        except Exception as error:
            return explain(error, Config)
    raise AssertionError("accepted")


@pytest.mark.parametrize("path", GROUPS, ids=lambda p: f"{p.parent.name}={p.stem}")
def test_each_choice_composes_and_has_the_values_of_its_file(path):
    group, option = path.parent.name, path.stem
    needed = {
        "images": ["dataset.num_classes=7", "model.layers.fc.out_features=7"],
        "arrays": ["dataset.channels=3", "dataset.num_classes=7"],
        "signals": ["dataset.channels=3", "dataset.height=8", "dataset.num_classes=7"],
    }
    values = to_plain(getattr(composed(f"{group}={option}", *needed.get(option, [])), group))
    for key, value in yaml.safe_load(path.read_text()).items():
        if isinstance(value, (int, float, str)) and "${" not in str(value) and value != "???":
            assert values[key] == value


@pytest.mark.parametrize("path", GROUPS, ids=lambda p: f"{p.parent.name}={p.stem}")
def test_each_file_names_every_key_of_its_schema(path):
    group = path.parent.name
    known = set(to_plain(getattr(composed(), group)))
    keys = set(yaml.safe_load(path.read_text()))
    # A choice that builds on another one says only what differs.
    assert keys - {"defaults"} < known if "defaults" in keys else keys == known


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_experiment_fits_the_chip(name):
    config = composed(f"+experiment={name}")
    network = build_network(config.model, config.dataset.shape)
    if config.model.name != "teacher":  # floating point only
        assert check_fit(network, config.quantization.bits(network), config.device.part).weight_bytes > 0
    assert config.tracking.experiment == config.dataset.name


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_experiment_can_be_had_without_its_teacher(name):
    assert composed(f"+experiment={name}", "recipe=sgd").recipe.distillation is None


def test_what_is_null_in_a_recipe_can_be_set_in_part():
    assert composed("recipe.small_images.share=0.5").recipe.small_images == SmallImagesConfig(2, 0.5)


def test_there_is_an_experiment_for_each_cell_of_the_deck():
    cells = {"cifar10_cmsisnnet_qat", "cifar10_simplenet_qat", "cifar10_qat", "cifar100_qat"}
    assert cells | {"cifar10_float", "cifar10_ptq", "quickstart"} <= set(EXPERIMENTS)


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("trainer.max_epoch=3", ["trainer.max_epoch", "no such key", "max_epochs"]),
        ("+trainer.max_epoch=3", ["trainer.max_epoch", "no such key", "max_epochs"]),
        ("+modle.width=2", ["modle", "no such key", "model"]),
        ("trainer.max_epochs=abc", ["trainer.max_epochs", "abc", "Integer"]),
        ("trainer.max_epochs=0", ["trainer.max_epochs=0", "at least 1"]),
        ("model.layers.conv9.out_channels=48", ["conv9: no such layer", "conv1, conv2, fc;", "conv9.op"]),
        ("stages=train", ["stages: a list", "stages=[VALUE"]),
        ("model=cmsisnet", ["model=cmsisnet: no such choice; there are autoencoder, cmsisnnet, digitsnet"]),
        ("+model=cmsisnnet", ["model is chosen twice", "write model=cmsisnnet without +"]),
        ("experiment=cifar10_qat", ["write +experiment=cifar10_qat"]),
        ("quickstart", ["quickstart: not of the form KEY=VALUE", "+experiment="]),
        ("dataset.root=", ["dataset.root", "null"]),
        ("seed.x=1", ["seed.x: no such key", "seed=VALUE"]),
        ("checkpoint.path=x.pth.tar", ["checkpoint.path: no such key", "checkpoint=VALUE"]),
        ("resume.id=1", ["resume.id: no such key", "resume=VALUE"]),
        ("stages.train=false", ["'train': a list has no such key", "stages=[train"]),
        ("seed=x", ["seed", "Integer"]),
        ("seed=-1", ["seed=-1", "negative"]),
        ("stages=[trian]", ["stages", "trian", "train, quantize"]),
        ("stages=[]", ["stages=[]", "train"]),
        ("model=resnet", ["model", "nascifarnet"]),
        ("model.width=0", ["model.width=0", "above 0"]),
        ("model.layers.conv1.kernelsize=3", ["model.layers.conv1.kernelsize", "kernel_size"]),
        ("model.layers.conv1.op=conv7", ["model.layers.conv1.op", "conv7", "conv2d"]),
        ("model.layers.conv1=3", ["model.layers.conv1", "LayerConfig"]),
        ("quantization.weight_bits=3", ["quantization.weight_bits=3", "1, 2, 4 or 8"]),
        ("quantization.layer_bits={conv1:5}", ["quantization.layer_bits.conv1=5", "1, 2, 4 or 8"]),
        ("quantization.sensitivity=true", ["quantization.sensitivity=true", "quantization=ptq"]),
        ("quantization.weight_budget=0", ["quantization.weight_budget=0", "at least 1"]),
        ("quantization.method=qta", ["quantization.method", "ptq, qat"]),
        ("recipe.learning_rate=0", ["recipe.learning_rate=0", "above 0"]),
        ("recipe.schedule=cosinus", ["recipe.schedule", "cosine"]),
        ("recipe.small_images={divisor:1}", ["recipe.small_images.divisor=1", "at least 2"]),
        ("recipe.small_images.size=2", ["recipe.small_images.size", "no such key", "divisor, share"]),
        ("recipe.learning_rat=1", ["recipe.learning_rat", "no such key", "learning_rate"]),
        ("trainer.accelerator=tpu", ["trainer.accelerator=tpu", "cpu"]),
        ("augmentation.rotate=null", ["augmentation.rotate", "rotation"]),
        ("augmentation.rotation.degree=5", ["augmentation.rotation.degree", "degrees"]),
        ("model.layers.conv1.out_channel=3", ["model.layers.conv1.out_channel", "out_channels"]),
        ("model.with=2", ["model.with", "width"]),
        ("checkpoint=", ["checkpoint= is empty"]),
        ("resume=", ["resume= is empty"]),
        ("device.clock_mhz=200", ["device.clock_mhz=200", "50"]),
        ("augmentation.rotation=5", ["augmentation.rotation", "Rotation"]),
        ("augmentation.normalize.mapping=x", ["augmentation.normalize.mapping", "p128, ai8x"]),
        ("dataset=images", ["dataset.num_classes", "dataset.num_classes=..."]),
        ("dataset.validation_images=0", ["dataset.validation_images=0"]),
        ("device.clock_mhz=-5", ["device.clock_mhz=-5", "above 0"]),
        ("experiment=quickstart", ["experiment", "+experiment=quickstart"]),
        ("dataset.name=a=b", ["dataset.name=a=b"]),
        ("board.connection.port=COM3", ["board.connection", "board=max78000fthr"]),
        ("board.images=-1", ["board.images=-1", "null"]),
        ("board=arduino", ["board", "max78000fthr"]),
    ],
)
def test_a_wrong_override_is_explained_in_one_line(override, parts):
    text = message(override)
    assert "\n" not in text
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("board.connection.flash=jtag", ["board.connection.flash", "openocd, daplink, command"]),
        ("board.connection.flash=command", ["board.connection.command="]),
        ("board.connection.port_ids=[d28:204]", ["d28:204", "0d28:0204"]),
        ("board.connection.timeout_s=0", ["timeout_s=0", "above 0"]),
        ("board.connection=null", ["board=max78000fthr needs it"]),
    ],
)
def test_a_wrong_connection_is_explained_in_one_line(override, parts):
    text = message("board=max78000fthr", override)
    assert "\n" not in text
    for part in parts:
        assert part in text


def test_errors_of_omegaconf_are_explained_and_no_others():
    """Anybody else's are defects, which keep their traceback."""
    with pytest.raises(ConfigError, match="a list has no such key"):
        compose_config(["stages.train=false"])
    with pytest.raises(ValueError, match="invalid literal"), translate_composition_errors():
        int("train")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("name: mine\nlayers: {conv1: {op: conv2d}\n", ["mine.yaml, line 3, column 1: expected ',' or '}'"]),
        ("name: mine\nlayers:\n\tconv1: 3\n", ["mine.yaml, line 3, column 1: found character '\\t'"]),
        ("name: mine\nname: yours\n", ["mine.yaml, line 2, column 1: found duplicate key name"]),
        ("name: \a\n", ["unacceptable character", "mine.yaml"]),
    ],
)
def test_a_file_that_is_no_yaml_is_named_with_the_place_in_it(tmp_path, text, parts):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        compose_config(["model=mine"], [str(tmp_path)])
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("hydra.sweeper.trial", ["there are", " trials, workers, ", "grace_s"]),
        ("hydra.sweeper.final.most", ["to add one write +hydra.sweeper.final.most="]),
    ],
)
def test_a_wrong_key_of_the_sweep_is_answered_with_those_that_there_are(key, parts):
    with pytest.raises(ConfigError, match=f"^{key}: no such key; ") as caught:
        compose_config(["+sweep=smoke", f"{key}=1"])
    assert "model, dataset" not in str(caught.value) and "_target_" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["plain", "my models (new)", "a,b=c", "it's"])
def test_folders_may_have_any_name(tmp_path, name):
    folder = tmp_path / name
    (folder / "experiment").mkdir(parents=True)
    (folder / "experiment" / "mine.yaml").write_text("# @package _global_\nseed: 7\n")
    uri = f"sqlite:///{folder}/mlflow.db"
    config = compose_config(["+experiment=mine", f"tracking.uri={override_value(uri)}"], [str(folder)])
    assert (config.seed, config.tracking.uri) == (7, uri)


def test_layer_bits_must_name_layers():
    config = composed("quantization.layer_bits={conv9: 4}")
    with pytest.raises(ConfigError, match=r"layer_bits\.conv9.*conv1, conv2, fc"):
        config.quantization.bits(build_network(config.model, config.dataset.shape))


def test_first_and_last_stand_for_the_outermost_layers():
    config = composed("model=nascifarnet", "dataset=cifar10", "quantization=mixed")
    bits = config.quantization.bits(build_network(config.model, config.dataset.shape))
    assert {name: b for name, b in bits.items() if b == 8} == {"conv1_1": 8, "fc": 8}
    assert set(bits.values()) == {4, 8}


@pytest.mark.parametrize(("epochs", "start", "expected"), [(2, None, 1), (100, None, 85), (1, None, 0), (10, 3, 3)])
def test_epochs_before_quantization(epochs, start, expected):
    config = composed(
        f"trainer.max_epochs={epochs}", f"quantization.start_epoch={'null' if start is None else start}"
    )
    assert config.quantization.float_epochs(epochs) == expected


def test_a_start_epoch_that_never_comes_is_refused():
    with pytest.raises(ConfigError, match=r"start_epoch=5.*max_epochs=5"):
        composed("quantization.start_epoch=5").quantization.float_epochs(5)


@pytest.mark.parametrize("removed", ["random_crop", "horizontal_flip", "rotation", "color_jitter", "gaussian_noise"])
def test_each_augmentation_can_be_removed_alone(removed):
    whole, rest = (
        {key for key, value in to_plain(composed("augmentation=deck", *more).augmentation).items() if value is None}
        for more in ((), (f"augmentation.{removed}=null",))
    )
    assert rest - whole == {removed} and whole <= rest


@pytest.mark.parametrize("override", ["augmentation.rotation={degrees:7}", "augmentation.rotation.degrees=7"])
def test_an_augmentation_can_be_added_alone(override):
    assert composed(override).augmentation.rotation.degrees == 7


def test_a_layer_can_be_added_and_removed():
    layers = composed("~model.layers.conv2", "model.layers.last={op: linear, out_features: 10}").model.layers
    assert list(layers) == ["conv1", "fc", "last"]
    assert layers["last"].out_features == 10


def test_a_key_of_a_layer_can_be_set_whether_its_file_names_it_or_not():
    assert composed("model.layers.conv1.padding=0").model.layers["conv1"].padding == 0


def test_the_start_of_quantization_matters_only_where_something_is_trained():
    assert refusals(describe(composed("quantization.start_epoch=30", "stages=[synthesize]"))) == []
    (told,) = refusals(describe(composed("quantization.start_epoch=30")))
    assert "start_epoch=30: quantization-aware training would never begin" in told


def test_the_recorded_yaml_repeats_the_configuration():
    config = composed("+experiment=cifar100_qat", "augmentation=deck", "quantization=mixed", "seed=7")
    assert to_config(yaml_to_omegaconf(to_yaml(config))) == config


def yaml_to_omegaconf(text: str):
    from omegaconf import OmegaConf

    return OmegaConf.create(text)
