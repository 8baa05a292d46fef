"""Counts commands as the primary keeps them: for each message a student's matrix is read from its CSV, one is added, and
it is written again. Messages come on standard input, one a line; prints the seconds that it took, and those of CPU.

    graphs.py DIRECTORY
"""

import json
import os
import sys
import time

import pandas as pd

NODES = ["voltage_step", "voltage_ramp", "position_step", "position_ramp", "speed_step", "speed_ramp"]
RENAMED = {"voltage": "voltage_step", "position": "position_step", "speed": "speed_step"}

directory = sys.argv[1]
lines = sys.stdin.readlines()
last = {}
began, began_cpu = time.perf_counter(), time.process_time()
for line in lines:
    message = json.loads(line)
    name = f"{message['user']}-{message['exp']}-{message['course']}-adjacency.csv"
    path = os.path.join(directory, name)
    if os.path.exists(path):
        matrix = pd.read_csv(path, index_col=0)
    else:
        matrix = pd.DataFrame(0.0, index=NODES, columns=NODES)
    command = message["payload"]["log"]
    node = RENAMED.get(command, command)
    if name in last:
        matrix.loc[last[name], node] += 1
    last[name] = node
    matrix.to_csv(path)
print(time.perf_counter() - began, time.process_time() - began_cpu)
