"""The tasks that there are."""

from maxexp.tasks.base import Task
from maxexp.tasks.classification import Classification
from maxexp.tasks.config import TaskConfig, TaskName
from maxexp.tasks.regression import Regression

TASKS: dict[TaskName, Task] = {
    TaskName.classification: Classification(),
    TaskName.regression: Regression(),
}


def task_of(config: TaskConfig) -> Task:
    """The task of a configuration."""
    return TASKS[config.name]
