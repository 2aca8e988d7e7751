"""Descriptions that synthesizers are tested with: sums and copies, the smallest networks, networks at limits."""

RANDOM = 50
"""Random networks that must pass."""

RESIDUAL = {
    "stem": {"out_channels": 20},
    "conv": {"out_channels": 20},
    "sum": {"out_channels": 44, "inputs": ["stem", "conv"], "eltwise": "add", "pool": "max"},
    "conv2": {"out_channels": 44},
    "conv3": {"out_channels": 44},
    "bare": {"op": "passthrough", "inputs": ["conv3", "sum", "conv2"], "eltwise": "add"},
    "pool": {"op": "passthrough", "pool": "avg", "pool_size": 4},
    "fc": {"op": "linear", "out_features": 10, "wide": True},
}

BOTH, PASSES = {"inputs": ["stem", "conv"], "eltwise": "add"}, {"inputs": ["long", "short"], "eltwise": "add"}
SHARED = {
    "stem": {"out_channels": 20},
    "conv": {"out_channels": 20},
    "long": {"out_channels": 96, "pool": "max", **BOTH},
    "short": {"out_channels": 96, "kernel_size": 1, "pool": "max", **BOTH},
    "conv2": {"out_channels": 96, **PASSES},
    "bare": {"op": "passthrough", **PASSES},
    "pool": {"op": "passthrough", "inputs": ["bare", "conv2"], "eltwise": "add", "pool": "avg", "pool_size": 8},
    "fc": {"op": "linear", "out_features": 10, "wide": True},
}

TINY = {
    "one pixel row": ({"a": {"out_channels": 2, "kernel_size": 1}}, (1, 1, 3)),
    "one number": ({"a": {"out_channels": 1, "kernel_size": 1, "wide": True}}, (1, 1, 1)),
    "one output of a row": ({"a": {"out_channels": 2}, "b": {"op": "linear", "out_features": 1}}, (1, 1, 3)),
    "one output of rows": (
        {"a": {"out_channels": 8}, "b": {"op": "linear", "out_features": 1, "wide": True}},
        (1, 10, 3),
    ),
    "one output of passes": (
        {"a": {"out_channels": 72}, "b": {"op": "linear", "out_features": 1, "wide": True}},
        (3, 5, 4),
    ),
}

RESHAPED = {
    "wave": {"op": "conv1d", "out_channels": 20, "kernel_size": 3},
    "echo": {"op": "conv1d", "out_channels": 20, "kernel_size": 1},
    "sum": {"op": "passthrough", "inputs": ["wave", "echo"], "eltwise": "add"},
    "map": {"out_channels": 70, "in_size": [16, 8]},
    "wide": {"out_channels": 70, "pool": "max", "pool_size": [2, 3], "pool_stride": 1},
    "line": {"op": "conv1d", "out_channels": 12, "kernel_size": 5, "in_size": [90, 1], "pool": "avg"},
    "grid": {"out_channels": 12, "in_size": [9, 5], "pool": "max", "pool_size": [3, 2], "pool_stride": 2},
    "fc": {"op": "linear", "out_features": 5, "wide": True},
}
"""Signals as maps and back, with several passes, sums and windows that are no squares."""

OPERAND = {"out_channels": 576, "kernel_size": 1, "bias": False, "inputs": ["input"]}
AT_LIMITS = {
    "words to flatten": ({"a": {"op": "linear", "out_features": 3, "wide": True}}, (128, 8, 16)),
    "words from pixel to pixel": (
        {
            "a": OPERAND,
            "b": OPERAND,
            "sum": {"op": "passthrough", "inputs": ["a", "b"], "eltwise": "add"},
            "end": {"out_channels": 4, "kernel_size": 1},
        },
        (4, 2, 2),
    ),
}

LAYERS = {
    "residual": (RESIDUAL, (3, 16, 16)),
    "shared": (SHARED, (3, 16, 16)),
    "reshaped": (RESHAPED, (3, 128, 1)),
    **TINY,
    **AT_LIMITS,
}
"""Layers and input of the networks above."""
SIGNALS = ("kws20", "kws20_v2", "kws20_v3", "kws20_nas", "autoencoder", "tcresnet8")
"""Networks for signals: the maker's, and one of ours."""
PRESETS = {
    "nascifarnet": ("nascifarnet", "cifar10", "qat"),
    "nascifarnet, 100 classes": ("nascifarnet", "cifar100", "qat"),
    "simplenet": ("simplenet", "cifar10", "qat"),
    "cmsisnnet": ("cmsisnnet", "cifar10", "qat"),
    "simplenet, mixed bits": ("simplenet", "cifar100", "mixed"),
    "resnet20": ("resnet20", "cifar100", "qat"),
    "wrn16_2, mixed bits": ("wrn16_2", "cifar100", "mixed"),
    "digitsnet": ("digitsnet", "digits", "qat"),
}
"""Model, data set and quantization: those of the deck, and the largest residual ones."""
