"""The commands. Whichever is called, its streams are opened before its libraries open files."""

from maxexp.base.streams import open_streams

open_streams()
