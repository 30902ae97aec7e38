"""One embedded SQLite file, opened safely: WAL, every commit synced, one fair writer at a time, nothing started empty.

It knows no table of anybody's: the rooms above bring their own migrations. It goes through apsw only, because the
SQLite that comes with Python may still have the WAL-reset bug, and because two SQLite libraries on one file in one
process drop each other's locks. Importing this room must stay cheap: the quick commands start with it.
"""

from bursar.database.files import check_place, make_place, sync_directory
from bursar.database.lock import lock_file, unlock_file
from bursar.database.migrations import load_migrations
from bursar.database.opening import open_database, open_salvage
from bursar.database.store import Database

__all__ = [
    "Database",
    "check_place",
    "load_migrations",
    "lock_file",
    "make_place",
    "open_database",
    "open_salvage",
    "sync_directory",
    "unlock_file",
]
