"""The report of each task."""

from maxexp.report.task_reports.base import TaskReport
from maxexp.report.task_reports.classification import ClassificationReport
from maxexp.report.task_reports.regression import RegressionReport
from maxexp.tasks.config import TaskConfig, TaskName

REPORTS: dict[TaskName, TaskReport] = {
    TaskName.classification: ClassificationReport(),
    TaskName.regression: RegressionReport(),
}


def report_of(config: TaskConfig) -> TaskReport:
    """The report of a configuration's task."""
    return REPORTS[config.name]
