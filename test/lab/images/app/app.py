"""A small application in the manner of Gitea: rows in PostgreSQL, files under /data, a schema version.

It migrates at start, before it opens its port, and refuses a schema newer than its own.
POST /items {"name": "..."} keeps a row and a file; GET /items lists both; GET /version; GET /api/healthz.
"""
import configparser
import json
import os
import pathlib
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

DATA = pathlib.Path("/data")
CONFIG = DATA / "conf" / "app.ini"
RELEASE = json.loads(pathlib.Path("/app/release.json").read_text())
SETTINGS = {"host": "APP_DB_HOST", "dbname": "APP_DB_NAME", "user": "APP_DB_USER", "password": "APP_DB_PASSWORD"}

MIGRATIONS = {
    1: "CREATE TABLE items (id SERIAL PRIMARY KEY, name TEXT NOT NULL)",
    2: "ALTER TABLE items ADD COLUMN note TEXT NOT NULL DEFAULT 'migrated to 2'",
}


def say(message):
    print(message, flush=True)


def load_config():
    """Database settings of app.ini, written there from the environment first; None when nothing is configured."""
    given = {key: os.environ[name] for key, name in SETTINGS.items() if name in os.environ}
    config = configparser.ConfigParser(interpolation=None)
    config.read(CONFIG)
    if given:
        config["database"] = {**(dict(config["database"]) if config.has_section("database") else {}), **given}
        CONFIG.parent.mkdir(parents=True, exist_ok=True)
        with CONFIG.open("w") as file:
            config.write(file)
    return dict(config["database"]) if config.has_section("database") else None


def connect(config):
    return psycopg2.connect(connect_timeout=3, **config)


def wait_for_database(config, attempts=20):
    for attempt in range(1, attempts + 1):
        try:
            return connect(config)
        except psycopg2.OperationalError as error:
            say(f"[E] ORM engine initialization attempt #{attempt}/{attempts} failed. Error: {str(error).strip()}")
            time.sleep(1)
    sys.exit("[F] ORM engine initialization failed")


def migrate(config):
    connection = wait_for_database(config)
    with connection, connection.cursor() as cursor:
        # Several containers may start on one database: without the lock, all but one would fail and stay down.
        cursor.execute("SELECT pg_advisory_xact_lock(1)")
        cursor.execute("CREATE TABLE IF NOT EXISTS version (id SERIAL PRIMARY KEY, version BIGINT NOT NULL)")
        cursor.execute("SELECT version FROM version")
        row = cursor.fetchone()
        current = row[0] if row else 0
        if row is None:
            cursor.execute("INSERT INTO version (version) VALUES (0)")
        if current > RELEASE["schema"]:
            sys.exit(
                f"[F] Your database (migration version: {current}) is for a newer Gitea, you can not use the newer "
                f"database for this old Gitea release ({RELEASE['schema']})."
            )
        for version in range(current + 1, RELEASE["schema"] + 1):
            say(f"[I] Migration[{version}]: {MIGRATIONS[version]}")
            cursor.execute(MIGRATIONS[version])
            cursor.execute("UPDATE version SET version = %s", (version,))
    connection.close()


def query(config, sql, parameters=()):
    connection = connect(config)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()
    finally:
        connection.close()


class Handler(BaseHTTPRequestHandler):
    config = None

    def do_GET(self):
        if self.config is None:
            return self.answer(200, "Gitea: Installation stage", "text/plain")
        if self.path == "/api/healthz":
            return self.health()
        if self.path == "/version":
            return self.answer(200, {**RELEASE, "environment": os.environ.get("APP_VERSION")})
        if self.path == "/items":
            return self.answer(200, [item(row) for row in query(self.config, "SELECT id, name FROM items ORDER BY id")])
        return self.answer(404, {"message": "not found"})

    def do_POST(self):
        if self.config is None or self.path != "/items":
            return self.answer(404, {"message": "not found"})
        name = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))["name"]
        row = query(self.config, "INSERT INTO items (name) VALUES (%s) RETURNING id, name", (name,))[0]
        file_of(row[0]).parent.mkdir(parents=True, exist_ok=True)
        file_of(row[0]).write_text(name)
        return self.answer(201, item(row))

    def health(self):
        status = RELEASE["health"]
        try:
            query(self.config, "SELECT 1")
            database = {"status": "pass"}
        except psycopg2.Error as error:
            status, database = "fail", {"status": "fail", "output": str(error).strip()}
        body = {"status": status, "description": "lab app", "checks": {"database:ping": [database]}}
        self.answer(200 if status == "pass" else 424, body)

    def answer(self, status, body, content_type="application/json"):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):
        say("[I] router: " + format % args)


def file_of(number):
    return DATA / "files" / f"{number}.txt"


def item(row):
    path = file_of(row[0])
    return {"id": row[0], "name": row[1], "file": path.read_text() if path.exists() else None}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Handler.config = load_config()
    if Handler.config is None:
        say("[I] no database is configured: Installation stage")
    else:
        migrate(Handler.config)
    say(f"[I] Listen: http://0.0.0.0:3000 ({RELEASE['version']}, schema {RELEASE['schema']})")
    ThreadingHTTPServer(("", 3000), Handler).serve_forever()


main()
