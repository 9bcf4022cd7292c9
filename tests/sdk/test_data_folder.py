"""Two servers never share a data folder; a killed one doesn't keep the next one out."""

import subprocess

from tests.support.pipeline import zip_of
from tests.support.server import BINARY

def test_a_second_server_is_refused_and_told_whose_the_folder_is(fresh_server):
    second = subprocess.run(
        [str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data", str(fresh_server.data_dir)],
        capture_output=True, text=True, timeout=30,
    )
    assert second.returncode == 1
    assert f"another cistern (process {fresh_server.process.pid}) uses {fresh_server.data_dir}" in second.stderr


def test_a_killed_server_keeps_nobody_out(fresh_server):
    """Even while children of the killed one, which inherited its files, are still about."""
    functions = fresh_server.client("lambda")
    functions.create_function(
        FunctionName="f", Role="arn:aws:iam::000000000000:role/r", Runtime="executable",
        Handler="sleep 0.05", Code={"ZipFile": zip_of()}, Timeout=10)
    for _ in range(10):
        for _ in range(5):
            functions.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
        fresh_server.kill()
        fresh_server.start()
