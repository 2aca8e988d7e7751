"""The Python API; its public names are those of :mod:`maxexp`, which imports them when they are first used."""
