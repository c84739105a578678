import urllib.request
from collections.abc import Iterator

import fsspec
import pytest
from click.testing import Result
from typer.testing import CliRunner

from sentiment.cli import app


def run(*arguments: object) -> Result:
    """Run `sentiment ARGUMENTS` in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def s3() -> Iterator[fsspec.AbstractFileSystem]:
    """A server with a bucket of its own, found by the environment as a user's would be: moto's."""
    moto_server = pytest.importorskip("moto.server")
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        # What is stored outlives a server in the same process.
        urllib.request.urlopen(f"{settings['AWS_ENDPOINT_URL']}/moto-api/reset", data=b"").close()
        filesystem = fsspec.filesystem("s3", use_listings_cache=False)
        filesystem.mkdir("bucket")
        yield filesystem
        fsspec.filesystem("s3").clear_instance_cache()
    server.stop()
