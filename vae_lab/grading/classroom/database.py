"""Opening a gradebook's database: any that SQLAlchemy knows, and one clear line where it cannot be used."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from vae_lab.grading.course import CourseError

OLDER = re.compile(r"no such column|no such table|has no column|column .* does not exist|Unknown column", re.IGNORECASE)


def database_url(text: str | None, out: Path) -> URL:
    """The database to use: `text` if given, else `gradebook.db` in the output folder.

    Raises:
        CourseError: if `text` is no SQLAlchemy URL.
    """
    if text is None:
        return URL.create("sqlite", database=str(out / "gradebook.db"))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise CourseError(f"--db {text!r} is no database URL; expected e.g. sqlite:///gradebook.db") from None
    if url.drivername == "postgresql":  # which driver that means depends on SQLAlchemy's version; take what is here
        url = url.set(drivername="postgresql+psycopg" if find_spec("psycopg") else "postgresql+psycopg2")
    return url


@contextlib.contextmanager
def told(url: URL) -> Iterator[None]:
    """Turn what a database may raise into one line, without the password."""
    where = url.render_as_string(hide_password=True)
    try:
        yield
    except CourseError:
        raise
    except (SQLAlchemyError, ImportError, ValueError) as error:  # ValueError: nbgrader's InvalidEntry
        lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
        if OLDER.search(lines[0]):
            raise CourseError(
                f"the gradebook {where} was made by an older nbgrader ({lines[0]}); bring it up to date with: "
                f"nbgrader db upgrade --db {where}"
            ) from error
        raise CourseError(f"the gradebook {where} cannot be used: {lines[0]}") from error


def begin(url: URL) -> None:
    """Note in a new database which of nbgrader's versions it is, so that `nbgrader db upgrade` knows where to go on.

    nbgrader would start the program `alembic` for it, which takes seconds and must be on the PATH.

    Raises:
        SQLAlchemyError: if the database cannot be used.
    """
    from alembic.script import ScriptDirectory  # here, since nbgrader takes seconds to import and a report needs none
    from nbgrader.dbutil import ALEMBIC_DIR

    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            if not sa.inspect(connection).get_table_names():
                version = ScriptDirectory(ALEMBIC_DIR).get_current_head()
                connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                connection.execute(sa.text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
    finally:
        engine.dispose()
