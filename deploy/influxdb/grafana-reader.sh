#!/bin/sh
# Runs once, when InfluxDB has been set up: Grafana's user may read the bucket by InfluxQL, and nothing else.
set -eu
influx v1 auth create \
    --org "$DOCKER_INFLUXDB_INIT_ORG" \
    --username grafana \
    --password "$(cat /run/secrets/influxdb_grafana_password)" \
    --read-bucket "$DOCKER_INFLUXDB_INIT_BUCKET_ID" >/dev/null
