"""Runs a program in a terminal: waits for a text on its screen, presses keys, and prints as JSON how it ended.

    terminal.py TEXT KEYS PROGRAM ARGS…
"""

import fcntl
import json
import os
import pty
import struct
import sys
import termios

text, keys, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
shown, pressed = b"", False
while True:
    try:
        more = os.read(terminal, 1 << 16)
    except OSError:
        break
    if not more:
        break
    shown += more
    if not pressed and text.encode() in shown:
        os.write(terminal, keys.encode())
        pressed = True
_, status = os.waitpid(child, 0)
print(json.dumps({"pressed": pressed, "status": os.waitstatus_to_exitcode(status), "shown": shown.decode(errors="replace")}))
