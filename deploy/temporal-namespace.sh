#!/bin/sh
# The namespace and the search attributes without which no workflow starts. May be run again.
set -eu
namespace=${TEMPORAL_NAMESPACE:-default}
temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$namespace" --retention 168h
for tries in 1 2 3 4 5 6 7 8 9 10; do # a new namespace is known everywhere only after some seconds
  temporal operator search-attribute create --namespace "$namespace" \
    --name CompanyId --type Keyword --name CampaignId --type Keyword \
    --name ConnectionId --type Keyword --name State --type Keyword && exit 0
  sleep 3
done
exit 1
