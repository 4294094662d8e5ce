#!/bin/sh
# verify.sh IMAGE@DIGEST PUBLIC_KEY: the recipe of docs/verify-a-release.md. Fails if one of the three is missing or wrong.
set -eu
cosign verify --insecure-ignore-tlog=true --key "$2" "$1" > /dev/null
cosign verify-attestation --insecure-ignore-tlog=true --key "$2" --type cyclonedx "$1" > /dev/null
cosign verify-attestation --insecure-ignore-tlog=true --key "$2" --type slsaprovenance1 "$1" > /dev/null
echo "$1: signature, SBOM and provenance verified"
