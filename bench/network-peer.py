"""The two ends of network measurements: small programs of the C library's speed, run in whatever network namespace is asked for.

serve PORT           sends zeros to who connects and says one byte; closes at once on who does not
pull HOST PORT S     megabytes a second from a server, over S seconds
connect HOST PORT S  connections made and closed a second
names NAME RATE S    99th percentile of the answers of 127.0.0.11 in milliseconds, at RATE questions a second
"""
import select
import socket
import struct
import sys
import threading
import time

command, *words = sys.argv[1:]


def send_zeros(client):
    zeros = bytes(1 << 20)
    try:
        if client.recv(1):
            while True:
                client.sendall(zeros)
    except OSError:
        pass
    client.close()


def serve(port):
    listener = socket.create_server(("0.0.0.0", int(port)), backlog=1024)
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        client.settimeout(10)
        threading.Thread(target=send_zeros, args=(client,), daemon=True).start()


def pull(host, port, seconds):
    client = socket.create_connection((host, int(port)))
    client.sendall(b"x")
    buffer = bytearray(1 << 20)
    total, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < float(seconds):
        total += client.recv_into(buffer)
    print(total / (time.perf_counter() - begin) / 1e6)


def connect(host, port, seconds):
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < float(seconds):
        socket.create_connection((host, int(port))).close()
        count += 1
    print(count / (time.perf_counter() - begin))


def names(name, rate, seconds):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    tail = struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.11", 53))
    client.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE: a stall of ours loses nothing
    client.setblocking(False)
    total, step = int(float(rate) * float(seconds)), 1 / float(rate)
    asked, waits, begin = [], [], time.perf_counter()
    deadline = begin + float(seconds) + 5
    while len(waits) < total and time.perf_counter() < deadline:
        while len(asked) < total and begin + len(asked) * step <= time.perf_counter():
            asked.append(time.perf_counter())
            client.send(struct.pack(">H", (len(asked) - 1) & 0xFFFF) + tail)
        due = begin + len(asked) * step - time.perf_counter() if len(asked) < total else 0.1
        if not select.select([client], [], [], max(due, 0))[0]:
            continue
        while True:
            try:
                reply = client.recv(512)
            except BlockingIOError:
                break
            assert reply[3] & 15 == 0 and reply[7] == 1, reply
            number = struct.unpack(">H", reply[:2])[0]
            number += (len(asked) - 1 - number) & ~0xFFFF
            waits.append(time.perf_counter() - asked[number])
    # A question without an answer counts as one that came at the end.
    waits += [time.perf_counter() - begin] * (total - len(waits))
    print(sorted(waits)[int(total * 0.99)] * 1000)


{"serve": serve, "pull": pull, "connect": connect, "names": names}[command](*words)
