"""The AWS CLI, loaded once: each command is a fork of a process that has it in memory.

A deployment runs some thirty commands, and each would load the CLI anew. `loaded_cli` gives a directory with an `aws` that hands its
arguments, directory, environment and standard streams to that process and ends with its exit code. It is the real CLI. What any
process list would have shown, all arguments of all commands, is written to `arguments` there.
"""

import json
import os
import socket
import subprocess
import sys
import traceback
from contextlib import contextmanager

CLIENT = """#!{python} -ISE
import array, json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
task = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
server.sendmsg([len(task).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
server.sendall(task)
code = server.recv(1)
sys.exit(code[0] if code else 255)
"""


@contextmanager
def loaded_cli(directory):
    address = str(directory / "socket")
    program = directory / "aws"
    program.write_text(CLIENT.format(python=sys.executable, address=address))
    program.chmod(0o755)
    server = subprocess.Popen([sys.executable, __file__, address], stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline() == b"ready\n"
        yield directory
    finally:
        server.kill()
        server.wait()


def serve(address):
    import awscli.clidriver  # noqa: F401  (what takes the time)
    import botocore.session  # noqa: F401

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            os._exit(supervise(connection, os.path.join(os.path.dirname(address), "arguments")))
        connection.close()
        while reap():
            pass


def reap():
    try:
        return os.waitpid(-1, os.WNOHANG)[0]
    except ChildProcessError:
        return 0


def supervise(connection, seen):
    """Runs one command in a child and sends its exit code."""
    size, streams, _, _ = socket.recv_fds(connection, 4, 3)
    size, task = int.from_bytes(size, "big"), b""
    while len(task) < size:
        task += connection.recv(size - len(task))
    with open(seen, "a") as log:
        log.write(json.dumps(json.loads(task)[0]) + "\n")
    child = os.fork()
    if child == 0:
        command(json.loads(task), streams)
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(child, 0)
    connection.sendall(bytes([os.waitstatus_to_exitcode(status) & 255]))
    return 0


def command(task, streams):
    arguments, directory, environment = task
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(directory)
    # The CLI tells itself by this variable where its data are.
    data = os.environ["AWS_DATA_PATH"]
    os.environ.clear()
    os.environ.update(environment, AWS_DATA_PATH=data)
    sys.argv = ["aws", *arguments]
    import awscli.clidriver

    code = 255
    try:
        code = awscli.clidriver.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    serve(sys.argv[1])
