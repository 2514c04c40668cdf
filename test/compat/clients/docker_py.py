"""docker-py: what its quick start and its users' programs do."""
import io
import tarfile
import time

import docker
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound

client = docker.from_env()
began = int(time.time())
assert client.ping()
assert client.version()["ApiVersion"]
assert client.info()["Swarm"]["LocalNodeState"] == "inactive"


def says(wanted, ask):
    """The client loses output that comes in one segment with the answer's head: what is asked again and again comes once."""
    for _ in range(20):
        said = ask()
        if said == wanted:
            return
    raise AssertionError((said, wanted))


# Images.
image = client.images.get("busybox:latest")
assert image.id.startswith("sha256:") and image.tags == ["busybox:latest"]
assert image.tag("docker-py", "one")
image.reload()
assert len(client.images.list(name="docker-py")) == 1
saved = b"".join(image.save(named="docker-py:one"))
client.images.remove("docker-py:one")
assert client.images.load(saved)[0].id == image.id
client.images.remove("docker-py:one")
try:
    client.images.get("nosuch:image")
    raise AssertionError("there is no such image")
except ImageNotFound as error:
    assert error.status_code == 404

# Run to the end.
assert client.containers.run("busybox", ["echo", "hello"], remove=True) == b"hello\n"
assert client.containers.run("busybox", ["sh", "-c", "echo a; echo b >&2"], remove=True, stderr=True, stdout=False) == b"b\n"
try:
    client.containers.run("busybox", ["sh", "-c", "echo bad >&2; exit 3"], remove=True)
    raise AssertionError("3 is a failure")
except ContainerError as error:
    assert error.exit_status == 3 and error.stderr == b"bad\n"

# A container that stays.
network = client.networks.create("docker-py", driver="bridge", labels={"a": "b"})
volume = client.volumes.create("docker-py", labels={"c": "d"})
container = client.containers.run(
    "busybox",
    ["sh", "-c", "n=0; while :; do n=$((n+1)); echo line $n; sleep 0.1; done"],
    name="docker-py",
    detach=True,
    environment={"COLOUR": "blue"},
    labels={"docker-py": "1"},
    ports={"80/tcp": None, "81/udp": ("127.0.0.1", None)},
    volumes={"docker-py": {"bind": "/data", "mode": "rw"}},
    network="docker-py",
    mem_limit="64m",
    cap_drop=["NET_RAW"],
    ulimits=[docker.types.Ulimit(name="nofile", soft=100, hard=200)],
    healthcheck={"test": ["CMD", "true"], "interval": 200_000_000},
)
assert container.status == "created"
container.reload()
assert container.status == "running"
assert container.attrs["HostConfig"]["Memory"] == 64 * 1024 * 1024
assert container.ports["80/tcp"][0]["HostPort"]
assert client.containers.list(filters={"label": "docker-py=1", "status": "running"})[0].id == container.id
assert client.containers.get(container.short_id).name == "docker-py"
stream = container.logs(stream=True, follow=True)
assert next(stream).startswith(b"line 1")
stream.close()
assert container.logs(tail=1).startswith(b"line ")
says((4, b"blue\n"), lambda: container.exec_run("sh -c 'echo $COLOUR; exit 4'"))
says((b"o\n", b"e\n"), lambda: container.exec_run(["sh", "-c", "echo o; echo e >&2"], demux=True).output)
stream = ["sh", "-c", "echo 1; sleep 0.2; echo 2"]
says(b"1\n2\n", lambda: b"".join(container.exec_run(stream, stream=True).output))
socket = container.exec_run("cat", stdin=True, socket=True).output
socket._sock.sendall(b"typed\n")
assert b"typed" in socket.read(14)
socket.close()
# Files.
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w") as archive:
    entry = tarfile.TarInfo("note")
    entry.size = 4
    archive.addfile(entry, io.BytesIO(b"text"))
assert container.put_archive("/tmp", buffer.getvalue())
bits, stat = container.get_archive("/tmp/note")
assert stat["name"] == "note" and stat["size"] == 4
with tarfile.open(fileobj=io.BytesIO(b"".join(bits))) as archive:
    assert archive.extractfile("note").read() == b"text"
assert {"Path": "/tmp/note", "Kind": 1} in container.diff()
# State.
assert container.top()["Titles"]
stats = container.stats(stream=False)
assert stats["cpu_stats"]["online_cpus"] >= 1 and stats["id"] == container.id
container.pause()
container.unpause()
container.rename("docker-py-renamed")
container.update(mem_limit="128m", memswap_limit="256m")
made = container.commit("docker-py", "made", message="m", author="a", changes="CMD echo made")
assert client.containers.run("docker-py:made", remove=True) == b"made\n"
client.images.remove(made.id, force=True)
container.reload()
assert [one.id for one in client.networks.get("docker-py").containers] == [container.id]
other = client.networks.create("docker-py-other")
other.connect(container, aliases=["alias"])
other.disconnect(container)
other.remove()
try:
    client.containers.create("busybox", name="docker-py-renamed")
    raise AssertionError("the name is taken")
except APIError as error:
    assert error.status_code == 409
container.stop(timeout=0)
assert container.wait()["StatusCode"] == 137
container.start()
container.kill()
container.wait(condition="not-running")
container.remove(v=True)
try:
    client.containers.get("docker-py-renamed")
    raise AssertionError("it was removed")
except NotFound:
    pass
network.remove()
volume.remove()
# docker-py removes a container that ran to its end without its anonymous volumes.
client.volumes.prune()
replayed = client.events(since=began, until=int(time.time()) + 1, decode=True, filters={"container": container.id})
actions = [event["Action"] for event in replayed]
for action in ["create", "start", "pause", "unpause", "rename", "update", "kill", "die", "destroy"]:
    assert action in actions, (action, actions)
assert client.df()["Images"]
print("done")
