"""The class names of published data sets, known without their files; in the order of the labels."""

from maxexp.data.config import DatasetConfig, DatasetSource

_CIFAR10 = """
    airplane automobile bird cat deer dog frog horse ship truck
"""
_CIFAR100 = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
    elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
    man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
    pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
    skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
    tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""

_PUBLISHED = {
    DatasetSource.cifar10: tuple(_CIFAR10.split()),
    DatasetSource.cifar100: tuple(_CIFAR100.split()),
    DatasetSource.digits: tuple("0123456789"),
}


def published_names(config: DatasetConfig) -> tuple[str, ...]:
    """Returns the names of a published set's classes; none for the user's own data and for real targets."""
    return _PUBLISHED.get(config.source, ())
