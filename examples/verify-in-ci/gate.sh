#!/bin/sh
# The gate of a CI job: may this model go on? The exit status is the answer (0 yes; 1 no; 2 called wrongly; 3 cannot
# tell, which is no; 4 nothing there).
#
#   gate.sh MODEL SIGNER.pub [REPORT-FOLDER]
#
# The key comes from the job's own repository, never from beside the model. Reports are for people and dashboards;
# nothing reads them to decide.
set -eu
model=$1
signer=$2
reports=${3:-reports}
mkdir -p "$reports"

# What scanners of code read: findings, file by file. The verdict below does not depend on it.
modelsign scan "$model" --format sarif -o "$reports/scan.sarif" --force || true

# The verdict: signature, bytes and scan, joined by one policy.
exec modelsign check "$model" --policy "${POLICY:-baseline}" --set "signers=$signer" \
  --format junit -o "$reports/check.xml" --force
