"""Addresses of servers and databases without the passwords and tokens in them, and where those stay meanwhile.

No file may hold a secret: an address leaves the command line as soon as it is read (:func:`keep`), and only who
connects puts its secret back (:func:`complete`). In between stands an environment variable, which child processes
inherit and no file has.
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

KEPT = "MAXEXP_KEPT_ADDRESSES"
"""Environment variable with whole addresses by what is left of them without their secrets, as JSON."""

_DATABASES = re.compile(r"(postgres|mysql|mariadb|mssql|oracle|sqlite)", re.IGNORECASE)
"""Schemes whose user names are no secrets: those of servers may be tokens."""
_HARMLESS = (
    *("sslmode", "ssl_mode", "timeout", "connect_timeout", "charset", "driver", "application_name", "mode", "uri"),
    *("user", "host", "port", "database", "dbname", "schema", "viewstatesharekey"),
)
"""Options of an address that are no secret; any other may be one."""

_FILES = re.compile(r"(sqlite|sqlite\+pysqlite|journal|file):(///|[^/])", re.IGNORECASE)
"""Begin of an address that is a path, in which every character is one of the path."""

# A password may hold any character, "@" and "/" too, and ends at the last "@". Of a server, what looks like a port is
# one: then an "@" behind it belongs to the path. Databases have no "@" in what follows.
_SERVER = re.compile(r"(?!\[[0-9a-fA-F:.]*\])(?:[^/?#:]*:(?!\d+(?:[/?#]|$)).*@|[^/?#]*@)", re.DOTALL)
_DATABASE = re.compile(r"(?P<user>[^/?#:]*):.*@", re.DOTALL)
_ADDRESS = re.compile(r"(?:[A-Za-z][\w+.-]*:|(?<![\w/.~-]))//\S+")
_MISTYPED = re.compile(
    r"(?![./~])(?:(?P<head>(?:https?:|[A-Za-z][\w+.-]*:/|[A-Za-z][\w+.-]*//)/*).*@|[^/]*:.*@)",
    re.DOTALL | re.IGNORECASE,
)
"""What should have been an address, up to its host: a slash or a colon is missing, or its scheme."""
_OPTION = re.compile(r"(?P<sign>[?&;#])(?P<name>[^=?&;#]+)(?P<value>=[^?&;#]*)?")


def address_without_secrets(address: str) -> str:
    """Returns one address without its password and options that may be secrets, whatever characters they hold.

    The name of a database's user stays, so that the address works wherever the password is known.
    """
    if _FILES.match(address):
        return address
    head, slashes, rest = address.partition("//")
    if slashes and re.fullmatch(r"([A-Za-z][\w+.-]*:)?", head):
        return f"{head}//{_without_options(_without_user(head, rest))}"
    found = _MISTYPED.match(address)
    return _without_options(f"{found['head'] or ''}{address[found.end() :]}" if found else address)


def without_secrets(text: str) -> str:
    """Returns a text, such as a message, with each address in it as :func:`address_without_secrets` has it.

    Addresses end at white space.
    """
    return _ADDRESS.sub(lambda found: address_without_secrets(found[0]), text)


def values_without_secrets(value: Any) -> Any:
    """Returns nested mappings and lists with all their texts, keys aside, without secrets."""
    if isinstance(value, Mapping):
        return {key: values_without_secrets(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [values_without_secrets(item) for item in value]
    if not isinstance(value, str):
        return value
    # A value that is an address altogether may have blanks in its password.
    whole = re.match(r"[A-Za-z][\w+.-]*://", value) is not None
    return address_without_secrets(value) if whole else without_secrets(value)


def keep(address: str) -> str:
    """Returns an address without its secrets, which :func:`complete` gives back in this process and its children."""
    shown = address_without_secrets(address)
    if shown != address:
        os.environ[KEPT] = json.dumps({**_kept(), shown: address})
    return shown


def complete(address: str, *further: str | None) -> str:
    """Returns the whole of an address that :func:`keep` or the user's environment knows; any other as it is.

    Args:
        further: addresses that the user's environment has.
    """
    known = {address_without_secrets(each): each for each in further if each} | _kept()
    return known.get(address, address)


def _kept() -> dict[str, str]:
    try:
        return dict(json.loads(os.environ.get(KEPT, "{}")))
    except (ValueError, TypeError):
        return {}


def _without_user(head: str, rest: str) -> str:
    if not _DATABASES.match(head):
        return _SERVER.sub("", rest, count=1) if _SERVER.match(rest) else rest
    found = _DATABASE.match(rest)
    return f"{found['user']}@{rest[found.end() :]}" if found else rest


def _without_options(rest: str) -> str:
    """Leaves out what follows ``?``, ``&``, ``;`` or ``#`` and may be a secret; an anchor is none."""
    path, options = re.match(r"([^?#;]*)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    kept = _OPTION.sub(lambda found: found[0] if _harmless(found) else found["sign"], options)
    kept = re.sub(r"[&;]+(?=[&;#?]|$)", "", re.sub(r"([?#])[&;]+", r"\1", kept))
    return path + re.sub(r"\?(?=#|$)|#$", "", kept)


def _harmless(option: re.Match[str]) -> bool:
    if option["value"] is None:
        return option["sign"] == "#"
    return unquote(option["name"]).lower() in _HARMLESS
