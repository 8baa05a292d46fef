"""Prints the rows of a Parquet file as DuckDB reads them, one JSON object a line, without what is null.

    read-parquet.py FILE
"""
import json
import sys

import duckdb

found = duckdb.sql('SELECT * FROM read_parquet(?)', params=[sys.argv[1]])
for row in found.fetchall():
    print(json.dumps({name: value for name, value in zip(found.columns, row) if value is not None}))
