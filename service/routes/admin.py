"""What the people who run the service ask of it while it runs."""

from flask import Blueprint, Response

from service.http.openapi import Scope, operation
from service.http.problems import MODEL_REFUSED, RELOAD_RUNNING
from service.http.responses import JSONResponse
from service.inference.reload import Reloader
from service.schemas.models import Reloaded


def blueprint(reloader: Reloader) -> Blueprint:
    """Return the routes of the scope admin."""
    api = Blueprint("admin", __name__)

    @api.post("/admin/reload")
    @operation(Reloaded, scope=Scope.ADMIN, problems=[RELOAD_RUNNING, MODEL_REFUSED])
    def reload_models() -> Response:
        """The models are read anew and, if every one is sound, swapped in; all other workers are asked to follow.

        Nothing is swapped if one is refused. Each answer still is of one version, and says which.
        """
        return JSONResponse(Reloaded(models=reloader.reload()))

    return api
