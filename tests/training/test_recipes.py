"""Weight averaging and distillation."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from maxexp.base.errors import CheckpointError, ConfigError, TrackingError
from maxexp.data.store.arrays import TargetUnit
from maxexp.network.config import LayerConfig, NetworkConfig
from maxexp.network.graph import build_network
from maxexp.network.module import NetworkModule
from maxexp.quantization.files.checkpoint import write_integer, write_module
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.simulate.fake import quantize_module
from maxexp.run.checkpoints import locate_checkpoint
from maxexp.tasks.classification import Classification
from maxexp.training.answers import KeptAnswers, batch_key, open_answers
from maxexp.training.config import DistillationConfig, RecipeConfig
from maxexp.training.distillation import Distillation, Teacher, load_teacher, standardized
from maxexp.training.learner import Learner
from tests.answers import kept_answers

SHAPE = (3, 8, 8)
TEACHER = NetworkConfig("teacher", 1.0, {"fc": LayerConfig(op="linear", out_features=5, wide=True)})


def teacher(**values) -> Teacher:
    torch.manual_seed(0)
    return Teacher(NetworkModule(build_network(TEACHER, SHAPE)), config(**values), {})


def config(**values) -> DistillationConfig:
    return DistillationConfig(**({"checkpoint": "unused", "model": TEACHER} | values))


def mix(master: Teacher, loss, logits, inputs):
    return Distillation(master._config, [master]).mix(loss, logits, inputs)


def test_a_pupil_like_its_teacher_has_the_labels_loss_only():
    master = teacher(weight=0.25)
    inputs, labels = torch.randn(6, *SHAPE), torch.arange(6) % 5
    logits = master._module(inputs)
    loss = F.cross_entropy(logits, labels)
    torch.testing.assert_close(mix(master, loss, logits, inputs), 0.75 * loss)


def test_the_divergence_is_that_of_the_definition():
    """T^2 sum p log(p / q) over probabilities at temperature T, by hand for one image."""
    master = teacher(weight=1.0, temperature=2.0)
    inputs = torch.randn(1, *SHAPE)
    logits = torch.tensor([[0.5, -1.0, 0.0, 2.0, 1.0]])
    p = (master._module(inputs)[0].half().double() / 2).exp()
    q = (logits[0].double() / 2).exp()
    p, q = (p / p.sum()).tolist(), (q / q.sum()).tolist()
    wanted = 4 * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert mix(master, torch.tensor(9.0), logits, inputs).item() == pytest.approx(wanted, abs=1e-5)


def test_standardized_logits_are_learned_whatever_their_scale():
    """A pupil with half the teacher's logits, shifted, has nothing to learn; without standardization it has."""
    inputs, zero = torch.randn(6, *SHAPE), torch.tensor(0.0)
    for standardize, equal in ((True, True), (False, False)):
        master = teacher(weight=1.0, temperature=2.0, standardize=standardize)
        loss = mix(master, zero, 0.5 * master._module(inputs) + 3, inputs)
        assert (loss.item() == pytest.approx(0, abs=1e-5)) is equal


def test_the_divergence_of_standardized_logits_is_that_of_the_definition():
    """arXiv 2403.01427: z-scores by the sample deviation, at temperature T, times T^2; ten times for 9 to 0.9."""
    master = teacher(weight=0.9, temperature=2.0, standardize=True)
    inputs = torch.randn(1, *SHAPE)
    logits = [0.5, -1.0, 0.0, 2.0, 1.0]

    def probabilities(values):
        mean = sum(values) / 5
        deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / 4)
        powers = [math.exp((v - mean) / deviation / 2) for v in values]
        return [x / sum(powers) for x in powers]

    p = probabilities(master._module(inputs)[0].half().double().tolist())
    q = probabilities(logits)
    wanted = 0.1 * 7.0 + 9 * 4 * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert mix(master, torch.tensor(7.0), torch.tensor([logits]), inputs).item() == pytest.approx(wanted, abs=1e-4)


def test_equal_logits_standardize_to_zeros():
    assert standardized(torch.full((1, 5), 3.0)).tolist() == [[0.0] * 5]


def test_of_several_teachers_the_mean_is_learned():
    """As from one that answers the mean of their logits."""
    inputs, logits = torch.randn(4, *SHAPE), torch.randn(4, 5)
    first, second = teacher(), teacher()
    torch.nn.init.normal_(second._module.fc.weight)
    mean = teacher()
    mean.answer = lambda inputs: (first.answer(inputs) + second.answer(inputs)) / 2
    both = Distillation(config(), [first, second]).mix(torch.tensor(1.0), logits, inputs)
    torch.testing.assert_close(both, mix(mean, torch.tensor(1.0), logits, inputs), atol=2e-3, rtol=1e-3)
    assert not torch.allclose(both, mix(first, torch.tensor(1.0), logits, inputs), atol=0.1)


@pytest.mark.parametrize(("views", "asked"), [(2, 2), (None, 6)])
def test_answers_to_images_seen_before_are_remembered_where_there_are_views(views, asked):
    master = teacher(views=views)
    calls = []
    master._module.register_forward_hook(lambda *_: calls.append(1))
    batches, logits = torch.randn(2, 4, *SHAPE), torch.randn(4, 5)
    losses = [mix(master, torch.tensor(0.0), logits, batches[epoch % 2]).item() for epoch in range(6)]
    assert len(calls) == asked
    assert len({round(loss, 2) for loss in losses}) == 2


def test_a_mirroring_teacher_answers_the_same_to_an_image_and_its_mirror_image():
    """And what it answers is the mean of what it says to either when it does not mirror."""
    inputs = torch.randn(4, *SHAPE)
    plain, mirroring = teacher(), teacher(mirror=True)
    wanted = (plain.answer(inputs) + plain.answer(inputs.flip(3))) / 2
    torch.testing.assert_close(mirroring.answer(inputs), wanted, atol=2e-3, rtol=0)
    torch.testing.assert_close(mirroring.answer(inputs.flip(3)), wanted, atol=2e-3, rtol=0)
    assert not torch.allclose(plain.answer(inputs), wanted, atol=0.1)


def test_answers_of_a_mirroring_teacher_are_kept_apart(tmp_path):
    """The same images and the same network: only the question differs."""
    path = tmp_path / "float.pth.tar"
    write_module(path, NetworkModule(build_network(TEACHER, SHAPE)), 0, {})
    inputs = torch.randn(4, *SHAPE)
    plain = load_teacher(config(), path, SHAPE, 5, tmp_path).answer(inputs)
    mirrored = load_teacher(config(mirror=True), path, SHAPE, 5, tmp_path).answer(inputs)
    assert not torch.allclose(plain, mirrored, atol=0.1)


def test_another_process_knows_what_a_teacher_answered(tmp_path):
    """The second has no network to ask, only the file."""
    inputs, logits = torch.randn(4, *SHAPE), torch.randn(4, 5)
    checkpoint = tmp_path / "teacher.pth.tar"
    checkpoint.write_bytes(b"weights")
    first = teacher()
    first._answers = open_answers(tmp_path, checkpoint, 5)
    loss = mix(first, torch.tensor(0.0), logits, inputs)
    second = teacher()
    second._answers = open_answers(tmp_path, checkpoint, 5)
    second._module = None
    assert mix(second, torch.tensor(0.0), logits, inputs) == loss
    with pytest.raises(TypeError):
        mix(second, torch.tensor(0.0), logits, inputs + 0.5)
    checkpoint.write_bytes(b"other weights")
    assert open_answers(tmp_path, checkpoint, 5).get(batch_key(inputs)) is None


def test_answers_take_no_more_of_the_disk_than_the_limit(tmp_path):
    path = tmp_path / "answers.db"
    answers = KeptAnswers(path, 5)
    for number in range(10):
        answers[bytes([number])] = torch.full((4, 5), float(number))
    KeptAnswers(path, 5, limit=400)
    assert len(kept_answers(path)) == 10
    newer = KeptAnswers(path, 5, limit=399)
    assert [newer.get(key)[0, 0].item() for key in kept_answers(path)] == [5, 6, 7, 8, 9]


def test_one_training_adds_no_more_answers_than_the_limit(tmp_path):
    answers = KeptAnswers(tmp_path / "answers.db", 5, limit=100)
    for number in range(3):
        answers[bytes([number])] = torch.full((4, 5), float(number))  # 40 bytes
    assert kept_answers(tmp_path / "answers.db") == [b"\0", b"\1"]


def test_a_disk_that_fills_up_ends_no_training(tmp_path, caplog):
    master = teacher()
    master._answers = KeptAnswers(tmp_path / "answers.db", 5)
    master._answers._file.execute("PRAGMA max_page_count = 1")  # as SQLite sees a full disk
    inputs, logits = torch.randn(400, *SHAPE), torch.randn(400, 5)
    losses = {mix(master, torch.tensor(0.0), logits, inputs).item() for _ in range(2)}
    master._answers._file.close()
    losses.add(mix(master, torch.tensor(0.0), logits, inputs).item())
    assert len(losses) == 1
    assert caplog.text.count("computed again") == 1


def test_a_folder_that_cannot_be_written_costs_no_run(tmp_path, caplog):
    checkpoint = tmp_path / "teacher.pth.tar"
    checkpoint.write_bytes(b"weights")
    answers = open_answers(checkpoint / "below a file", checkpoint, 5)
    answers[b"key"] = torch.zeros(4, 5)
    assert len(answers) == 1
    assert "not kept" in caplog.text


def test_a_teacher_must_fit_the_data_and_be_floating_point(tmp_path):
    module = NetworkModule(build_network(TEACHER, SHAPE))
    path = tmp_path / "float.pth.tar"
    write_module(path, module, 0, {})
    load_teacher(config(), path, SHAPE, 5, tmp_path)
    with pytest.raises(ConfigError, match="5 outputs, the data set 10 classes"):
        load_teacher(config(), path, SHAPE, 10, tmp_path)
    quantize_module(module, {"fc": 8})
    write_integer(path, to_integer(module), 0, {})
    with pytest.raises(ConfigError, match="quantized"):
        load_teacher(config(), path, SHAPE, 5, tmp_path)


@pytest.mark.parametrize(
    "values, key",
    [
        ({"weight": 0.0}, "weight"),
        ({"temperature": 0.0}, "temperature"),
        ({"views": 0}, "views"),
        ({"checkpoint": []}, "checkpoint"),
        ({"checkpoint": ["zoo:cifar10_teacher", 2]}, "checkpoint"),
        ({"checkpoint": None}, "checkpoint"),
    ],
)
def test_impossible_distillation_names_its_key(values, key):
    with pytest.raises(ConfigError, match=rf"recipe\.distillation\.{key}="):
        config(**values)


def averaged(decay: float, steps: int) -> tuple[Learner, float]:
    """A learner whose weights have been 0, 1, 2 ... after each step, and the average that it keeps of them."""
    module = NetworkModule(build_network(TEACHER, SHAPE))
    learner = Learner(module, Classification(), TargetUnit(), RecipeConfig(weight_averaging=decay), "float", 0, 1)
    for step in range(steps):
        torch.nn.init.constant_(module.fc.weight, float(step))
        learner.on_train_batch_end()
    return learner, float(learner.result.fc.weight.detach().mean())


def test_the_average_is_the_moving_average_of_the_weights():
    learner, found = averaged(0.9, 200)
    wanted = 199 - 0.9 / (1 - 0.9)  # where the average of a straight line settles
    assert found == pytest.approx(wanted, abs=1e-3)
    assert learner.result is not learner.network
    assert learner.result.fc.weight.data_ptr() != learner.network.fc.weight.data_ptr()


def test_the_average_of_few_steps_is_not_that_of_the_first_one():
    """At a constant decay of 0.998 it would stand at 4.7 of 99, and a network of 100 steps would be worth nothing."""
    assert averaged(0.998, 100)[1] > 80


def test_without_averaging_the_network_itself_is_kept():
    module = NetworkModule(build_network(TEACHER, SHAPE))
    assert Learner(module, Classification(), TargetUnit(), RecipeConfig(), "float", 0, 1).result is module


class Run:
    """A run of a store in a folder."""

    status = "FINISHED"

    def __init__(self, folder: Path, run_id: str, kept: list[str], method: str) -> None:
        self.run_id, self.params = run_id, {"quantization.method": method}
        self._folder, self._kept = folder / run_id, kept

    def artifacts(self, folder: str) -> list[str]:
        return [path for path in self._kept if path.startswith(f"{folder}/")]

    def artifact(self, path: str) -> Path:
        if path not in self._kept:
            raise TrackingError("no such artifact")
        return self._folder / path


@pytest.mark.parametrize(
    ("method", "kept", "found"),
    [
        ("qat", ["float_best", "qat_best"], "qat_best"),
        ("ptq", ["float_best"], "float_best"),
        ("float", ["float_best"], "float_best"),
    ],
)
def test_a_run_stands_for_the_network_of_its_last_phase(method, kept, found, tmp_path):
    files = [f"checkpoints/{name}.pth.tar" for name in kept]

    def read(run_id: str) -> Run:
        return Run(tmp_path, run_id, [*files, "x/y.pth.tar"], method)

    assert locate_checkpoint("run:abc", read) == tmp_path / f"abc/checkpoints/{found}.pth.tar"
    assert locate_checkpoint("run:abc/x/y.pth.tar", read) == tmp_path / "abc/x/y.pth.tar"


@pytest.mark.parametrize(("to_run", "found"), [(True, "quantization/net-q"), (False, "checkpoints/float_best")])
def test_a_run_that_quantized_after_training_stands_for_integers_where_they_are_to_run(to_run, found, tmp_path):
    files = [f"{name}.pth.tar" for name in ("checkpoints/float_best", "quantization/net-q")]
    run = Run(tmp_path, "abc", files, "ptq")
    assert locate_checkpoint("run:abc", lambda _: run, to_run) == tmp_path / f"abc/{found}.pth.tar"


@pytest.mark.parametrize(
    ("kept", "method", "message"),
    [
        ([], "qat", "no trained network; it is FINISHED"),
        (["checkpoints/float_best.pth.tar"], "qat", "phase has not ended; resume=abc .*abc/checkpoints/float_best"),
    ],
)
def test_a_run_without_its_last_phase_stands_for_no_network(kept, method, message, tmp_path):
    with pytest.raises(CheckpointError, match=message):
        locate_checkpoint("run:abc", lambda run_id: Run(tmp_path, run_id, kept, method))


def test_a_store_that_fails_gives_no_other_network(tmp_path):
    """What could not be fetched was once taken for what there is not, and the phase before for the network."""

    class Hiccup(Run):
        def artifact(self, path: str) -> Path:
            if "qat" in path:
                raise TrackingError("timed out")
            return super().artifact(path)

    kept = ["checkpoints/float_best.pth.tar", "checkpoints/qat_best.pth.tar"]
    with pytest.raises(TrackingError, match="timed out"):
        locate_checkpoint("run:abc", lambda run_id: Hiccup(tmp_path, run_id, kept, "qat"))


def test_other_references_to_checkpoints():
    assert str(locate_checkpoint("some/file.pth.tar", None)) == "some/file.pth.tar"
    with pytest.raises(CheckpointError, match="zoo:unicorn: no such network; there are: "):
        locate_checkpoint("zoo:unicorn", None)
