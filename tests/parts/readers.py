"""Reads every table under a data folder with DuckDB and delta-rs; prints what they see as JSON."""

import glob
import json
import os
import sys

import deltalake
import duckdb
import duckdb_extension_delta

TABLES = ["requests", "rejects", "incidents", "source_windows", "target_windows"]


def with_duckdb(data):
    folder = os.path.dirname(duckdb_extension_delta.__file__)
    [extension] = glob.glob(folder + "/extensions/*/delta.duckdb_extension")
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    seen = {}
    for table in TABLES:
        scan = f"delta_scan('{data}/{table}')"
        [(rows,)] = connection.execute(f"SELECT count(*) FROM {scan}").fetchall()
        # Every column of every row is decoded.
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM {scan}")
        seen[table] = {"rows": rows}
    [(seen["sum"],)] = connection.execute("SELECT sum(status)::BIGINT FROM requests").fetchall()
    return seen


def with_delta_rs(data):
    seen = {}
    for table in TABLES:
        delta = deltalake.DeltaTable(f"{data}/{table}")
        fields = json.loads(delta.schema().to_json())["fields"]
        columns = [{key: field[key] for key in ("name", "type", "nullable")} for field in fields]
        seen[table] = {"rows": delta.to_pyarrow_table().num_rows, "columns": columns}
    return seen


[_, folder] = sys.argv
print(json.dumps({"duckdb": with_duckdb(folder), "deltalake": with_delta_rs(folder)}), flush=True)
# Everything is said: the libraries' threads need not outlive the interpreter, which now and then they abort.
os._exit(0)
