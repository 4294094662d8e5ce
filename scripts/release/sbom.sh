#!/bin/sh
# sbom.sh FILE: what of npm is in the image, as CycloneDX. Of the lock file, so that it needs no installation.
set -eu
npm sbom --sbom-format cyclonedx --sbom-type application --omit dev --package-lock-only > "$1"
# npm names the folder, not the package.
node -e '
  const [file] = process.argv.slice(1);
  const fs = require("fs");
  const { name, version } = JSON.parse(fs.readFileSync("package.json", "utf8"));
  const sbom = JSON.parse(fs.readFileSync(file, "utf8"));
  Object.assign(sbom.metadata.component, { name, version });
  fs.writeFileSync(file, JSON.stringify(sbom, null, 2) + "\n");
' "$1"
