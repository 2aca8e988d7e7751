"""Searches over configurations that know the hardware: trials of an Optuna study, each a run of its own."""
