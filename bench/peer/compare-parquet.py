"""Prints how many rows the Parquet of a day and its sealed lines have, when they have the same, value for value.

    compare-parquet.py PARQUET_FOLDER SEALED_FOLDER

Each stream is compared by the count of its rows and by the sum of their hashes.
"""
import pathlib
import sys

import duckdb

parquet, sealed = (pathlib.Path(place) for place in sys.argv[1:])
duckdb.sql("SET memory_limit = '1GB'")
total = 0
for lines in sorted(sealed.glob('*.jsonl.zst')):
    stream = lines.name.split('.')[0]
    [file] = parquet.glob(f'{stream}*.parquet')
    described = duckdb.sql('DESCRIBE SELECT * FROM read_parquet(?)', params=[str(file)]).fetchall()
    columns = {name: kind for name, kind, *_ in described}
    names = ', '.join(f'"{name}"' for name in columns)
    summed = f'SELECT count(*), sum(hash({names})) FROM '
    [ours] = duckdb.sql(f'{summed} read_parquet(?)', params=[str(file)]).fetchall()
    types = '{' + ', '.join(f"'{name}': '{kind}'" for name, kind in columns.items()) + '}'
    [theirs] = duckdb.sql(
        f"{summed} read_json(?, format = 'newline_delimited', columns = {types})", params=[str(lines)]
    ).fetchall()
    if ours != theirs:
        sys.exit(f'{stream}: {ours} and {theirs}')
    total += ours[0]
print(total)
