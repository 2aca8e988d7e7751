"""What a user's own images are, wherever they lie: by it runs on other images are told from runs on the same."""

from maxexp.data.config import FIXED_CONTENT
from maxexp.run.stages.plan import read_parts
from maxexp.schema.config import Config


def digests_of_own_images(config: Config) -> dict[str, str]:
    """Returns SHA-256 of each part of the data that a run looks at, under the name that its record has for it.

    Empty for published data sets, which are the same everywhere.

    Raises:
        ConfigError: the validation images leave none to train on.
        DataError: the images are missing or corrupt.
    """
    if config.dataset.source in FIXED_CONTENT:
        return {}
    # Not before it is needed: torch takes longer to load than all else that plans runs.
    from maxexp.data.run_data import RunData

    data = RunData(config.dataset, config.augmentation, config.trainer.batch_size, config.seed)
    for part in read_parts(config.stages):
        getattr(data, part)
    return {f"{config.dataset.name}-{part}": digest for part, digest in data.digests().items()}
