#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that speak no TLS, or begin and do not go on.

tls_strangers.py ADDRESS PORT N READY: sends nonsense, then opens N connections that stall, makes the file READY,
and ends well if the server has closed all of them within 12 seconds.
"""
import os
import select
import socket
import sys
import time

address, port, count, ready = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
HELLO_START = bytes.fromhex("16030102000100") + b"\x01\xfc\x03\x03" + bytes(20)
NONSENSE = [b"", b"{}", b"GET / HTTP/1.0\r\n\r\n", os.urandom(70000), b"\x16\x03\x01\xff\xff" + bytes(70000),
            b"\x16\x03\x01\x00\x00" * 5000, b"\x15\x03\x01\x00\x02\x01\x00" * 5000, b"\x80\x2e\x01\x00\x02",
            HELLO_START]


def dial():
    return socket.create_connection((address, port), 5)


for nonsense in NONSENSE:
    with dial() as sock:
        try:
            sock.sendall(nonsense)
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(8)
            while sock.recv(4096):
                pass
        except OSError:
            pass  # It has hung up before the end.

stalled = [dial() for _ in range(count)]
for index, sock in enumerate(stalled):
    try:
        sock.sendall(HELLO_START[:index % len(HELLO_START)])
    except OSError:
        pass  # It had to make room.
open(ready, "w").close()
end = time.monotonic() + 12
poller = select.poll()
left = {sock.fileno(): sock for sock in stalled}
for fd in left:
    poller.register(fd, select.POLLIN | select.POLLHUP)
while left and time.monotonic() < end:
    for fd, _ in poller.poll(500):
        try:
            is_over = not left[fd].recv(4096)
        except OSError:
            is_over = True
        if is_over:
            poller.unregister(fd)
            left.pop(fd).close()
sys.exit(f"{len(left)} of {count} are still open" if left else 0)
