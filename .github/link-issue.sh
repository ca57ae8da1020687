#!/usr/bin/env bash
# Keeps one issue about dead links: opens it, brings it up to date, closes it when nothing is dead any more.
#
#   link-issue.sh EXIT_CODE JSON REPORT LABEL
#
# EXIT_CODE is that of `check-links`, JSON and REPORT (Markdown, short enough for an issue) what it found. GH_TOKEN needs `issues: write`,
# GH_REPO is owner/name, RUN_URL is where to read more. The issue is the open one with the label LABEL whose text holds the marker below.
# Only a check that ran to its end (0 or 1) changes it, and only one that reached every link closes it.
set -euo pipefail

code=$1 json=$2 report=$3 label=$4
python=${PYTHON:-python3}
marker='<!-- llmops-catalog check-links -->'
title='Dead links in the catalog'

case $code in
  0 | 1) ;;
  *)
    echo "The check did not run to its end (exit code $code): the issue stays as it is."
    exit 0
    ;;
esac

# Not `gh issue list --label`: that asks the search index, which lags minutes behind, and a second issue would be opened
# (https://github.com/cli/cli/blob/trunk/pkg/cmd/issue/list/list.go).
answer=$(gh api --method GET 'repos/{owner}/{repo}/issues' \
  -f state=open -f labels="$label" -f sort=created -f direction=asc -F per_page=100)
numbers=$("$python" -c '
import json, sys
for issue in json.load(sys.stdin):
    if "pull_request" not in issue and sys.argv[1] in (issue["body"] or ""):
        print(issue["number"])
' "$marker" <<<"$answer")

if [ "$code" = 0 ]; then
  left=$("$python" -c '
import json, sys
links = json.load(open(sys.argv[1], encoding="utf-8"))["links"]
print(sum(link["verdict"] == "skipped" and link["outcome"] == "unknown" for link in links))
' "$json")
  if [ "$left" != 0 ]; then
    echo "Links that were not reached, and may be dead: $left. The issue stays as it is."
    exit 0
  fi
  for number in $numbers; do
    gh issue close "$number" --reason completed --comment "No link is dead any more, says ${RUN_URL:-the last check}."
  done
  exit 0
fi

body=$(mktemp)
trap 'rm -f "$body"' EXIT
{
  grep -qF -- "$marker" "$report" || printf '%s\n\n' "$marker"
  cat -- "$report"
  printf '\nFound by %s. Each check replaces this text, and closes the issue when no link is dead.\n' "${RUN_URL:-the last check}"
} >"$body"

number=${numbers%%$'\n'*}
if [ -n "$number" ]; then
  gh issue edit "$number" --title "$title" --body-file "$body"
else
  gh label create "$label" --description 'Links that no longer lead anywhere' --color b60205 >/dev/null 2>&1 || true # it may be there
  gh issue create --title "$title" --label "$label" --body-file "$body"
fi
