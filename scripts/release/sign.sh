#!/bin/sh
# sign.sh IMAGE@DIGEST KEY SBOM PROVENANCE: signs exactly this digest and attaches both documents, signed too. COSIGN_PASSWORD is
# that of the key. Without a transparency log: who verifies needs the public key, and nothing else.
set -eu
image=$1 key=$2 sbom=$3 provenance=$4
case $image in
  *@sha256:*) ;;
  *)
    echo "sign.sh: $image is not IMAGE@sha256:…, and a tag can move" >&2
    exit 1
    ;;
esac
cosign sign --yes --tlog-upload=false --key "$key" "$image"
cosign attest --yes --tlog-upload=false --key "$key" --type cyclonedx --predicate "$sbom" "$image"
cosign attest --yes --tlog-upload=false --key "$key" --type slsaprovenance1 --predicate "$provenance" "$image"
