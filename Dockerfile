# The image of every stream_rec command; a worker by default.
#
#     docker build --tag stream-rec .
#     docker run --rm stream-rec config show
#
# Python 3.12 is one of the versions of requirements.lock; the tests run on 3.11 and later.

# The full image has the compilers that a few packages need where they offer no wheel (Linux on ARM).
FROM python:3.12-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/stream-rec
ENV PATH=/opt/stream-rec/bin:$PATH
WORKDIR /build
COPY requirements.lock ./
RUN pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY stream_rec stream_rec
COPY producers producers
RUN pip install --no-deps .

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home stream-rec \
    && install --directory --owner stream-rec --group stream-rec /var/lib/stream-rec /var/cache/stream-rec
COPY --from=build /opt/stream-rec /opt/stream-rec
COPY config deploy/healthcheck.py /etc/stream-rec/
ENV PATH=/opt/stream-rec/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/var/cache/stream-rec \
    STREAM_REC_CONFIG=/etc/stream-rec/docker.toml
USER stream-rec
# Compiles what a worker runs, so that a container starts within seconds. On a processor of another kind
# than the builder's the worker compiles once more, into the same folder.
RUN stream-rec compile
VOLUME /var/lib/stream-rec
EXPOSE 6066
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "/etc/stream-rec/healthcheck.py"]
ENTRYPOINT ["stream-rec"]
CMD ["worker"]
