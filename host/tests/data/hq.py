"""What firstspike uses of the program hq, over HyperQueue's Python package, which comes without that program.

The server and its worker are HyperQueue's own. The package has no way to cancel a job.
"""

import os
import sys
import time

from hyperqueue import Client, Job
from hyperqueue.cluster import LocalCluster, WorkerConfig

FOLDER = os.environ["HQ_SERVER_DIR"]


def serve():
    with LocalCluster(FOLDER, WorkerConfig(cores=2)):
        while True:
            time.sleep(3600)


def submit(arguments):
    """Options in pairs, then `--`, the program and its arguments."""
    end = arguments.index("--")
    pairs = list(zip(arguments[:end:2], arguments[1:end:2]))
    options = dict(pairs)
    assert (options["--cpus"], options["--stdout"]) == ("1", "none")
    job = Job(name=options["--name"])
    job.program(
        arguments[end + 1 :],
        cwd=options["--cwd"],
        env=dict(value.split("=", 1) for name, value in pairs if name == "--env"),
        stdout=None,
        stderr=options["--stderr"],
    )
    print(Client(FOLDER).submit(job).id)


def wait(jobs):
    failed = Client(FOLDER).connection.wait_for_jobs(jobs, lambda _: None)
    sys.exit(1 if failed else 0)


def main(arguments):
    if arguments == ["server", "start"]:
        serve()
    assert arguments[:2] == ["--output-mode", "quiet"]
    match arguments[2:]:
        case ["server", "info"]:
            Client(FOLDER)
        case ["worker", "list"]:
            print("1 RUNNING")
        case ["submit", *rest]:
            submit(rest)
        case ["job", "wait", jobs]:
            wait(tuple(int(job) for job in jobs.split(",")))
        case unknown:
            sys.exit(f"not known here: {unknown}")


main(sys.argv[1:])
