# The service on the shipped model. Only the first stage has pip's and a compiler's worth of tools.
#   docker build -t sentiment .
#   docker run --rm --read-only --tmpfs /tmp -p 8000:8000 sentiment
FROM python:3.11.7-slim-bookworm AS build
# An index of CPU wheels of torch: without it pip may take the build that brings CUDA along.
ARG TORCH_INDEX_URL=""
COPY requirements.txt /
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} -r /requirements.txt \
 && /venv/bin/pip uninstall --yes pip setuptools

FROM python:3.11.7-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home sentiment
COPY --from=build /venv /venv
WORKDIR /app
COPY sentiment sentiment
COPY service service
COPY models models
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/ready', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["gunicorn", "--config", "service/gunicorn.conf.py"]
