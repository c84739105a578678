from flask.testing import FlaskClient


def test_without_keys_nobody_may_reload(client: FlaskClient) -> None:
    assert client.post("/admin/reload").status_code == 401
