# Siteward's image: docker build --tag siteward:VERSION .
# The same Python, the same constraints.txt as the tests; nothing of the sources and no compiler in what runs.

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
RUN python -m venv /opt/siteward
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY collector ./collector
COPY tickets ./tickets
COPY rules ./rules
COPY devices ./devices
COPY deploy ./deploy
COPY docs ./docs
# Compiled here, because nothing is written there.
RUN PIP_CONSTRAINT=/source/constraints.txt /opt/siteward/bin/pip install --compile . \
    && /opt/siteward/bin/pip uninstall --yes pip setuptools


FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="Siteward" \
      org.opencontainers.image.description="Telemetry collector and maintenance desk for smart facilities" \
      org.opencontainers.image.licenses="Apache-2.0"
# Reports as PDF need Pango; Chinese names in reports and pictures need a font.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
       fonts-wqy-microhei libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 siteward \
    && useradd --uid 10001 --gid siteward --no-create-home --home-dir /tmp --shell /usr/sbin/nologin siteward \
    && install --directory --owner siteward --group siteward --mode 0700 /var/lib/siteward
COPY --from=build /opt/siteward /opt/siteward
# Any user will do, and only /tmp and the volume are written: what libraries cache goes into /tmp.
ENV PATH=/opt/siteward/bin:$PATH \
    PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib XDG_CACHE_HOME=/tmp/cache \
    SITEWARD_CONFIG=/etc/siteward
USER 10001:10001
WORKDIR /var/lib/siteward
VOLUME /var/lib/siteward
EXPOSE 9464
STOPSIGNAL SIGTERM
# As long as `http.listen` keeps its port; /healthz answers 503 where only a restart helps.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/healthz', timeout=8)"]
ENTRYPOINT ["siteward"]
CMD ["run"]
