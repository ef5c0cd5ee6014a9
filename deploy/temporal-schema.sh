#!/bin/sh
# Temporal's own two databases, made or brought up to date. SQL_HOST, SQL_USER and so on say where.
set -eu
for store in temporal visibility; do
  db=temporal
  [ $store = temporal ] || db=temporal_visibility
  temporal-sql-tool --db $db create
  # An existing schema refuses to be set up again; the update after it says whether all is well.
  temporal-sql-tool --db $db setup-schema -v 0.0 || true
  temporal-sql-tool --db $db update-schema -d /etc/temporal/schema/postgresql/v12/$store/versioned
done
