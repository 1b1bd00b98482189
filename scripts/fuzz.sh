#!/usr/bin/env bash
# Runs every fuzz target of the module, for a time (30s) or a number of inputs
# (2000x, the default). With a time, go test now and then reports its own
# deadline as a failure; a number of inputs has none.
set -euo pipefail
cd "$(dirname "$0")/.."
amount=${1:-2000x}
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r pkg; do
	go test -list '^Fuzz' "$pkg" | { grep '^Fuzz' || true; } | while read -r target; do
		echo "-- $pkg $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$amount" -fuzzminimizetime 10x "$pkg"
	done
done
