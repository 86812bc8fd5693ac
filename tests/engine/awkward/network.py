import socket
import urllib.request

import numpy

for host in ("127.0.0.1", "192.0.2.1"):
    try:
        socket.create_connection((host, 9), timeout=1)
    except OSError as error:
        print(error, numpy.__name__)
try:
    urllib.request.urlopen("http://example.invalid/")
except OSError as error:
    print(error)
