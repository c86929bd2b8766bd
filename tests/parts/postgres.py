"""Clients of PostgreSQL that are not ours, friendly and hostile; prints what they got as JSON.

    postgres.py psycopg PORT            psycopg 3: both protocols, both formats, types, errors, cancelling
    postgres.py asyncpg PORT            asyncpg: binary alone, prepared statements, cursors
    postgres.py sqlalchemy PORT         SQLAlchemy: inspector, queries with values
    postgres.py tools PORT              what Grafana, Superset and other tools ask of the catalogue
    postgres.py hostile PORT            half messages, wrong lengths, slow readers, crowds, statements of 100 MB
    postgres.py secure PORT TOKEN CA    TLS, SCRAM, wrong passwords, TLS cut short
"""

import asyncio
import datetime
import json
import socket
import ssl
import struct
import sys
import threading
import uuid

import asyncpg
import psycopg
import sqlalchemy

LIMIT = 60
PLACE = {"host": "127.0.0.1", "user": "anybody", "connect_timeout": LIMIT}
TYPES = (
    "SELECT ts, date, client_ip, status, topic_offset, malformed, path FROM requests "
    "WHERE status IS NOT NULL ORDER BY ts, topic_offset LIMIT 1"
)


def shown(value):
    """A value with its type, in a form that does not depend on the driver."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat()
    if isinstance(value, (list, tuple)):
        return [shown(one) for one in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def with_psycopg(port):
    seen = {}
    with psycopg.connect(port=port, **PLACE) as connection:
        rows = {}
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            row = cursor.execute(TYPES).fetchone()
            assert isinstance(row[0], datetime.datetime) and row[0].utcoffset() == datetime.timedelta(), row
            assert isinstance(row[1], datetime.date) and isinstance(row[5], bool), row
            rows[binary] = shown(row)
            values = (
                "SELECT true, 7, 2.5, 'x', NULL, make_array('a', 'b,\"', NULL), make_array(1, 2), "
                "INTERVAL '1 day 2 hours', CAST(1.25 AS DECIMAL(10, 2)), arrow_cast('\\xff', 'Binary'), "
                "TIMESTAMP '2026-01-02 03:04:05.678', CAST('NaN' AS DOUBLE)"
            )
            rows["values", binary] = shown(cursor.execute(values).fetchone())
        seen["text is binary"] = rows[False] == rows[True]
        assert str(rows["values", False]) == str(rows["values", True]), rows
        seen["values"] = rows["values", True][:7]
        # Values of each kind, with their types.
        cursor = connection.cursor()
        given = (7, 2.5, "'; DROP", True, None, datetime.date(2026, 1, 2), ["a", "b"], b"\x00\xff", uuid.UUID(int=5))
        back = cursor.execute("SELECT %s, %s, %s, %s, %s, %s::date, %s::text[], %s::bytea, %s::text", given).fetchone()
        seen["given"] = shown([*back[:5], back[5], back[6], back[7].hex(), back[8]])
        after = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
        rows = cursor.execute("SELECT count(*) FROM requests WHERE ts >= %s AND status = ANY(%s)", (after, [200, 404]))
        seen["counted"] = rows.fetchone()[0]
        # A statement that is prepared, and run until the driver prepares it by itself.
        for number in range(12):
            row = cursor.execute("SELECT %s::int8 + 1", (number,), prepare=number > 3).fetchone()
            assert row == (number + 1,), row
        # Rows by and by.
        with connection.cursor() as cursor:
            taken = 0
            for _ in cursor.stream("SELECT path FROM requests LIMIT 50000"):
                taken += 1
        seen["streamed"] = taken
        named = "SELECT count(*), max(ts)::date, 1, status FROM requests GROUP BY status LIMIT 1"
        seen["names"] = [one.name for one in connection.execute(named).description]
    with psycopg.connect(port=port, autocommit=True, **PLACE) as connection:
        codes = {}
        for statement in (
            "SELEC 1",
            "SELECT nothing FROM requests",
            "SELECT * FROM nothing",
            "SELECT nothing(1)",
            "SET datafusion.runtime.memory_limit = '1G'",
            "DELETE FROM requests",
            "COPY requests TO STDOUT",
            "COPY requests FROM STDIN",
            "CREATE TABLE t (x int)",
            "SHOW nothing",
            "SELECT 1 / 0 FROM requests",
            "SELECT 'x'::int8",
        ):
            try:
                connection.execute(statement)
                codes[statement] = None
            except psycopg.Error as error:
                codes[statement] = error.sqlstate
        seen["codes"] = codes
        try:
            connection.execute("SELECT 1;\nSELECT 'é', nothing FRO requests")
        except psycopg.Error as error:
            seen["place"] = error.diag.statement_position
        cursor = connection.execute("SELECT 1; SELECT 2")
        first = cursor.fetchone()
        cursor.nextset()
        seen["two"] = [first[0], cursor.fetchone()[0]]
        assert connection.execute("").description is None
        with connection.transaction():
            connection.execute("SELECT 1")
            try:
                with connection.transaction():
                    connection.execute("SELECT nothing")
            except psycopg.Error:
                pass
            assert connection.execute("SELECT 3").fetchone() == (3,)
        # Cancelled from another thread once it runs.
        running = threading.Event()
        timer = threading.Thread(target=lambda: (running.wait(LIMIT), connection.cancel_safe(timeout=LIMIT)))
        timer.start()
        try:
            for _ in connection.cursor().stream("SELECT a.path FROM requests a, requests b"):
                running.set()
        except psycopg.errors.QueryCanceled as error:
            seen["cancelled"] = error.sqlstate
        timer.join()
        assert connection.execute("SELECT 4").fetchone() == (4,)
        seen["version"] = connection.info.server_version
    return seen


async def with_asyncpg(port):
    connection = await asyncpg.connect(port=port, host="127.0.0.1", user="anybody", database="floodmark", timeout=LIMIT)
    seen = {}
    row = await connection.fetchrow(TYPES)
    assert row["ts"].utcoffset() == datetime.timedelta() and isinstance(row["date"], datetime.date), row
    seen["columns"] = list(row.keys())
    after = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    statement = await connection.prepare("SELECT path, count(*) AS n FROM requests WHERE ts > $1 AND status = $2 GROUP BY path ORDER BY n DESC LIMIT $3")
    seen["takes"] = [one.name for one in statement.get_parameters()]
    seen["gives"] = [(one.name, one.type.name) for one in statement.get_attributes()]
    seen["rows"] = len(await statement.fetch(after, 200, 3))
    sources = await connection.fetchval("SELECT sources FROM attacks WHERE source_count > 1 LIMIT 1")
    assert isinstance(sources, list) and isinstance(sources[0], str), sources
    seen["listed"] = await connection.fetchval("SELECT count(*) FROM requests WHERE status = ANY($1::int4[])", [200])
    async with connection.transaction(readonly=True):
        taken = 0
        async for _ in connection.cursor("SELECT path FROM requests LIMIT 1000", prefetch=100):
            taken += 1
        seen["by hundreds"] = taken
    try:
        await connection.fetch("SELECT nothing FROM requests")
    except asyncpg.UndefinedColumnError as error:
        seen["code"] = error.sqlstate
    await connection.execute("SET application_name = 'test'; SELECT 1")
    # Looks up a type by name.
    await connection.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    await connection.reset()
    await connection.close()
    pool = await asyncpg.create_pool(port=port, host="127.0.0.1", user="anybody", min_size=2, max_size=4)
    seen["pool"] = [await pool.fetchval("SELECT $1::int8", number) for number in range(3)]
    await pool.close()
    return seen


def with_sqlalchemy(port):
    engine = sqlalchemy.create_engine(f"postgresql+psycopg://anybody@127.0.0.1:{port}/floodmark")
    inspector = sqlalchemy.inspect(engine)
    seen = {
        "schemas": inspector.get_schema_names(),
        "tables": sorted(inspector.get_table_names()),
        "views": sorted(inspector.get_view_names()),
        "default": inspector.default_schema_name,
        "columns": {one["name"]: str(one["type"]) for one in inspector.get_columns("incidents")},
        "key": inspector.get_pk_constraint("requests")["constrained_columns"],
        "foreign": inspector.get_foreign_keys("requests"),
        "indexes": inspector.get_indexes("requests"),
        "has": [inspector.has_table("requests"), inspector.has_table("nothing")],
        "comment": bool(inspector.get_table_comment("requests")["text"]),
    }
    seen["view"] = "row_number" in inspector.get_view_definition("attacks")
    requests = sqlalchemy.Table("requests", sqlalchemy.MetaData(), autoload_with=engine)
    counted = sqlalchemy.select(sqlalchemy.func.count()).select_from(requests).where(requests.c.status.in_([200, 404]))
    with engine.connect() as connection:
        seen["counted"] = connection.execute(counted).scalar_one()
        seen["text"] = connection.execute(sqlalchemy.text("SELECT :x"), {"x": "a"}).scalar_one()
    return seen


SEARCHED = (
    "(SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END FROM generate_series("
    "array_lower(string_to_array(current_setting('search_path'),','),1), "
    "array_upper(string_to_array(current_setting('search_path'),','),1)) as i, "
    "string_to_array(current_setting('search_path'),',') s)"
)
TOOLS = {
    # Grafana, pkg/tsdb/grafana-postgresql-datasource and its query editor.
    "grafana tables": f"""SELECT CASE WHEN quote_ident(table_schema) IN {SEARCHED} THEN quote_ident(table_name)
        ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table" FROM information_schema.tables
        WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache')
        ORDER BY CASE WHEN quote_ident(table_schema) IN {SEARCHED} THEN 0 ELSE 1 END, 1""",
    "grafana columns": f"""SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns
        WHERE CASE WHEN array_length(parse_ident('requests'),1) = 2 THEN quote_ident(table_schema) = (parse_ident('requests'))[1]
        AND quote_ident(table_name) = (parse_ident('requests'))[2] ELSE quote_ident(table_name) = 'requests'
        AND quote_ident(table_schema) IN {SEARCHED} END""",
    "grafana version": "SELECT current_setting('server_version_num')::int/100 AS version",
    "grafana extension": "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'",
    "grafana series": """SELECT floor(extract(epoch from ts)/60)*60 AS "time", count(*) AS n FROM requests
        WHERE ts BETWEEN '2026-01-01T00:00:00Z' AND '2027-01-01T00:00:00Z' GROUP BY 1 ORDER BY 1 LIMIT 3""",
    # Superset and Metabase.
    "metabase schemas": "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
    "metabase version": "SELECT pg_catalog.version()",
    "metabase keys": """SELECT n.nspname, c.relname FROM pg_constraint k JOIN pg_class c ON k.conrelid = c.oid
        JOIN pg_namespace n ON c.relnamespace = n.oid WHERE k.contype = 'p' ORDER BY n.nspname, c.relname""",
    "superset": "SELECT table_name FROM information_schema.views WHERE table_schema = 'public' ORDER BY 1",
    "privileges": "SELECT has_table_privilege('requests', 'SELECT'), has_table_privilege('requests', 'INSERT')",
    "types": "SELECT oid, typname, typelem FROM pg_type WHERE typname IN ('text', '_text', 'timestamptz') ORDER BY oid",
    "by name": "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'rejects'::regclass AND attnum > 0 ORDER BY attnum",
    "settings": "SELECT current_schema(), current_database(), current_user, pg_is_in_recovery(), current_schemas(true)",
    "shown": "SHOW standard_conforming_strings",
    "whole name": "SELECT count(*) > 0 AS found FROM floodmark.public.requests",
}


def with_tools(port):
    seen = {}
    with psycopg.connect(port=port, autocommit=True, **PLACE) as connection:
        for name, statement in TOOLS.items():
            rows = connection.execute(statement).fetchall()
            seen[name] = shown(rows)
    return seen


def plain(port):
    return socket.create_connection(("127.0.0.1", port), timeout=LIMIT)


def message(kind, body):
    return kind + struct.pack(">i", len(body) + 4) + body


def hello(*more):
    body = struct.pack(">i", 196608) + b"user\0anybody\0" + b"".join(more) + b"\0"
    return struct.pack(">i", len(body) + 4) + body


def until_ready(stream):
    """Reads up to the end of an answer; returns the kinds of the messages, and codes of errors."""
    kinds, codes = b"", []
    reader = stream.makefile("rb")
    while True:
        head = reader.read(5)
        if len(head) < 5:
            return kinds, codes
        kind, length = head[:1], struct.unpack(">i", head[1:])[0]
        body = reader.read(length - 4)
        kinds += kind
        if kind == b"E":
            codes += [part[1:].decode() for part in body.split(b"\0") if part[:1] == b"C"]
        if kind == b"Z":
            return kinds, codes


def let_go(stream):
    """Whether the other side ends the connection."""
    try:
        while stream.recv(65536):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def opened(port):
    stream = plain(port)
    stream.sendall(hello())
    kinds, codes = until_ready(stream)
    assert kinds.endswith(b"Z") and not codes, (kinds, codes)
    return stream


def hostile(port):
    seen = {}
    # Many who say nothing: those beyond the limit are let go, and the others give their places back.
    crowd = [plain(port) for _ in range(1000)]
    for one in crowd:
        one.close()
    # One who asks for much and reads nothing, while others are answered.
    slow = opened(port)
    slow.sendall(message(b"Q", b"SELECT a.* FROM requests a, requests b\0"))
    assert slow.recv(1) == b"T"
    seen["beside a slow reader"] = answered(port)
    # What is no beginning: they are let go, or told and let go.
    refused = 0
    beginnings = (
        b"\x00\x00\x00\x00",
        b"\x7f\xff\xff\xff\x00\x03\x00\x00",
        b"\xff\xff\xff\xff\x00\x03\x00\x00",
        b"\x00\x00\x00\x08\x00\x02\x00\x00",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        struct.pack(">ii", 8, 196608),
    )
    for beginning in beginnings:
        one = plain(port)
        one.sendall(beginning)
        one.shutdown(socket.SHUT_WR)
        refused += let_go(one)
    seen["no beginnings"] = refused == len(beginnings)
    # What is no message within a conversation.
    refused = 0
    broken = (
        b"Q\x00\x00\x00\x00",
        b"Q\xff\xff\xff\xff",
        b"Q\x7f\xff\xff\xffSELECT",
        b"Q\x00\x00\x00\x08SELE",
        b"?\x00\x00\x00\x04",
        message(b"B", b"\0\0\xff\xff"),
        message(b"B", b"\0\0\0\0\x00\x01\x7f\xff\xff\xff"),
        message(b"P", b"\0SELECT 1"),
        message(b"P", b"\0SELECT 1\0\xff\xff"),
        message(b"E", b"\0"),
        message(b"D", b"?\0"),
        message(b"C", b""),
        message(b"Q", b"SELECT '\xff'\0"),
    )
    for one in broken:
        stream = opened(port)
        stream.sendall(one)
        kinds, codes = until_ready(stream)
        refused += (kinds, codes) == (b"E", ["08P01"]) and let_go(stream)
    seen["no messages"] = refused == len(broken)
    # Half of one, and away.
    for half in (b"Q\x00\x00\x00\x20SEL", b"Q\x00", b"P"):
        stream = opened(port)
        stream.sendall(half)
        stream.close()
    # A statement of 100 MB is passed over, and the conversation goes on.
    stream = opened(port)
    stream.sendall(b"Q" + struct.pack(">i", (100 << 20) + 5))
    for _ in range(100):
        stream.sendall(b"x" * (1 << 20))
    stream.sendall(b"\0")
    seen["large"] = [until_ready(stream)[1]]
    stream.sendall(message(b"Q", b"SELECT 1\0"))
    seen["large"] += [until_ready(stream)[0].decode()]
    # After an error, what was sent along is passed over until the client is in step.
    parse = message(b"P", b"\0SELECT nothing FROM requests\0\0\0")
    bind = message(b"B", b"\0\0\0\0\0\0\0\0")
    stream.sendall(parse + bind + message(b"D", b"P\0") + message(b"E", b"\0\0\0\0\0") + message(b"S", b""))
    kinds, codes = until_ready(stream)
    seen["out of step"] = [kinds.decode(), codes]
    # Rows beyond a number that cannot be.
    stream.sendall(message(b"P", b"\0SELECT 1\0\0\0") + bind + message(b"E", b"\0\xff\xff\xff\xff") + message(b"S", b""))
    seen["all rows"] = until_ready(stream)[0].decode()
    # Deep statements are refused, and nothing falls over.
    for statement in (b"SELECT " + b"(" * 60000, b"SELECT " + b"1+" * 100000 + b"1", b"SELECT " + b"NOT " * 60000 + b"true"):
        stream.sendall(message(b"Q", statement + b"\0"))
        kinds, codes = until_ready(stream)
        assert kinds == b"EZ", (kinds, codes)
    # A cancel with a secret that was guessed stops nothing.
    guess = plain(port)
    guess.sendall(struct.pack(">iiii", 16, 80877102, 1, 1))
    assert let_go(guess)
    # Prepared statements without end are refused before they fill the memory.
    text = b"SELECT '" + b"x" * 200000 + b"'"
    codes = []
    for number in range(100):
        stream.sendall(message(b"P", b"s%d\0" % number + text + b"\0\0\0") + message(b"S", b""))
        codes += until_ready(stream)[1]
        if codes:
            break
    seen["prepared"] = codes
    seen["after all"] = answered(port)
    slow.close()
    return seen


def answered(port):
    with psycopg.connect(port=port, **PLACE) as connection:
        return connection.execute("SELECT count(*) FROM requests").fetchone()[0] > 0


def secure(port, token, ca):
    seen = {}

    def attempt(**more):
        try:
            with psycopg.connect(port=port, **PLACE, **more) as connection:
                return connection.execute("SELECT 1").fetchone()[0]
        except psycopg.OperationalError as error:
            return str(error).strip().splitlines()[-1].split("FATAL:  ")[-1]

    verified = {"sslmode": "verify-full", "sslrootcert": ca}
    seen["token"] = attempt(password=token, **verified)
    seen["by scram alone"] = attempt(password=token, require_auth="scram-sha-256", **verified)
    seen["wrong"] = attempt(password="x" * len(token), **verified)
    seen["none"] = "password" in str(attempt(**verified))
    seen["plain"] = attempt(password=token, sslmode="disable")
    # TLS without asking for it first.
    seen["direct"] = attempt(password=token, sslnegotiation="direct", **verified)
    # What is sent before the other side agreed is not taken for what is sent within.
    early = plain(port)
    early.sendall(struct.pack(">ii", 8, 80877103) + hello())
    seen["early"] = let_go(early)
    # Cut short.
    cut = plain(port)
    cut.sendall(struct.pack(">ii", 8, 80877103))
    assert cut.recv(1) == b"S"
    cut.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
    cut.close()
    context = ssl.create_default_context(cafile=ca)
    torn = plain(port)
    torn.sendall(struct.pack(">ii", 8, 80877103))
    assert torn.recv(1) == b"S"
    torn = context.wrap_socket(torn, server_hostname="127.0.0.1")
    torn.sendall(hello())
    assert torn.recv(1) == b"R"
    socket.socket(fileno=torn.detach()).close()
    seen["after all"] = attempt(password=token, **verified)
    return seen


[_, kind, port, *rest] = sys.argv
kinds = {
    "psycopg": with_psycopg,
    "asyncpg": lambda port: asyncio.run(with_asyncpg(port)),
    "sqlalchemy": with_sqlalchemy,
    "tools": with_tools,
    "hostile": hostile,
    "secure": secure,
}
print(json.dumps(kinds[kind](int(port), *rest)), flush=True)
