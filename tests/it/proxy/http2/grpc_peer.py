"""A gRPC server and client that know no message types: octets in, octets out.

    grpc_peer.py server            prints its port, then a line for each call that was cancelled
    grpc_peer.py client PORT       calls through PORT and prints a line for each thing that held
"""

import sys
import threading
import time
from concurrent import futures

import grpc


def unary(request, context):
    context.set_trailing_metadata((("x-sum", "1"), ("x-data-bin", b"\x00\xff")))
    return request[::-1]


def fails(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such word: \u00e9")


def down(request, context):
    for number in range(int(request)):
        yield b"%d" % number


def up(requests, context):
    return b"%d" % sum(len(request) for request in requests)


def both(requests, context):
    for request in requests:
        yield request.upper()


def stuck(request, context):
    gone = threading.Event()
    context.add_callback(gone.set)
    gone.wait(20)
    print("cancelled" if gone.is_set() else "never cancelled", flush=True)
    return b""


def serve():
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Fails": grpc.unary_unary_rpc_method_handler(fails),
        "Down": grpc.unary_stream_rpc_method_handler(down),
        "Up": grpc.stream_unary_rpc_method_handler(up),
        "Both": grpc.stream_stream_rpc_method_handler(both),
        "Stuck": grpc.unary_unary_rpc_method_handler(stuck),
    }
    server = grpc.server(futures.ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Words", handlers),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


def call(port):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        response, details = channel.unary_unary("/test.Words/Unary").with_call(b"abc", timeout=10)
        trailing = dict(details.trailing_metadata())
        assert (response, trailing["x-sum"], trailing["x-data-bin"]) == (b"cba", "1", b"\x00\xff"), trailing
        print("unary", flush=True)

        large = b"x" * 3_000_000
        assert channel.unary_unary("/test.Words/Unary")(large, timeout=10) == large
        print("large", flush=True)

        try:
            channel.unary_unary("/test.Words/Fails")(b"", timeout=10)
        except grpc.RpcError as error:
            assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "no such word: \u00e9"), error
            print("fails", flush=True)

        numbers = list(channel.unary_stream("/test.Words/Down")(b"1000", timeout=10))
        assert numbers == [b"%d" % number for number in range(1000)]
        print("down", flush=True)

        assert channel.stream_unary("/test.Words/Up")((b"x" * 1000 for _ in range(1000)), timeout=10) == b"1000000"
        print("up", flush=True)

        # The next message goes out when the last has come back.
        turn = threading.Semaphore(1)

        def messages():
            for number in range(200):
                turn.acquire()
                yield b"word %d" % number

        answers = []
        for answer in channel.stream_stream("/test.Words/Both")(messages(), timeout=10):
            answers.append(answer)
            turn.release()
        assert answers == [b"WORD %d" % number for number in range(200)]
        print("both", flush=True)

        began = time.monotonic()
        try:
            channel.unary_unary("/test.Words/Stuck")(b"", timeout=0.3)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
            assert time.monotonic() - began < 5
            print("deadline", flush=True)

        stuck = channel.unary_unary("/test.Words/Stuck").future(b"")
        time.sleep(0.2)
        stuck.cancel()
        print("cancel", flush=True)


if sys.argv[1] == "server":
    serve()
else:
    call(sys.argv[2])
