"""Sends the request of each line of JSON with Python's own client, and writes the answer as a line of JSON."""
import http.client
import json
import sys

connections = {}


def ask(asked):
    port = asked["port"]
    connection = connections.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=30))
    connection.putrequest(asked["method"], asked["target"], skip_host=True, skip_accept_encoding=True)
    for name, value in asked["headers"]:
        connection.putheader(name, value)
    connection.endheaders(bytes.fromhex(asked["body"]))
    answer = connection.getresponse()
    body = answer.read().hex()
    return {"status": answer.status, "fields": answer.getheaders(), "body": body}


for line in sys.stdin:
    print(json.dumps(ask(json.loads(line))), flush=True)
