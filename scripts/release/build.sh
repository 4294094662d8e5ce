#!/bin/sh
# build.sh IMAGE VERSION REVISION: builds the image for amd64 and arm64, pushes it and prints its digest (that of the index).
set -eu
metadata=$(mktemp)
trap 'rm -f "$metadata"' EXIT
docker buildx build --platform linux/amd64,linux/arm64 --provenance false --push --metadata-file "$metadata" \
  --build-arg "VERSION=$2" --build-arg "REVISION=$3" --tag "$1:$2" . >&2
node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))["containerimage.digest"]' "$metadata"
