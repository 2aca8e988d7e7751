"""What runs of a task are judged by."""

from maxexp.tasks.config import TaskName
from maxexp.tasks.metrics import SELECTING, refusal, selecting_score
from maxexp.tasks.registry import TASKS


def test_every_task_has_scores_and_a_class_with_the_same():
    assert set(SELECTING) == {name.name for name in TaskName} == {name.name for name in TASKS}
    for name, task in TASKS.items():
        assert task.name == name.name and task.selects is SELECTING[name.name]


def test_a_run_of_before_there_were_tasks_was_a_classification():
    assert selecting_score({}).name == "accuracy"
    assert selecting_score({"task.name": "regression"}).name == "mse"


def test_metrics_of_another_task_are_refused_with_those_that_there_are():
    assert refusal("val/best_accuracy", "classification") is None
    assert refusal("hw/latency_us", "regression") is None
    message = refusal("val/best_accuracy", "regression")
    assert message is not None and "task=regression has none; it has val/best_mse" in message
