"""What stands in the database of a server, seen and changed beside it: SQLite, or MongoDB with LUNASIG_TEST_MONGO."""

import contextlib
import json
import os
import pathlib
import sqlite3

import lunasig_mongo


@contextlib.contextmanager
def _sqlite(data_dir):
    with contextlib.closing(sqlite3.connect(pathlib.Path(data_dir) / "lunasig.db", timeout=10)) as database:
        yield database
        database.commit()


@contextlib.contextmanager
def _mongo(data_dir):
    import pymongo

    settings = lunasig_mongo.settings_of(str(data_dir))
    with pymongo.MongoClient(settings["MONGODB_URL"]) as client:
        yield client[settings["DATABASE_NAME"]]


def change_account(data_dir, name, **columns):
    if os.environ.get("LUNASIG_TEST_MONGO"):
        with _mongo(data_dir) as database:
            assert database.users.update_one({"username": name}, {"$set": columns}).matched_count == 1
        return
    with _sqlite(data_dir) as database:
        changes = ", ".join(f"{column} = ?" for column in columns)
        database.execute(f"UPDATE accounts SET {changes} WHERE username = ?", (*columns.values(), name))


def add_revocations(data_dir, rows):
    """rows: kind, name, at."""
    if os.environ.get("LUNASIG_TEST_MONGO"):
        documents = [{"_id": f"{'tua'[kind]}/{name}", "kind": kind, "name": name, "at": at} for kind, name, at in rows]
        with _mongo(data_dir) as database:
            for start in range(0, len(documents), 1000):
                database.lunasig_revocations.insert_many(documents[start : start + 1000])
        return
    with _sqlite(data_dir) as database:
        database.executemany("INSERT INTO revocations (kind, name, at) VALUES (?, ?, ?)", rows)


def revocations(data_dir):
    if os.environ.get("LUNASIG_TEST_MONGO"):
        with _mongo(data_dir) as database:
            return [(one["kind"], one["name"], one["at"]) for one in database.lunasig_revocations.find()]
    with _sqlite(data_dir) as database:
        return database.execute("SELECT kind, name, at FROM revocations").fetchall()


def documents(data_dir, collection):
    """key -> document of that collection of sig.store, of those that have not expired long ago. In MongoDB the records of the service are
    ordinary documents: here without what is the store's own."""
    if os.environ.get("LUNASIG_TEST_MONGO"):
        with _mongo(data_dir) as database:
            found = {one["_id"]: one for one in database[collection].find()}
        return {key: {name: value for name, value in one.items() if name[0] != "_"} for key, one in found.items()}
    with _sqlite(data_dir) as database:
        rows = database.execute("SELECT key, value FROM documents WHERE collection = ?", (collection,))
        return {key.decode(): json.loads(value) for key, value in rows}


@contextlib.contextmanager
def database(data_dir):
    """The database of MongoDB itself: with LUNASIG_TEST_MONGO."""
    with _mongo(data_dir) as found:
        yield found
