"""Errors that stop a scoring job."""

import errno

from sentiment.errors import DataError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class RejectLimitError(DataError):
    """More rows are rejected than `limit` allows: `count` so far, of which `last` describes the last."""

    def __init__(self, limit: int, count: int, where: str, last: str | None = None) -> None:
        super().__init__(limit, count, where, last)
        self.limit = limit
        self.count = count
        self._where = where
        self._last = last

    def __str__(self) -> str:
        last = f" ({self._last})" if self._last else ""
        return (
            f"{self._where}: rejected rows: {self.count}{last}, and the limit (max_rejects) is {self.limit}; "
            "with a higher limit the same command resumes"
        )


class EngineError(DataError):
    """The engine is lost; the job can be resumed."""

    def __str__(self) -> str:
        return f"{super().__str__()}; no row is lost: the same command resumes"
