"""Image data sets held in memory as uint8, augmented in whole batches, served to Lightning.

From a configuration to the numbers a network reads:

    config ─▶ sources (cifar, parquet, folders, digits) ─▶ cache ─▶ dataset ─▶ loader ─▶ module
                                                                      augmentation ─▶ pixels
"""
