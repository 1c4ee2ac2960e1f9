#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of a control socket that are up to no good.  Throughout, one that connected before, and one that connects
now, are answered; the daemon's memory stays within bounds.

    control_hostile.py SOCKET PID ROUNDS SEED"""

import json
import random
import socket
import sys

MAX_GROWTH_KB = 400_000  # 64 MB of answers and of long messages, 100 messages of 1 MB, and what malloc keeps.
WORDS = ["br0", "p1", "nosuch", "", "-m", "--names", "-s", "in_port=1,tcp,tp_dst=80", "in_port(1),eth()", "0", "-1",
         "99999999999999999999", "00:00:00:00:00:01", "10.0.0.1/8", "::1", "true", "normal", "zone=1", "type=ovs",
         "filter=tcp", "actions=output:2", "ufid:00000000-0000-0000-0000-000000000000", "%s%n%n", "a" * 5000,
         "\u00e9\u4e2d\U0001f600", "\n\t\\\"", "-generate", "--ct-next", "trk,new", "--l7", "ANY:syslog:dbg",
         "PATTERN:syslog:%999999m%D{%999999Y}%-0", "output:2,resubmit(,1)", "ovs-system", "weir_never_hit", "gt=0"]


class Client:
    def __init__(self, path, patience=60):
        self.fd = socket.socket(socket.AF_UNIX)
        self.fd.settimeout(patience)
        self.fd.connect(path)

    def send(self, data):
        """What is sent may be more than the other side takes."""
        try:
            self.fd.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answers(self):
        """One JSON value after the other, to the end of the connection."""
        decoder, text = json.JSONDecoder(), ""
        while True:
            try:
                value, n = decoder.raw_decode(text)
                text = text[n:]
                yield value
            except json.JSONDecodeError:
                try:
                    chunk = self.fd.recv(1 << 16)
                except ConnectionResetError:
                    return
                if not chunk:
                    return
                text += chunk.decode()

    def answer(self):
        return next(self.answers(), None)

    def call(self, method, *params):
        self.send(request(method, params))
        return self.answer()

    def is_hung_up_on(self):
        try:
            while self.fd.recv(1 << 16):
                pass
            return True
        except ConnectionResetError:
            return True


def request(method, params):
    return json.dumps({"method": method, "params": params, "id": 1}).encode()


def require(condition, what):
    if not condition:
        sys.exit(f"control_hostile: {what}")


def rss_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


class Hostility:
    def __init__(self, path, pid, n_rounds, seed):
        self.path, self.pid, self.n_rounds = path, pid, n_rounds
        self.rng = random.Random(seed)
        self.honest = Client(path)
        self.start_kb = rss_kb(pid)

    def check(self, what):
        for client in (self.honest, Client(self.path)):
            answer = client.call("version")
            require(answer and answer["error"] is None and "(Weir)" in answer["result"],
                    f"no honest answer: {what}: {answer}")
        growth = rss_kb(self.pid) - self.start_kb
        require(growth < MAX_GROWTH_KB, f"the daemon has grown by {growth} kB: {what}")

    def malformed(self):
        for data in (b"null", b"7", b"]", b"\0\0\0", b'{"method"}', b"{" * 100_000, b"[" * 1_000_000,
                     b'{"method":"version","params":[],"id":1,}', b'{"method":"version","params":{},"id":1}',
                     b'{"method":7,"params":[],"id":1}', b'{"params":[],"id":1}', b'{"method":"version","id":1}',
                     b'{"method":"version","params":["\xff"],"id":1}', b'{"method":"version","params":["\\ud800"],"id":1}',
                     b'{"method":"version","params":["\\u0000"],"id":1}', b'[{"method":"version","params":[],"id":1}]',
                     b'{"method":"version","params":[' + b"[],".join([b""] * 3_000_000) + b'[]],"id":1}',
                     b'{"method":"version","params":["' + b"a" * (17 << 20) + b'"],"id":1}'):
            client = Client(self.path)
            client.send(data)
            require(client.is_hung_up_on(), f"{data[:50]!r} is taken")
            self.check(f"after {data[:50]!r}")

    def wrong(self):
        for method, params, words in (("nosuch", [], "is not a valid command"), ("", [], "is not a valid command"),
                                      ("%s%n", ["%n"], "is not a valid command"),
                                      ("a" * 1_000_000, [], "is not a valid command"),
                                      ("vlog/set", [7], "has non-string argument"),
                                      ("vlog/set", ["any", None], "has non-string argument"),
                                      ("vlog/set", [[]], "has non-string argument"),
                                      ("vlog/set", [{}], "has non-string argument"),
                                      ("version", ["x"], "takes at most 0 arguments"),
                                      ("vlog/set", ["info"] * 1001, "takes at most 1000 arguments"),
                                      ("vlog/set", ["x" * 1_000_000], "no destination, level, or module")):
            answer = self.honest.call(method, *params)
            require(answer["result"] is None and words in answer["error"], f"{method[:20]} {params[:2]}: {answer}")
        client = Client(self.path)  # A notification, and an answer that nobody asked for, are not answered.
        client.send(b'{"method":"version","params":[],"id":null}{"result":7,"error":null,"id":5}' + request("version", []))
        require(client.answer()["id"] == 1, "a notification is answered")
        self.check("after wrong requests")

    def halves(self):
        whole = request("version", [])
        for data, n_answers in ((whole[:20], 0), (whole, 1), (whole * 3 + whole[:-1], 3), (b"", 0)):
            client = Client(self.path)
            client.send(data)
            client.fd.shutdown(socket.SHUT_WR)
            require(len(list(client.answers())) == n_answers, f"not {n_answers} answers to {data!r} and an end")
        client = Client(self.path)
        for byte in whole:
            client.send(bytes([byte]))
        require(client.answer(), "no answer byte by byte")
        for _ in range(200):
            Client(self.path).send(request("list-commands", [])[:self.rng.randrange(60)])  # And gone.
        self.check("after halves")

    def many(self):
        silent = []
        for i in range(1000):
            try:
                silent.append(Client(self.path))
                if i % 2:
                    silent[-1].send(b'{"method":')
            except BlockingIOError:
                pass
            if i % 100 == 0:
                self.check("between 1,000 that are silent")
        self.check("beside 1,000 that are silent")

    def deaf(self):
        crowd = [Client(self.path, 0.01) for _ in range(95)]
        for client in crowd:
            try:
                client.fd.sendall(request("list-commands", []) * 5_000)
            except (TimeoutError, BrokenPipeError, ConnectionResetError):
                pass  # Nothing more is read from who does not read.
            if client in crowd[::20]:
                self.check("between clients that do not read")
        self.check("beside 95 that do not read")

    def huge(self):
        crowd = []
        for _ in range(20):
            crowd.append(Client(self.path, 0.05))
            try:
                crowd[-1].fd.sendall(b'{"method":"version","params":["' + b"a" * (8 << 20))
            except (TimeoutError, BrokenPipeError, ConnectionResetError):
                pass
        self.check("beside 20 long messages")

    def words(self):
        """Every command with words that do not belong to it."""
        names = [line.split()[0] for line in self.honest.call("list-commands")["result"].splitlines()[1:]]
        names = [name for name in names if name not in ("exit", "ovsdb-server/remove-db", "ovsdb-server/remove-remote",
                                                        "ovsdb-server/add-remote", "vlog/close")]
        for _ in range(self.n_rounds):
            name = self.rng.choice(names)
            words = [self.rng.choice(WORDS) for _ in range(self.rng.randrange(6))]
            client = Client(self.path)
            if self.rng.randrange(4) == 0:
                client.call("set-options", "--format", "json")
            require(client.call(name, *words), f"no answer to {name} {words}")
        self.check("after random words")

    def run(self):
        for part in (self.malformed, self.wrong, self.halves, self.many, self.deaf, self.huge, self.words):
            part()
            self.check(f"after {part.__name__}")
            print(f"{part.__name__}: grown by {rss_kb(self.pid) - self.start_kb} kB")


def main():
    path, pid, n_rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    Hostility(path, pid, n_rounds, seed).run()


if __name__ == "__main__":
    main()
