"""Networks of the zoo: how they get there, and that they are what their cards say."""

import shlex
from types import SimpleNamespace

import pytest
import torch
import yaml

import maxexp.run.checkpoints as checkpoints
import maxexp.zoo.cards as zoo
from maxexp.base.errors import CheckpointError
from maxexp.base.folders import cache_folder
from maxexp.base.shipped import zoo_dir
from maxexp.chip.cost import network_cost
from maxexp.network.graph import build_network
from maxexp.quantization.files.checkpoint import read_checkpoint, to_integer_network
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store
from tests.answers import kept_answers
from tests.conftest import composed

CARDS = [p for p in sorted(zoo_dir().glob("*/card.yaml")) if "integer" in yaml.safe_load(p.read_text())["test"]]


def add(store, run, name, folder):
    """As the command does it."""
    opened = open_store(TrackingConfig(uri=store.uri))
    zoo.add(read_run(opened, run.info.run_id), name, folder, opened)


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory):
    overrides = ("trainer.max_epochs=3", "model.layers.conv1.out_channels=8", "seed=7", "tracking.run_name=x")
    return store.trained(tmp_path_factory.mktemp("run"), *overrides)


@pytest.fixture
def added(trained, store, tmp_path, monkeypatch):
    """A trained network that was put into a zoo of its own: its run, and the zoo's folder."""
    monkeypatch.setattr(checkpoints, "zoo_dir", lambda: tmp_path / "zoo")
    add(store, trained, "small", tmp_path / "zoo")
    return trained, tmp_path / "zoo"


def test_a_run_becomes_a_network_of_the_zoo_that_evaluates_to_the_same_count(added, run_here):
    run, folder = added
    card = yaml.safe_load((folder / "small/card.yaml").read_text())
    training = card["training"]
    assert training["run"] == card["run"] == run.info.run_id
    assert training["command"] == "python -m maxexp trainer.max_epochs=3 model.layers.conv1.out_channels=8 seed=7"
    assert training["threads"] == int(run.data.tags["train.threads"])
    assert training["seed"] == 7 and training["epochs"] == 3 and training["hours"] >= 0
    assert "model.layers.conv1.out_channels=8" in card["evaluate"] and "seed" not in card["evaluate"]
    integer = card["test"]["integer"]
    assert integer["correct"] == integer["accuracy"] * integer["images"]
    words = shlex.split(card["evaluate"])[3:]
    again = run_here(*words)
    assert again.data.metrics["test/accuracy_integer"] == run.data.metrics["test/accuracy_integer"]
    assert again.data.metrics["hw/cycles"] == card["hardware"]["cycles"]


def test_the_zoo_keeps_one_byte_per_weight_and_every_value(added, store):
    run, folder = added
    kept = read_checkpoint(folder / "small" / checkpoints.ZOO_FILE)
    (path,) = [p for p in store.artifacts(run, "quantization") if p.endswith("-q.pth.tar")]
    original = read_checkpoint(store.artifact(run, f"quantization/{path}"))
    assert kept.kind is original.kind and kept.arch == original.arch
    assert kept.state.keys() == original.state.keys()
    for key, value in original.state.items():
        assert torch.equal(kept.state[key].float(), value.float()), key
        assert not key.endswith(".op.weight") or kept.state[key].dtype is torch.int8


def test_the_table_lists_every_network(added):
    _, folder = added
    rows = zoo.table(folder).splitlines()
    assert len(rows) == 3 and rows[2].startswith("| [small](small/card.yaml) |")


def test_the_readme_of_a_zoo_gets_its_table(added):
    _, folder = added
    (folder / "README.md").write_text(f"What it is.\n\n{zoo.TABLE}\n| an older table |\n")
    zoo.write_table(folder)
    assert (folder / "README.md").read_text() == f"What it is.\n\n{zoo.TABLE}\n{zoo.table(folder)}"


def test_the_readme_of_our_zoo_shows_what_is_there():
    text = (zoo_dir() / "README.md").read_text()
    assert text.partition(f"{zoo.TABLE}\n")[2] == zoo.table(zoo_dir())


def test_a_teacher_is_kept_in_half_the_bytes_and_teaches(run_here, store, tmp_path, monkeypatch):
    monkeypatch.setenv("MAXEXP_CACHE", str(tmp_path / "cache"))
    run = run_here("trainer.max_epochs=1", "quantization=float", "stages=[train]")
    monkeypatch.setattr(checkpoints, "zoo_dir", lambda: tmp_path)
    add(store, run, "master", tmp_path)
    assert read_checkpoint(tmp_path / "master" / checkpoints.ZOO_FILE).state["fc.op.weight"].dtype is torch.float16
    assert "float16" in yaml.safe_load((tmp_path / "master/card.yaml").read_text())["note"]
    row = zoo.table(tmp_path).splitlines()[2]
    assert row.startswith("| [master](master/card.yaml) | - | - |")
    teaching = (
        "recipe=distill",
        "recipe.distillation.checkpoint=zoo:master",
        "model@recipe.distillation.model=digitsnet",
    )
    pupil = run_here(*teaching, "trainer.max_epochs=2", "stages=[train]")
    assert pupil.info.status == "FINISHED"
    # What it answered to the images of a seed, it need not answer to another network.
    (known,) = (cache_folder() / "teachers").rglob("*.db")
    answers = len(kept_answers(known))
    several = "recipe.distillation.checkpoint=[zoo:master,zoo:master]"
    for other, more in (("model.width=0.5", False), (several, False), ("seed=77", True)):
        run_here(*teaching, "trainer.max_epochs=2", "stages=[train]", other)
        assert (len(kept_answers(known)) > answers) == more


@pytest.mark.parametrize(
    ("teacher", "cause"), [("zoo:nobody", "no such network"), ("nobody.pth.tar", "no such file")]
)
def test_a_teacher_that_is_missing_is_named_with_what_to_do(run_here, teacher, cause):
    key = f"recipe.distillation.checkpoint={teacher}"
    with pytest.raises(CheckpointError, match=rf"{key}: .*{cause}.*; recipe=sgd learns from no teacher"):
        run_here("recipe=distill", key)


def test_a_network_quantized_after_training_says_which_run_trained_it(run_here, store, tmp_path):
    """Its weights are those of the floating-point phase: 3 of the 5 epochs."""
    trained = run_here("trainer.max_epochs=5", "quantization.start_epoch=3", "seed=4")
    checkpoint = f"checkpoint=run:{trained.info.run_id}/checkpoints/float_best.pth.tar"
    run = run_here("quantization=ptq", checkpoint, "stages=[quantize,evaluate,synthesize]", "seed=9")
    add(store, run, "ptq", tmp_path)
    card = yaml.safe_load((tmp_path / "ptq/card.yaml").read_text())
    training = card["training"]
    assert card["run"] == run.info.run_id and training["run"] == trained.info.run_id
    assert "quantization=ptq" in card["command"] and "start_epoch=3" in training["command"]
    assert (training["seed"], training["epochs"]) == (4, 3)
    accuracies = {step: value for step, value in store.curve(trained, "val/accuracy") if step < 3}
    best = max(accuracies, key=accuracies.get)
    assert training["chosen_epoch"] == best + 1
    assert training["validation_accuracy"] == pytest.approx(accuracies[best])


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"mlflow.source.git.commit": "a1", "git.dirty": "false"}, "a1"),
        ({"mlflow.source.git.commit": "a1", "git.dirty": "true"}, "a1 with uncommitted changes"),
        ({"mlflow.source.git.commit": "a1", "resumed.mlflow.source.git.commit": "a1"}, "a1"),
        ({"mlflow.source.git.commit": "a1", "resumed.mlflow.source.git.commit": "b2"}, "a1, resumed with b2"),
    ],
)
def test_a_card_names_the_code_that_made_the_network(tags, text):
    assert zoo.commit(SimpleNamespace(tags=tags)) == text


def test_an_unfinished_run_is_refused(run_here, store, tmp_path):
    run = run_here("stages=[synthesize]")
    with pytest.raises(CheckpointError, match="FINISHED and did not train its network"):
        add(store, run, "small", tmp_path)
    assert not (tmp_path / "small").exists()


def test_a_run_whose_integers_were_not_kept_is_refused(run_here, store, tmp_path):
    """Its floating-point phase would have got the accuracies of what came after it."""
    run = run_here("stages=[train,evaluate]", "trainer.max_epochs=2")
    with pytest.raises(CheckpointError, match="kept no integer network, which the stage quantize writes"):
        add(store, run, "small", tmp_path)


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a b"])
def test_a_name_that_leads_out_of_the_zoo_is_refused(name, tmp_path):
    with pytest.raises(CheckpointError, match="is no name for a network: use letters"):
        zoo.add(SimpleNamespace(), name, tmp_path / "zoo", SimpleNamespace())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_committed_networks_fit_and_cost_what_their_cards_say(path):
    card = yaml.safe_load(path.read_text())
    config = composed(*shlex.split(card["evaluate"])[3:])
    network = build_network(config.model, config.dataset.shape)
    integer = to_integer_network(read_checkpoint(path.parent / checkpoints.ZOO_FILE), network)
    cost = network_cost(network, integer.bits, config.device).metrics()
    assert {key: cost[f"hw/{key}"] for key in ("cycles", "macs", "weight_bytes")} == {
        key: card["hardware"][key] for key in ("cycles", "macs", "weight_bytes")
    }


@pytest.mark.slow
@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_committed_networks_are_as_good_as_their_cards_say(path, run_here, data_root):
    card = yaml.safe_load(path.read_text())
    run = run_here(*shlex.split(card["evaluate"])[3:], f"dataset.root={data_root}")
    assert round(run.data.metrics["test/accuracy_integer"] * 10_000) == card["test"]["integer"]["correct"]
