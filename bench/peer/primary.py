"""What the primary's logger does with one stream: parse each message, and append it to its user's file.

    primary.py URL DIRECTORY

SIGUSR2 makes it print how many messages it has taken.
"""
import json
import os
import signal
import sys

import websocket

url, directory = sys.argv[1], sys.argv[2]
taken = 0


def on_message(_, text):
    global taken
    message = json.loads(text)
    name = '-'.join(str(message.get(part, '')) for part in ('user', 'hardware', 'exp', 'course'))
    with open(os.path.join(directory, name + '.json'), 'a') as file:
        file.write(json.dumps(message) + '\n')
    taken += 1


signal.signal(signal.SIGUSR2, lambda *_: print(taken, flush=True))
websocket.WebSocketApp(url, on_message=on_message).run_forever()
