#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tls_client.py ADDRESS PORT [certificate=FILE] [key=FILE] [version=TLSv1_2] [ciphers=LIST]

Asks a database which databases it has, over TLS that believes everybody.  Ends well if there is an answer."""
import socket
import ssl
import sys
import warnings

warnings.simplefilter("ignore")  # Old versions are deprecated: that is why they are tried.
options = dict(word.split("=", 1) for word in sys.argv[3:])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
if "certificate" in options:
    context.load_cert_chain(options["certificate"], options["key"])
if "ciphers" in options:
    context.set_ciphers(options["ciphers"])
if "version" in options:
    context.minimum_version = context.maximum_version = ssl.TLSVersion[options["version"]]
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as plain:
        with context.wrap_socket(plain) as sock:
            sock.sendall(b'{"method":"list_dbs","params":[],"id":1}')
            answer = sock.recv(4096)
except OSError as error:
    sys.exit(f"tls_client: {error}")
sys.exit(b"Open_vSwitch" not in answer)
