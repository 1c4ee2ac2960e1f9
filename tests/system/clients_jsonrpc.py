# SPDX-License-Identifier: Apache-2.0
"""A client of the database that knows JSON-RPC and nothing else, so that a test sees each message."""

import json
import socket


class Client:
    def __init__(self, address):
        """'address' is the path of a socket, or (IP, PORT)."""
        is_path = isinstance(address, str)
        self.socket = socket.socket(socket.AF_UNIX if is_path else socket.AF_INET)
        self.socket.settimeout(10)
        self.socket.connect(address)
        self.decoder = json.JSONDecoder()
        self.text = ""
        self.n_calls = 0
        self.notifications = []

    def close(self):
        self.socket.close()

    def send(self, method, params, number):
        self.socket.sendall(json.dumps({"method": method, "params": params, "id": number}).encode())

    def message(self):
        while True:
            try:
                message, end = self.decoder.raw_decode(self.text)
                self.text = self.text[end:].lstrip()
                return message
            except ValueError:
                data = self.socket.recv(1 << 20)
                if not data:
                    raise ConnectionError("the server closed the connection")
                self.text += data.decode()

    def reply(self, method, *params):
        """The whole answer; what the server says meanwhile is kept in 'notifications'."""
        self.n_calls += 1
        self.send(method, params, self.n_calls)
        while True:
            message = self.message()
            if message.get("id") == self.n_calls and "method" not in message:
                return message
            self.notifications.append(message)

    def call(self, method, *params):
        reply = self.reply(method, *params)
        if reply["error"] is not None:
            raise RuntimeError(f"{method}: {reply['error']}")
        return reply["result"]

    def transact(self, database, *operations):
        results = self.call("transact", database, *operations)
        for result in results:
            if result and "error" in result:
                raise RuntimeError(f"transact: {result}")
        return results

    def notification(self):
        return self.notifications.pop(0) if self.notifications else self.message()
