"""Sends a body with Python's own client, and prints the status that it gets."""
import http.client
import sys
import time

port, target, mebibytes, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
part = bytes(1 << 20)


def body():
    for _ in range(mebibytes):
        yield part
        time.sleep(seconds / mebibytes)


connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
length = {"Content-Length": str(mebibytes << 20)}
connection.request("POST", target, body() if seconds else bytes(mebibytes << 20), length)
answer = connection.getresponse()
answer.read()
print(answer.status)
